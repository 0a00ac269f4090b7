//! Changing clusters: the list of edits as JSON, and what the forms of the pages send.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use reqwest::Url;
use sheaf_domain::{
    BatchId, ClusterChange, ClusterEdit, ClusterEdits, ClusterId, ClusterRequest, DocumentId, MoveTarget,
};
use sheaf_engine::Engine;

use super::api::{Answer, batch_id, read};
use super::failure::HttpFailure;
use super::selection;

/// `GET /api/batches/{id}/cluster-edits`
pub async fn list(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<ClusterEdits> {
    Ok(Json(engine.cluster_edits(batch_id(&id)?).await?))
}

/// `POST /api/batches/{id}/cluster-edits`: one change, for example `{"kind": "rename", "cluster": 2, "name": "Letters"}`.
pub async fn add(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    wanted: Result<Json<ClusterRequest>, JsonRejection>,
) -> Result<(StatusCode, Json<ClusterEdit>), HttpFailure> {
    let Json(request) = wanted.map_err(|error| {
        let example = r#"{"kind": "rename", "cluster": 2, "name": "Letters"}"#;
        HttpFailure::invalid(format!("{}; send for example {example}", error.body_text()))
    })?;
    let edit = engine.edit_clusters(batch_id(&id)?, request).await?;
    Ok((StatusCode::CREATED, Json(edit)))
}

/// `DELETE /api/batches/{id}/cluster-edits/{edit}`: takes it back.
pub async fn take_back(State(engine): State<Engine>, Path((id, edit)): Path<(String, String)>) -> Answer<ClusterEdit> {
    let batch = batch_id(&id)?;
    let edit = edit.parse().map_err(|_| HttpFailure::not_found(format!("there is no edit `{edit}`")))?;
    Ok(Json(engine.take_back_edit(batch, edit).await?))
}

/// `GET /api/batches/{id}/manifest`
pub async fn manifest(State(engine): State<Engine>, Path(id): Path<String>) -> Result<Response, HttpFailure> {
    let manifest = engine.manifest(batch_id(&id)?).await?;
    Ok(([(CONTENT_TYPE, "application/json")], manifest).into_response())
}

/// The fields of the forms on a cluster's page and on the page that moves documents.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    /// `rename`, `merge`, `split`, `move`, `pin` or `take_back`.
    what: String,
    /// The cluster whose page it is.
    of: Option<ClusterId>,
    name: String,
    with: Vec<ClusterId>,
    parts: Option<u32>,
    target: Option<MoveTarget>,
    edit: Option<u32>,
    /// Whether all that match the filter are meant when no document is named.
    is_matching: bool,
}

impl Sent {
    /// Reads `application/x-www-form-urlencoded`; what names documents is read by [`selection::chosen`].
    fn read(fields: &str) -> Result<Self, HttpFailure> {
        let mut url = Url::parse("http://localhost/").map_err(|error| HttpFailure::invalid(error.to_string()))?;
        url.set_query(Some(fields));
        let number = |name: &str, value: &str| read::<u32>(name, Some(value));
        let mut sent = Self::default();
        for (key, value) in url.query_pairs().filter(|(_, value)| !value.is_empty()) {
            match key.as_ref() {
                "do" => sent.what = value.into_owned(),
                "of" => sent.of = number("of", &value)?.map(ClusterId),
                "title" => sent.name = value.into_owned(),
                "with" => sent.with.extend(number("with", &value)?.map(ClusterId)),
                "parts" => sent.parts = number("parts", &value)?,
                "target" => sent.target = read("target", Some(&value))?,
                "edit" => sent.edit = number("edit", &value)?,
                "matching" => sent.is_matching = true,
                _ => {}
            }
        }
        Ok(sent)
    }

    fn of(&self) -> Result<ClusterId, HttpFailure> {
        self.of.ok_or_else(|| HttpFailure::invalid("`of`: no cluster was named"))
    }

