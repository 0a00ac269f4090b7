//! A failure as an HTTP answer: `{code, message, hint}` with the status of its code.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use sheaf_domain::{Failure, FailureCode};

/// Seconds after which to try again what is only busy.
const RETRY_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// The error of every handler.
#[derive(Debug)]
pub struct HttpFailure(pub Failure);

impl HttpFailure {
    /// There is no such thing; `message` names it.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self(Failure::new(FailureCode::NotFound, message))
    }

    /// The request cannot be understood; `message` says where.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self(Failure::new(FailureCode::InvalidRequest, message))
    }
}

impl From<Failure> for HttpFailure {
    fn from(failure: Failure) -> Self {
        Self(failure)
    }
}

/// The status of a failure's answer.
pub fn status(code: FailureCode) -> StatusCode {
    StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for HttpFailure {
    fn into_response(self) -> Response {
        let status = status(self.0.code);
        let mut response = (status, Json(&self.0)).into_response();
        response.extensions_mut().insert(self.0);
        if matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
            response.headers_mut().insert(RETRY_AFTER, RETRY_SECONDS);
        }
        response
    }
}
