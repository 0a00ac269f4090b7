//! What is done with chosen documents: those that are ticked or, when none is, all that match the filter.

use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::uri::Uri;
use reqwest::Url;
use serde::Serialize;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, ExportFormat, ExportSubject, Failure, FailureCode};
use sheaf_engine::Engine;

use super::api::{Filter, batch_id, document_id};
use super::download;
use super::failure::HttpFailure;

/// The most documents that an address names one by one.
const MOST: usize = 1_000;
/// The most documents that a form sends one by one.
const MOST_OF_FORM: usize = 100_000;
/// What a filter is made of.
const FILTERS: [&str; 11] =
    ["cluster", "status", "kind", "confidence", "failure", "language", "family", "size", "from", "to", "q"];

/// The fields of a form of tables.
struct Chosen {
    /// `csv`, `json`, `originals`, `run`, `move`, `remove` or `batch`.
    what: String,
    name: String,
    documents: Vec<DocumentId>,
    /// Those of [`FILTERS`] that are set.
    filters: Vec<(String, String)>,
}

impl Chosen {
    /// Reads `application/x-www-form-urlencoded`, in which `d` occurs once for each of at most `most` documents.
    fn read(fields: &str, most: usize) -> Result<Self, HttpFailure> {
        let mut url = Url::parse("http://localhost/").map_err(|error| HttpFailure::invalid(error.to_string()))?;
        url.set_query(Some(fields));
        let mut chosen = Self { what: String::new(), name: String::new(), documents: Vec::new(), filters: Vec::new() };
        // What is meant when nothing is ticked.
        let mut all = Vec::new();
        for (key, value) in url.query_pairs().filter(|(_, value)| !value.is_empty()) {
            match key.as_ref() {
                "do" => chosen.what = value.into_owned(),
                "name" => chosen.name = value.into_owned(),
                "d" => chosen.documents.push(document_id(&value)?),
                "all" => all = value.split(',').map(document_id).collect::<Result<_, _>>()?,
                key if FILTERS.contains(&key) => chosen.filters.push((key.to_owned(), value.into_owned())),
                _ => {}
            }
        }
        if chosen.documents.is_empty() {
            chosen.documents = all;
        }
        if chosen.documents.len() > most {
            return Err(too_many(most));
        }
        Ok(chosen)
    }

    /// The part of an address that names the documents.
    fn address(&self) -> String {
        let Ok(mut url) = Url::parse("http://localhost/") else { return String::new() };
        if self.documents.is_empty() {
            url.query_pairs_mut().extend_pairs(&self.filters);
        } else {
            let ids: Vec<String> = self.documents.iter().map(ToString::to_string).collect();
            url.query_pairs_mut().append_pair("documents", &ids.join(","));
        }
        url.query().unwrap_or_default().to_owned()
    }

    /// The form that begins a run over them.
    fn run(&self, batch: BatchId) -> String {
        format!("/runs/new?batch={batch}&{}", self.address())
    }

    fn query(self) -> Result<DocumentQuery, HttpFailure> {
        if self.documents.is_empty() {
            return query_of(&self.address());
        }
        Ok(DocumentQuery { documents: self.documents, ..DocumentQuery::default() })
    }
}

fn too_many(most: usize) -> HttpFailure {
    let message = format!("more than {most} documents were chosen one by one");
    HttpFailure(Failure::new(FailureCode::InvalidRequest, message).with_hint(TOO_MANY))
}

const TOO_MANY: &str = "Make a batch of them first, or choose by a filter.";

fn unknown(what: &str) -> HttpFailure {
    HttpFailure::invalid(format!("`do`: `{what}` is none of csv, json, jsonl, originals, run, move, remove, batch"))
}

/// The documents that a form names, or the filter that it has.
pub fn chosen(fields: &str) -> Result<DocumentQuery, HttpFailure> {
    Chosen::read(fields, MOST)?.query()
}

