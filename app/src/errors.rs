//! The error of every server function: the same `{code, message, hint}` that the API gives.

use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};
use sheaf_domain::{Failure, FailureCode};

use crate::wire::Text;

/// A [`Failure`] on its way from a server function to a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AppError(pub Failure);

impl AppError {
    /// There is no such thing. `what` names it in plain words.
    pub fn not_found(what: &str) -> Self {
        Self(Failure::new(FailureCode::NotFound, format!("There is no such {what}.")))
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

impl FromServerFnError for AppError {
    type Encoder = Text;

    fn from_server_fn_error(value: ServerFnErrorErr) -> Self {
        match value {
            ServerFnErrorErr::Request(_) => Self(
                Failure::new(FailureCode::Internal, "Sheaf could not be reached.")
                    .with_hint("See whether it is still running, then reload this page."),
            ),
            ServerFnErrorErr::Args(detail) | ServerFnErrorErr::MissingArg(detail) => Self(Failure::new(
                FailureCode::InvalidRequest,
                format!("The request could not be understood: {detail}."),
            )),
            ServerFnErrorErr::Registration(_)
            | ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Response(_) => Self(
                Failure::new(FailureCode::Internal, "The answer of Sheaf could not be read.")
                    .with_hint("Reload this page; it may have been updated in the meantime."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_survives_the_wire() {
        let error = AppError(Failure::new(FailureCode::NotFound, "batch `7`").with_hint("Look again."));
        assert_eq!(AppError::de(error.ser()), error);
    }

    #[test]
    fn bytes_that_are_no_failure_become_one() {
        let error = AppError::de("<html>".into());
        assert_eq!(error.0.code, FailureCode::Internal);
    }
}
