//! Files that become durable and listed together: blobs first, rows second.

use std::sync::Arc;

use sheaf_domain::{BatchId, DocumentId, Failure, Received, UploadFile};
use sheaf_store::NewDocument;
use uuid::Uuid;

use super::{Arrival, Piece, uploads};
use crate::Engine;
use crate::blobs::Staged;

/// What one transaction lists.
pub struct Group {
    files: Vec<UploadFile>,
    documents: Vec<NewDocument>,
    /// What was refused on arrival has no bytes.
    staged: Arc<[Staged]>,
}

impl Group {
    pub fn new(files: Vec<UploadFile>, arrivals: Vec<Arrival>) -> Self {
        let mut documents = Vec::with_capacity(arrivals.len());
        let mut staged = Vec::with_capacity(arrivals.len());
        for Arrival { path, kind, content } in arrivals {
            let (sha256, bytes, failure) = match content {
                Ok(blob) => {
                    let (sha256, bytes) = (blob.sha256.clone(), blob.bytes);
                    staged.push(blob);
                    (sha256, bytes, None)
                }
                Err((failure, bytes)) => (String::new(), bytes, Some(failure)),
            };
            documents.push(NewDocument { id: DocumentId(Uuid::now_v7()), path, sha256, bytes, kind, failure });
        }
        Self { files, documents, staged: staged.into() }
    }

    /// Makes the files durable, then lists them.
    ///
    /// # Errors
    /// `storage`; `not_ready` or `not_found` when nothing may come into the batch any more. Then nothing of the group is listed.
    pub async fn keep(self, engine: Engine, batch: BatchId, piece: Piece) -> Result<Received, Failure> {
        let Self { files, documents, staged } = self;
        engine.blobs().keep(&staged).await?;
        let store = engine.store();
        let listed = match piece {
            Piece::Batch { .. } => Some(store.add_documents(batch, &documents).await?),
            Piece::Addition => store.extend_batch(batch, &documents).await?,
            Piece::File(upload) => store.arrive(upload, &files, &documents).await?,
        };
        let Some(added) = listed else {
            let hashes: Vec<String> = documents.into_iter().map(|document| document.sha256).collect();
            engine.remove_bytes(hashes).await?;
            return Err(match piece {
                Piece::File(upload) => uploads::no_upload(upload),
                Piece::Addition | Piece::Batch { .. } => uploads::still_sent(batch),
            });
        };
        // Once more: somebody may have removed the same bytes before these rows named them.
        engine.blobs().keep(&staged).await?;
        engine.wake();
        Ok(Received { files, added })
    }
}
