//! What is done with chosen documents: those that are ticked or, when none is, all that match the filter.

use axum::Json;
use axum::extract::{Path, Query, RawQuery, State};
use axum::response::{Redirect, Response};
use http::StatusCode;
use http::uri::Uri;
use reqwest::Url;
use serde::Serialize;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery};
use sheaf_engine::Engine;

use super::api::{Filter, batch_id, document_id};
use super::download;
use super::failure::HttpFailure;

/// The most documents that are ticked one by one.
const MOST: usize = 1_000;
/// What a filter is made of.
const FILTERS: [&str; 11] =
    ["cluster", "status", "kind", "confidence", "failure", "language", "family", "size", "from", "to", "q"];

/// The fields of a form of tables.
struct Chosen {
    /// `csv`, `json`, `originals`, `run`, `move` or `batch`.
    what: String,
    name: String,
    documents: Vec<DocumentId>,
    /// Those of [`FILTERS`] that are set.
    filters: Vec<(String, String)>,
}

impl Chosen {
    /// Reads `application/x-www-form-urlencoded`, in which `d` occurs once for each document.
    fn read(fields: &str) -> Result<Self, HttpFailure> {
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
        if chosen.documents.len() > MOST {
            return Err(HttpFailure::invalid(format!("more than {MOST} documents were chosen one by one")));
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

    fn query(&self) -> Result<DocumentQuery, HttpFailure> {
        query_of(&self.address())
    }
}

/// The documents that a form names, or the filter that it has.
pub fn chosen(fields: &str) -> Result<DocumentQuery, HttpFailure> {
    Chosen::read(fields)?.query()
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
    let chosen = Chosen::read(fields.as_deref().unwrap_or_default())?;
    let address = chosen.address();
    Ok(Redirect::to(&match chosen.what.as_str() {
        format @ ("csv" | "json" | "jsonl") => {
            format!("/api/batches/{batch}/export?subject=documents&format={format}&{address}")
        }
        "originals" => format!("/api/batches/{batch}/originals?{address}"),
        "run" => format!("/runs/new?batch={batch}&{address}"),
        "move" => format!("/batches/{batch}/move?{address}"),
        other => {
            return Err(HttpFailure::invalid(format!(
                "`do`: `{other}` is none of csv, json, jsonl, originals, run, move"
            )));
        }
    }))
}

/// `POST /batches/{id}/selection`: a new batch of what was chosen.
pub async fn make(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    fields: String,
) -> Result<Redirect, HttpFailure> {
    let chosen = Chosen::read(&fields)?;
    let made = engine.batch_of(batch_id(&id)?, &chosen.query()?, &chosen.name).await?;
    Ok(Redirect::to(&format!("/batches/{made}")))
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
    let name = Chosen::read(&fields)?.name;
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
            assert_eq!(Chosen::read(fields).ok().map(|chosen| chosen.address()).as_deref(), expect, "{fields}");
        };
        check("do=csv&kind=pdf&q=a+b&sort=size&page=3", Some("kind=pdf&q=a+b"));
        check("do=csv&kind=&language=eng", Some("language=eng"));
        check(&format!("d={ID}&d={ID}&kind=pdf"), Some(&format!("documents={ID}%2C{ID}")));
        check(&format!("all={ID}"), Some(&format!("documents={ID}")));
        check("d=nonsense", None);
        check("", Some(""));
        let query = query_of(&format!("documents={ID}%2C{ID}")).map(|query| query.documents.len());
        assert_eq!(query.ok(), Some(2));
        assert!(query_of("kind=nonsense").is_err());
    }
}
