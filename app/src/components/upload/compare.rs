//! Which of the chosen files a batch has already: by path and size the server is asked, by content it is decided here.

use std::collections::HashMap;

use js_sys::Uint8Array;
use sha2::{Digest, Sha256};
use sheaf_domain::{BatchId, Failure, UploadFile};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

use super::call::{Body, read};
use super::pile::Picked;
use super::send::Course;

/// Paths that are asked about at a time.
const PATHS: usize = 500;

/// Bytes of a file that are in memory at a time.
const SLICE: u64 = 1 << 20;

/// The files that the batch does not have; `on_progress` gets how many were looked at.
///
/// # Errors
/// When the server refuses the question, or the line was cut.
pub async fn missing(
    course: &Course,
    batch: BatchId,
    files: Vec<Picked>,
    on_progress: impl Fn(u64),
) -> Result<Vec<Picked>, Failure> {
    let url = format!("/api/batches/{batch}/known");
    let mut missing = Vec::new();
    let mut looked_at = 0;
    for some in files.chunks(PATHS) {
        let paths: Vec<&str> = some.iter().map(|picked| picked.path.as_str()).collect();
        let question = serde_json::to_string(&paths).unwrap_or_default();
        let known: Vec<UploadFile> = read(&course.ask("POST", &url, || Body::Json(question.clone())).await?)?;
        let mut hashes: HashMap<(&str, u64), Vec<&str>> = HashMap::new();
        for file in &known {
            hashes.entry((file.path.as_str(), file.bytes)).or_default().push(&file.sha256);
        }
        for picked in some {
            course.check()?;
            let is_known = match hashes.get(&(picked.path.as_str(), picked.bytes)) {
                Some(hashes) => sha256(&picked.file).await.is_some_and(|own| hashes.contains(&own.as_str())),
                None => false,
            };
            if !is_known {
                missing.push(picked.clone());
            }
            looked_at += 1;
            on_progress(looked_at);
        }
    }
    Ok(missing)
}

/// Lower-case hex, computed slice by slice: `crypto.subtle` would want the whole file in memory. Absent for a file that cannot
/// be read; sending it will say so.
async fn sha256(file: &File) -> Option<String> {
    let mut hasher = Sha256::new();
    let size = file.size();
    let mut start = 0.0;
    while start < size {
        let end = size.min(start + SLICE as f64);
        let slice = file.slice_with_f64_and_f64(start, end).ok()?;
        let bytes = JsFuture::from(slice.array_buffer()).await.ok()?;
        hasher.update(Uint8Array::new(&bytes).to_vec());
        start = end;
    }
    Some(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Whether the browser can still read it: not when it was moved, deleted or changed since it was chosen.
pub async fn is_readable(file: &File) -> bool {
    match file.slice_with_f64_and_f64(0.0, 1.0) {
        Ok(slice) => JsFuture::from(slice.array_buffer()).await.is_ok(),
        Err(_) => false,
    }
}
