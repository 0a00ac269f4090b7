//! The way from a server function to the engine and back.

use http::request::Parts;
use leptos::prelude::use_context;
use sheaf_domain::{Batch, Failure, FailureCode, FailureKind};
use sheaf_engine::Engine;

use super::batches::PREFIX;
use crate::errors::AppError;
use crate::response::set_status;

/// The engine that the server gave to this request.
pub fn engine() -> Result<Engine, AppError> {
    use_context::<Engine>().ok_or_else(|| Failure::new(FailureCode::Internal, "the engine is not running").into())
}

/// Hands the result on, and answers the request with the failure's status where that is the whole answer. A page that
/// only lacks one of its parts stays a page with status 200.
pub fn respond<T>(result: Result<T, Failure>) -> Result<T, AppError> {
    result.map_err(|failure| {
        if is_call() || concerns_the_page(failure.code) {
            set_status(failure.code);
        }
        failure.into()
    })
}

/// The same for a part of a page, which stays a page without it.
pub fn respond_in_part<T>(result: Result<T, Failure>) -> Result<T, AppError> {
    if is_call() { respond(result) } else { result.map_err(AppError::from) }
}

/// The same, with nothing for what is not there yet.
pub fn respond_or_empty<T: Default>(result: Result<T, Failure>) -> Result<T, AppError> {
    match result {
        Err(failure) if failure.code == FailureCode::NotReady => Ok(T::default()),
        Ok(_) | Err(_) => respond(result),
    }
}

/// Whether the page that is made of a batch shows nothing of its results: it runs.
pub fn is_left_out(batch: &Batch) -> bool {
    !is_call() && !batch.status.is_final()
}

/// Whether the browser calls the function by itself, rather than the server while it renders a page.
fn is_call() -> bool {
    use_context::<Parts>().is_some_and(|parts| parts.uri.path().starts_with(PREFIX))
}

fn concerns_the_page(code: FailureCode) -> bool {
    code == FailureCode::NotFound || code.kind() == FailureKind::System
}