    /// What the form asks for, of these documents.
    fn request(&self, documents: Vec<DocumentId>) -> Result<ClusterRequest, HttpFailure> {
        Ok(match self.what.as_str() {
            "rename" => ClusterRequest::Rename { cluster: self.of()?, name: self.name.clone() },
            "merge" => ClusterRequest::Merge { clusters: self.with.clone(), into: self.of()? },
            "split" => ClusterRequest::Split { cluster: self.of()?, parts: self.parts },
            "move" => {
                let to = self.target.ok_or_else(|| HttpFailure::invalid("`target`: nothing was chosen"))?;
                ClusterRequest::Move { documents, to }
            }
            "pin" => ClusterRequest::Pin { documents },
            other => {
                let known = "rename, merge, split, move, pin, take_back";
                return Err(HttpFailure::invalid(format!("`do`: `{other}` is none of {known}")));
            }
        })
    }
}

/// `POST /batches/{id}/clusters`: leads on to the cluster that came out.
pub async fn by_form(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    fields: String,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    let sent = Sent::read(&fields)?;
    let edit = match sent.edit.filter(|_| sent.what == "take_back") {
        Some(edit) => engine.take_back_edit(batch, edit).await?,
        None => {
            let documents = documents(&engine, batch, &sent, &fields).await?;
            engine.edit_clusters(batch, sent.request(documents)?).await?
        }
    };
    let shown = match edit.change {
        ClusterChange::Move { to } if !edit.taken_back => to,
        ClusterChange::Move { .. }
        | ClusterChange::Rename { .. }
        | ClusterChange::Merge { .. }
        | ClusterChange::Split { .. }
        | ClusterChange::Pin => sent.of,
    };
    let is_there = match shown {
        Some(cluster) => engine.clusters(batch).await?.iter().any(|known| known.id == cluster),
        None => false,
    };
    Ok(Redirect::to(&match shown.filter(|_| is_there) {
        Some(cluster) => format!("/batches/{batch}/clusters/{cluster}"),
        None => format!("/batches/{batch}#clusters"),
    }))
}

/// The documents that a form names: those that are ticked or, where it says so, all that match its filter.
async fn documents(engine: &Engine, batch: BatchId, sent: &Sent, fields: &str) -> Result<Vec<DocumentId>, HttpFailure> {
    if !matches!(sent.what.as_str(), "move" | "pin") {
        return Ok(Vec::new());
    }
    let query = selection::chosen(fields)?;
    match (query.documents.is_empty(), sent.is_matching) {
        (false, _) => Ok(query.documents),
        (true, true) => Ok(engine.grouped_documents(batch, &query).await?),
        (true, false) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::MovePlace;

    use super::*;

    #[test]
    fn a_form_becomes_a_request() {
        let check = |fields: &str, expect: Option<ClusterRequest>| {
            let request = Sent::read(fields).and_then(|sent| sent.request(Vec::new()));
            assert_eq!(request.ok(), expect, "{fields}");
        };
        let id = ClusterId;
        check("do=rename&of=3&title=a+b", Some(ClusterRequest::Rename { cluster: id(3), name: "a b".into() }));
        let merge = ClusterRequest::Merge { clusters: vec![id(1), id(4)], into: id(3) };
        check("do=merge&of=3&with=1&with=4", Some(merge));
        check("do=split&of=3&parts=", Some(ClusterRequest::Split { cluster: id(3), parts: None }));
        let to = |to| Some(ClusterRequest::Move { documents: Vec::new(), to });
        check("do=move&of=3&target=outliers", to(MoveTarget::Place(MovePlace::Outliers)));
        check("do=move&of=3&target=7", to(MoveTarget::Cluster(id(7))));
        check("do=pin&of=3", Some(ClusterRequest::Pin { documents: Vec::new() }));
        check("do=move&of=3", None);
        check("do=rename&title=x", None);
        check("do=split&of=many", None);
        check("do=burn&of=3", None);
    }
}
