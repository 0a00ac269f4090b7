//! Single documents are removed from their batch, by programs and by the page's form.

use axum::extract::{Path, State};
use axum::response::Redirect;
use http::StatusCode;
use reqwest::Url;
use sheaf_domain::{DocumentId, Failure, FailureCode};
use sheaf_engine::Engine;

use super::api::{batch_id, document_id, read};
use super::failure::HttpFailure;
use super::selection;

/// `DELETE /api/batches/{id}/documents/{document}`
pub async fn one(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Result<StatusCode, HttpFailure> {
    engine.remove_documents(batch_id(&id)?, &[document_id(&document)?]).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the form says besides the documents.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sent {
    /// Whether all that match the filter are meant when no document is named.
    is_matching: bool,
    /// How many documents the person saw.
    number: Option<usize>,
}

impl Sent {
    fn read(fields: &str) -> Result<Self, HttpFailure> {
        let mut url = Url::parse("http://localhost/").map_err(|error| HttpFailure::invalid(error.to_string()))?;
        url.set_query(Some(fields));
        let mut sent = Self::default();
        for (key, value) in url.query_pairs() {
            match key.as_ref() {
                "matching" => sent.is_matching = !value.is_empty(),
                "number" => sent.number = read("number", Some(&value))?,
                _ => {}
            }
        }
        Ok(sent)
    }

    /// What is removed is what the person saw.
    fn agreed(&self, documents: Vec<DocumentId>) -> Result<Vec<DocumentId>, HttpFailure> {
        match self.number == Some(documents.len()) {
            true => Ok(documents),
            false => {
                let message = "other documents match now than when you were asked";
                Err(HttpFailure(Failure::new(FailureCode::InvalidRequest, message).with_hint("Choose them again.")))
            }
        }
    }
}

/// `POST /batches/{id}/remove`: back to the batch, which is grouped anew.
pub async fn by_form(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    fields: String,
) -> Result<Redirect, HttpFailure> {
    let batch = batch_id(&id)?;
    let sent = Sent::read(&fields)?;
    let query = selection::chosen(&fields)?;
    let documents = match (query.documents.is_empty(), sent.is_matching) {
        (false, _) => query.documents,
        (true, true) => engine.matching_documents(batch, &query).await?,
        (true, false) => Vec::new(),
    };
    engine.remove_documents(batch, &sent.agreed(documents)?).await?;
    Ok(Redirect::to(&format!("/batches/{batch}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_seen_is_removed() {
        let check = |fields: &str, documents: usize, expect: bool| {
            let id: DocumentId = "018f0000-0000-7000-8000-000000000000".parse().expect("an id");
            let sent = Sent::read(fields).expect("it can be read");
            assert_eq!(sent.agreed(vec![id; documents]).is_ok(), expect, "{fields}");
        };
        check("number=2&kind=pdf&matching=1", 2, true);
        check("number=2&kind=pdf&matching=1", 3, false);
        check("kind=pdf&matching=1", 2, false);
        check("number=", 0, false);
        assert!(Sent::read("number=many").is_err());
    }
}
