//! Files that leave as they are read. Originals and texts are hostile: always an attachment, never something to show.

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use serde::Deserialize;
use sheaf_domain::{ExportFormat, ExportSubject};
use sheaf_engine::{Engine, Export};

use super::api::{Filter, View, batch_id, document_id, page_number};
use super::failure::HttpFailure;

/// Pixels that a picture is wide when nothing was said.
const PICTURE_WIDTH: u32 = 1000;

#[derive(Deserialize)]
pub struct Wanted {
    subject: Option<String>,
    format: Option<String>,
    #[serde(flatten)]
    filter: Filter,
}

pub async fn export(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, HttpFailure> {
    let subject: ExportSubject = wanted
        .subject
        .as_deref()
        .unwrap_or("documents")
        .parse()
        .map_err(|error| HttpFailure::invalid(format!("`subject`: {error}")))?;
    let format: ExportFormat = wanted
        .format
        .as_deref()
        .unwrap_or("csv")
        .parse()
        .map_err(|error| HttpFailure::invalid(format!("`format`: {error}")))?;
    let export = engine.export(batch_id(&id)?, subject, format, &wanted.filter.query()?).await?;
    Ok(answer(export))
}

/// The similarities of the documents that are looked at.
pub async fn similarity_csv(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(view): Query<View>,
) -> Result<Response, HttpFailure> {
    Ok(answer(engine.export_similarity(batch_id(&id)?, &view.view()?).await?))
}

/// The cells of their heatmap.
pub async fn similarity_blocks_csv(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(view): Query<View>,
) -> Result<Response, HttpFailure> {
    Ok(answer(engine.export_blocks(batch_id(&id)?, &view.view()?).await?))
}

/// The heatmap of the documents that are looked at.
pub async fn similarity_png(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(view): Query<View>,
) -> Result<Response, HttpFailure> {
    let cells = view.cells()?;
    let picture = engine.heatmap_png(batch_id(&id)?, &view.view()?, cells).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("image/png")),
        (CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"similarity.png\"")),
    ];
    Ok((headers, picture).into_response())
}

/// A download as a response.
pub fn answer(export: Export) -> Response {
    let disposition = attachment(&export.file_name);
    let media_type = HeaderValue::from_static(export.media_type);
    let body = Body::from_stream(export.into_stream());
    ([(CONTENT_TYPE, media_type), (CONTENT_DISPOSITION, disposition)], body).into_response()
}

pub async fn original(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Result<Response, HttpFailure> {
    let original = engine.original(batch_id(&id)?, document_id(&document)?).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
        (CONTENT_LENGTH, HeaderValue::from(original.bytes())),
        (CONTENT_DISPOSITION, attachment(&original.path)),
    ];
    Ok((headers, Body::from_stream(original.into_stream())).into_response())
}

pub async fn text(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Result<Response, HttpFailure> {
    let (path, text) = engine.text(batch_id(&id)?, document_id(&document)?).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8")),
        (CONTENT_DISPOSITION, attachment(&format!("{path}.txt"))),
    ];
    Ok((headers, text).into_response())
}

/// What a picture is asked for.
#[derive(Deserialize)]
pub struct Size {
    width: Option<String>,
}

/// Pictures of pages are made of pixels that the parser drew: safe to show.
pub async fn picture(
    State(engine): State<Engine>,
    Path((id, document, page)): Path<(String, String, String)>,
    Query(size): Query<Size>,
) -> Result<Response, HttpFailure> {
    let width = match size.width.as_deref() {
        None | Some("") => PICTURE_WIDTH,
        Some(width) => width.parse().map_err(|_| HttpFailure::invalid(format!("`width`: `{width}` is no number")))?,
    };
    let picture = engine.picture(batch_id(&id)?, document_id(&document)?, page_number(&page)?, width).await?;
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("image/webp")),
        // The bytes of a document never change.
        (CACHE_CONTROL, HeaderValue::from_static("private, max-age=86400")),
    ];
    Ok((headers, picture).into_response())
}

/// `Content-Disposition` for the last part of a path: an ASCII name for all, the true one as RFC 8187 has it.
pub fn attachment(path: &str) -> HeaderValue {
    let name = path.rsplit('/').next().unwrap_or(path);
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_ ()".contains(c) { c } else { '_' }).collect();
    let mut encoded = String::new();
    for byte in name.bytes() {
        // The characters that RFC 8187 calls attr-char.
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}"))
        .unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_break_out_of_the_header() {
        let check = |path: &str, expect: &str| assert_eq!(attachment(path), expect, "{path:?}");
        check("a/report.pdf", "attachment; filename=\"report.pdf\"; filename*=UTF-8''report.pdf");
        check("x\"; y=\r\nz", "attachment; filename=\"x__ y___z\"; filename*=UTF-8''x%22%3B%20y%3D%0D%0Az");
        check("日.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%E6%97%A5.txt");
    }
}
