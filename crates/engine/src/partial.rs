//! The text of documents that failed on the way: what was read before is kept beside the originals and shown, not
//! analysed. It is no row, for a failed document has no result; it goes with its batch.

use std::sync::Arc;

use sheaf_domain::{BatchId, DocumentId};
use sheaf_parsing::Part;
use tokio::task::spawn_blocking;

use crate::Engine;

/// Keeps the text that was read before a document failed, if there is any. That it cannot be kept is logged only: the
/// document's own failure is what counts.
pub async fn keep(engine: &Engine, batch: BatchId, document: DocumentId, part: &Part) {
    let text = part.text();
    if text.is_empty() {
        return;
    }
    let blobs = Arc::clone(engine.blobs());
    let kept = spawn_blocking(move || blobs.put_derived(&name(batch, document), text.as_bytes())).await;
    if !matches!(kept, Ok(Ok(()))) {
        tracing::warn!(%document, "the text that was read before the document failed could not be kept");
    }
}

/// That text; absent when there is none.
pub async fn read(engine: &Engine, batch: BatchId, document: DocumentId) -> Option<String> {
    let blobs = Arc::clone(engine.blobs());
    let bytes = spawn_blocking(move || blobs.read_derived(&name(batch, document))).await.ok()?.ok()?;
    String::from_utf8(bytes).ok()
}

/// Begins with the batch, whose files go together.
fn name(batch: BatchId, document: DocumentId) -> String {
    format!("{batch}-{document}-partial.txt")
}
