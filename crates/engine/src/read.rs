//! What pages and the API read. Results are rows; nothing is computed here.

use std::path::PathBuf;
use std::sync::Arc;

use sheaf_domain::{
    Batch, BatchId, BatchOverview, BatchQuery, Cluster, DocumentId, DocumentQuery, DocumentRow, DocumentView, Failure,
    FailureCode, Page, PageView, Problem, Status,
};
use tokio::sync::RwLockReadGuard;
use tokio::task::spawn_blocking;

use crate::{Engine, intake, internal, partial};

/// Characters of a document's text that its page shows; the whole is a download.
const SHOWN_TEXT: usize = 100_000;

impl Engine {
    /// Latest first.
    ///
    /// # Errors
    /// `storage`.
    pub async fn batches(&self, query: &BatchQuery) -> Result<Page<Batch>, Failure> {
        Ok(self.store().batches(query).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn batch(&self, batch: BatchId) -> Result<Batch, Failure> {
        self.store().batch(batch).await?.ok_or_else(|| no_batch(batch))
    }

    /// All that stands above the table on a batch's page.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn overview(&self, batch: BatchId) -> Result<BatchOverview, Failure> {
        let found = self.batch(batch).await?;
        let (summary, clusters, failures) = futures::try_join!(
            self.store().summary(batch),
            self.store().clusters(batch),
            self.store().failures(batch)
        )?;
        Ok(BatchOverview { batch: found, summary, clusters, failures })
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn clusters(&self, batch: BatchId) -> Result<Vec<Cluster>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().clusters(batch).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn documents(&self, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().documents(batch, query).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn document(&self, batch: BatchId, document: DocumentId) -> Result<DocumentView, Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, row) = found.ok_or_else(|| no_document(document))?;
        let neighbours = self.store().neighbours(batch, document).await?;
        let mut problems = stored.problems;
        let mut text = match self.store().text(batch, document).await? {
            Some(text) => text,
            None if row.status != Status::Failed => String::new(),
            None => {
                let partial = partial::read(self, batch, document).await;
                if partial.is_some() {
                    let message = "the text below ends before the page at which reading failed; it was not analysed";
                    problems.push(Problem { page: None, message: message.to_owned() });
                }
                partial.unwrap_or_default()
            }
        };
        let end = text.char_indices().nth(SHOWN_TEXT).map(|(at, _)| at);
        if let Some(end) = end {
            text.truncate(end);
        }
        Ok(DocumentView {
            batch,
            batch_name: stored.batch.name,
            row,
            metadata: stored.metadata,
            problems,
            recognised: stored.recognised,
            text,
            text_truncated: end.is_some(),
            neighbours,
        })
    }

    /// One page (from 1) of a document that was read: its text, and where words were recognised on it.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn page(&self, batch: BatchId, document: DocumentId, number: u32) -> Result<PageView, Failure> {
        let page = self.store().page(batch, document, number).await?;
        page.ok_or_else(|| {
            Failure::new(FailureCode::NotFound, format!("document `{document}` has no page {number}"))
                .with_hint("Its own page says how many it has.")
        })
    }

    /// A document's path and whole extracted text.
    ///
    /// # Errors
    /// `not_found` when there is no such document or it has no text, `storage`.
    pub async fn text(&self, batch: BatchId, document: DocumentId) -> Result<(String, String), Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, _) = found.ok_or_else(|| no_document(document))?;
        let text = match self.store().text(batch, document).await? {
            Some(text) => Some(text),
            None => partial::read(self, batch, document).await,
        };
        let text = text.ok_or_else(|| {
            Failure::new(FailureCode::NotFound, format!("document `{document}` has no text"))
                .with_hint("Its page says whether it was read, and if not, why.")
        })?;
        Ok((stored.document.path, text))
    }

    /// A document's path and the file with its original bytes, for reading only.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn original(&self, batch: BatchId, document: DocumentId) -> Result<(String, PathBuf), Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, _) = found.ok_or_else(|| no_document(document))?;
        let blobs = Arc::clone(self.blobs());
        let sha256 = stored.document.sha256;
        let file = spawn_blocking(move || blobs.file(&sha256)).await.map_err(internal)?;
        let file = file.map_err(|_| {
            Failure::new(FailureCode::NotFound, format!("the original of document `{document}` was not kept"))
                .with_hint("It was refused on arrival; its page says why.")
        })?;
        Ok((stored.document.path, file))
    }

    /// Removes a batch, its results, and the originals and pictures that no other batch has.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_batch(&self, batch: BatchId) -> Result<(), Failure> {
        let hashes = self.store().hashes(batch).await?;
        if !self.store().delete_batch(batch).await? {
            return Err(no_batch(batch));
        }
        self.announce_stop(batch);
        let blobs = Arc::clone(self.blobs());
        let removed = spawn_blocking(move || blobs.remove_derived(&format!("{batch}-"))).await.map_err(internal)?;
        removed.map_err(intake::storage)?;
        self.sweep_blobs(hashes).await
    }

    /// As long as this is held, bytes that were committed stay, though no row names them yet.
    pub(crate) async fn keep_blobs(&self) -> RwLockReadGuard<'_, ()> {
        self.0.sweeping.read().await
    }

    /// Removes those of these originals that no document has any more, and the pictures of their pages.
    pub(crate) async fn sweep_blobs(&self, hashes: Vec<String>) -> Result<(), Failure> {
        let _alone = self.0.sweeping.write().await;
        let free = self.store().unreferenced(&hashes).await?;
        let engine = self.clone();
        let removed = spawn_blocking(move || {
            engine.pictures().forget(&free);
            free.iter().filter(|sha256| !sha256.is_empty()).try_for_each(|sha256| engine.blobs().remove(sha256))
        });
        removed.await.map_err(internal)?.map_err(intake::storage)
    }
}

pub(crate) fn no_batch(batch: BatchId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no batch `{batch}`"))
}

pub(crate) fn no_document(document: DocumentId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no document `{document}` in this batch"))
        .with_hint("Go back to the batch; the document may belong to another one.")
}
