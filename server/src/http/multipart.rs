//! The parts of a multipart body, as they come.

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError, MultipartRejection};
use futures::Stream;
use http::StatusCode;
use sheaf_domain::{Failure, FailureCode};
use sheaf_engine::Intake;

use super::failure::HttpFailure;

/// The longest value of a field that is no file, in bytes.
const VALUE_BYTES: usize = 4096;

/// The body, or how to send one.
pub fn opened(body: Result<Multipart, MultipartRejection>) -> Result<Multipart, HttpFailure> {
    body.map_err(|error| {
        HttpFailure(Failure::new(FailureCode::InvalidRequest, error.body_text()).with_hint(
            "Send the files as multipart/form-data, for example: curl -F name=Letters -F files=@a.pdf -F files=@b.zip",
        ))
    })
}

/// A part.
pub enum Part<'a> {
    /// A file with the path that its sender gave.
    File(String, Box<Field<'a>>),
    /// What browsers send for a chooser in which nothing was chosen.
    NothingChosen,
    /// A field with its value.
    Value(String, String),
}

/// The next part, until there is none.
pub async fn next(body: &mut Multipart) -> Result<Option<Part<'_>>, HttpFailure> {
    let Some(field) = body.next_field().await.map_err(broken)? else { return Ok(None) };
    let name = field.name().unwrap_or_default().to_owned();
    if name != "files" {
        let value = value(field).await?;
        return Ok(Some(Part::Value(name, value)));
    }
    let path = field.file_name().unwrap_or_default().to_owned();
    Ok(Some(if path.is_empty() { Part::NothingChosen } else { Part::File(path, Box::new(field)) }))
}

async fn value(mut field: Field<'_>) -> Result<String, HttpFailure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(broken)? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > VALUE_BYTES {
            return Err(HttpFailure::invalid(format!("a value is longer than {VALUE_BYTES} bytes")));
        }
    }
    String::from_utf8(bytes).map_err(|_| HttpFailure::invalid("a value is not UTF-8"))
}

/// Stores one file. A body beyond the limit ends in the middle of a file; that is told apart from a lost connection.
pub async fn add(intake: &mut Intake, path: &str, mut field: Box<Field<'_>>, limit: u64) -> Result<(), HttpFailure> {
    let mut too_large = false;
    let added = {
        let chunks = futures::stream::poll_fn(|cx| {
            let polled: std::task::Poll<Option<Result<Bytes, MultipartError>>> =
                Stream::poll_next(std::pin::Pin::new(&mut *field), cx);
            if let std::task::Poll::Ready(Some(Err(error))) = &polled {
                too_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
            }
            polled
        });
        intake.add(path, chunks).await
    };
    added.map_err(|failure| HttpFailure(if too_large { exceeds(limit) } else { failure }))
}

fn broken(error: MultipartError) -> HttpFailure {
    let code = if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        FailureCode::TooLarge
    } else {
        FailureCode::InvalidRequest
    };
    HttpFailure(Failure::new(code, error.body_text()))
}

fn exceeds(limit: u64) -> Failure {
    Failure::new(FailureCode::TooLarge, format!("an upload takes at most {} MiB", limit >> 20))
}
