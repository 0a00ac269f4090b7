//! The text of documents that failed on the way: what was read before is kept beside the originals and shown, not
//! analysed. It is no row, for a failed document has no result; it goes with its batch.

use sheaf_domain::{BatchId, DocumentId};
use sheaf_parsing::Part;

use crate::Engine;
use crate::blobs::{BlobError, DerivedName};

/// Keeps the text that was read before a document failed, if there is any. That it cannot be kept is logged only: the
/// document's own failure is what counts.
pub async fn keep(engine: &Engine, batch: BatchId, document: DocumentId, part: &Part) {
    let text = part.text();
    if text.is_empty() {
        return;
    }
    let kept = async { engine.blobs().put_derived(&name(batch, document)?, text.into()).await };
    if let Err(error) = kept.await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(%document, error, "the text that was read before the document failed could not be kept");
    }
}

/// That text; absent when there is none.
pub async fn read(engine: &Engine, batch: BatchId, document: DocumentId) -> Option<String> {
    let bytes = engine.blobs().read_derived(&name(batch, document).ok()?).await.ok()?;
    String::from_utf8(bytes.into()).ok()
}

fn name(batch: BatchId, document: DocumentId) -> Result<DerivedName, BlobError> {
    DerivedName::new(batch, &format!("{document}-partial.txt"))
}
