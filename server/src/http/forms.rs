//! What the pages' forms send where there is no JavaScript: each answer leads on to a page, which then tells how things are.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Redirect;
use http::HeaderMap;
use http::header::REFERER;
use http::uri::Uri;
use serde::Deserialize;
use sheaf_domain::{BatchChange, DocumentId, Failure, FailureCode, Priority, Restart};
use sheaf_engine::Engine;

use super::api::{batch_id, document_id, read};
use super::failure::HttpFailure;

type Onward = Result<Redirect, HttpFailure>;

/// `POST /batches/{id}/delete`
pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Onward {
    engine.delete_batch(batch_id(&id)?).await?;
    Ok(Redirect::to("/"))
}

/// `POST /batches/{id}/cancel`
pub async fn cancel(State(engine): State<Engine>, Path(id): Path<String>) -> Onward {
    let batch = batch_id(&id)?;
    unless_too_late(engine.cancel_batch(batch).await)?;
    Ok(Redirect::to(&format!("/batches/{batch}")))
}

/// Which documents are to be worked on again.
#[derive(Deserialize)]
pub struct RestartForm {
    /// `cancelled` or `failed`; not looked at when a document is named.
    which: Option<String>,
    /// Of the failed only those with this code.
    code: Option<String>,
    document: Option<String>,
}

impl RestartForm {
    fn which(&self) -> Result<Restart, HttpFailure> {
        if let Some(document) = self.document.as_deref().filter(|document| !document.is_empty()) {
            return document_id(document).map(Restart::Document);
        }
        match (self.which.as_deref(), read::<FailureCode>("code", self.code.as_deref())?) {
            (Some("cancelled"), _) => Ok(Restart::Cancelled),
            (Some("failed"), None) => Ok(Restart::Failed),
            (Some("failed"), Some(code)) => Ok(Restart::FailedWith(code)),
            (other, _) => {
                let other = other.unwrap_or_default();
                Err(HttpFailure::invalid(format!("`which`: `{other}` is neither cancelled nor failed")))
            }
        }
    }
}

/// `POST /batches/{id}/restart`
pub async fn restart(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    form: Result<Form<RestartForm>, FormRejection>,
) -> Onward {
    let batch = batch_id(&id)?;
    let which = form.map_err(not_understood)?.0.which()?;
    unless_too_late(engine.restart(batch, &which).await)?;
    let document = match which {
        Restart::Document(DocumentId(document)) => format!("/documents/{document}"),
        Restart::Cancelled | Restart::Failed | Restart::FailedWith(_) => String::new(),
    };
    Ok(Redirect::to(&format!("/batches/{batch}{document}")))
}

/// A batch's name and priority; absent means as it is.
#[derive(Deserialize)]
pub struct ChangeForm {
    name: Option<String>,
    priority: Option<String>,
}

/// `POST /batches/{id}/change`: goes back to where the form was.
pub async fn change(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    headers: HeaderMap,
    form: Result<Form<ChangeForm>, FormRejection>,
) -> Onward {
    let batch = batch_id(&id)?;
    let ChangeForm { name, priority } = form.map_err(not_understood)?.0;
    let priority = read::<Priority>("priority", priority.as_deref())?;
    engine.change_batch(batch, BatchChange { name, priority }).await?;
    Ok(Redirect::to(&came_from(&headers).unwrap_or_else(|| format!("/batches/{batch}"))))
}

/// A form may be sent after what it asks for has come about: the page says so better than an error.
fn unless_too_late<T>(done: Result<T, Failure>) -> Result<(), HttpFailure> {
    match done {
        Err(failure) if matches!(failure.code, FailureCode::NotRunning | FailureCode::NothingToRestart) => Ok(()),
        Err(failure) => Err(failure.into()),
        Ok(_) => Ok(()),
    }
}

fn not_understood(rejection: FormRejection) -> HttpFailure {
    HttpFailure::invalid(rejection.body_text())
}

/// The page that sent the form. Only its path and query are taken, so that it leads nowhere else.
fn came_from(headers: &HeaderMap) -> Option<String> {
    let page: Uri = headers.get(REFERER)?.to_str().ok()?.parse().ok()?;
    page.authority()?;
    let path = page.path_and_query()?.as_str();
    // `//name` would be another site.
    (path.starts_with('/') && !path.starts_with("//") && !path.contains('\\')).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_leads_back_to_a_page_of_this_site_only() {
        let check = |referer: &'static str, expect: Option<&str>| {
            let headers = HeaderMap::from_iter([(REFERER, HeaderValue::from_static(referer))]);
            assert_eq!(came_from(&headers).as_deref(), expect, "{referer}");
        };
        check("http://127.0.0.1:3000/?q=a%20b&status=failed", Some("/?q=a%20b&status=failed"));
        check("http://evil.example/batches/1", Some("/batches/1"));
        check("http://evil.example//evil.example/x", None);
        check("http://evil.example/\\evil.example", None);
        check("/batches/1", None);
        check("", None);
        assert_eq!(came_from(&HeaderMap::new()), None);
    }

    #[test]
    fn what_is_restarted_is_said_by_the_form() {
        let check = |which: Option<&str>, code: Option<&str>, document: Option<&str>, expect: Option<Restart>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            let form = RestartForm { which: owned(which), code: owned(code), document: owned(document) };
            assert_eq!(form.which().ok(), expect, "{which:?} {code:?} {document:?}");
        };
        let id = "018f0000-0000-7000-8000-000000000000";
        check(Some("cancelled"), None, None, Some(Restart::Cancelled));
        check(Some("failed"), Some(""), Some(""), Some(Restart::Failed));
        check(Some("failed"), Some("timed_out"), None, Some(Restart::FailedWith(FailureCode::TimedOut)));
        check(None, None, Some(id), id.parse().ok().map(Restart::Document));
        check(Some("failed"), Some("nonsense"), None, None);
        check(Some("completed"), None, None, None);
        check(None, None, None, None);
    }
}