/// The filter that an address has.
fn query_of(address: &str) -> Result<DocumentQuery, HttpFailure> {
    let uri: Uri = format!("/?{address}").parse().map_err(|_| HttpFailure::invalid("the filter cannot be read"))?;
    let Query(filter) = Query::<Filter>::try_from_uri(&uri).map_err(|error| HttpFailure::invalid(error.body_text()))?;
    filter.query()
}

/// `GET /batches/{id}/selection?do=&d=…`: leads to what was asked for.
pub async fn act(Path(id): Path<String>, RawQuery(fields): RawQuery) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    let chosen = Chosen::read(fields.as_deref().unwrap_or_default(), MOST)?;
    let address = chosen.address();
    Ok(Redirect::to(&match chosen.what.as_str() {
        format @ ("csv" | "json" | "jsonl") => {
            format!("/api/batches/{batch}/export?subject=documents&format={format}&{address}")
        }
        "originals" => format!("/api/batches/{batch}/originals?{address}"),
        "run" => chosen.run(batch),
        "move" => format!("/batches/{batch}/move?{address}"),
        "remove" => format!("/batches/{batch}/remove?{address}"),
        other => return Err(unknown(other)),
    }))
}

/// `POST /batches/{id}/selection`: the same for more documents than an address can name, or a new batch of them.
pub async fn make(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    fields: String,
) -> Result<Response, HttpFailure> {
    let batch = batch_id(&id)?;
    let chosen = Chosen::read(&fields, MOST_OF_FORM)?;
    let format = match chosen.what.as_str() {
        "csv" => ExportFormat::Csv,
        "json" => ExportFormat::Json,
        "jsonl" => ExportFormat::Jsonl,
        "originals" => return Ok(download::answer(engine.export_originals(batch, &chosen.query()?).await?)),
        "run" if chosen.documents.len() > MOST => return Err(too_many(MOST)),
        "run" => return Ok(Redirect::to(&chosen.run(batch)).into_response()),
        "" | "batch" => {
            let name = chosen.name.clone();
            let made = engine.batch_of(batch, &chosen.query()?, &name).await?;
            return Ok(Redirect::to(&format!("/batches/{made}")).into_response());
        }
        other => return Err(unknown(other)),
    };
    Ok(download::answer(engine.export(batch, ExportSubject::Documents, format, &chosen.query()?).await?))
}

/// The batch that was made.
#[derive(Serialize)]
pub struct Made {
    id: BatchId,
}

/// `POST /api/batches/{id}/copy?…`: with the filters of the table and `name`.
pub async fn copy(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    RawQuery(fields): RawQuery,
) -> Result<(StatusCode, Json<Made>), HttpFailure> {
    let fields = fields.unwrap_or_default();
    let name = Chosen::read(&fields, MOST)?.name;
    let id = engine.batch_of(batch_id(&id)?, &query_of(&fields)?, &name).await?;
    Ok((StatusCode::CREATED, Json(Made { id })))
}

/// `GET /api/batches/{id}/originals?…`: a ZIP of those that match the filters of the table.
pub async fn originals(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Result<Response, HttpFailure> {
    let export = engine.export_originals(batch_id(&id)?, &filter.query()?).await?;
    Ok(download::answer(export))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "018f0000-0000-7000-8000-000000000000";

    #[test]
    fn ticked_documents_come_before_the_filter() {
        let check = |fields: &str, expect: Option<&str>| {
            assert_eq!(Chosen::read(fields, 3).ok().map(|chosen| chosen.address()).as_deref(), expect, "{fields}");
        };
        check("do=csv&kind=pdf&q=a+b&sort=size&page=3", Some("kind=pdf&q=a+b"));
        check("do=csv&kind=&language=eng", Some("language=eng"));
        check(&format!("d={ID}&d={ID}&kind=pdf"), Some(&format!("documents={ID}%2C{ID}")));
        check(&format!("all={ID}"), Some(&format!("documents={ID}")));
        check("d=nonsense", None);
        check(&format!("all={ID},{ID},{ID},{ID}"), None);
        check("", Some(""));
        let query = query_of(&format!("documents={ID}%2C{ID}")).map(|query| query.documents.len());
        assert_eq!(query.ok(), Some(2));
        assert!(query_of("kind=nonsense").is_err());
    }
}
