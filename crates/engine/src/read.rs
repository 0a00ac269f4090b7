//! What pages and the API read. Results are rows; nothing is computed here.

use std::collections::HashSet;

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use sheaf_domain::{
    Batch, BatchId, BatchOverview, BatchQuery, BatchSummary, Cluster, DocumentId, DocumentQuery, DocumentRow,
    DocumentView, Failure, FailureCode, FailureCount, FamilySummary, Merge, Page, PageView, Problem, Status, at_level,
};

use crate::blobs::{BlobError, BlobFile, BlobStream};
use crate::{Engine, partial};

/// Characters of a document's text that its page shows; the whole is a download.
const SHOWN_TEXT: usize = 100_000;

/// Failed documents that are named for each reason; the table has them all.
const EXAMPLES: u32 = 5;

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
        let (summary, clusters, failures, families) = futures::try_join!(
            self.summary(&found),
            async { Ok(self.store().clusters(batch).await?) },
            async { Ok(self.store().failures(batch).await?) },
            async { Ok(self.store().family_summary(batch).await?) }
        )?;
        Ok(BatchOverview { batch: found, summary, clusters, failures, families })
    }

    /// A batch with the figures of its cards.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn figures(&self, batch: BatchId) -> Result<(Batch, BatchSummary, Option<FamilySummary>), Failure> {
        let found = self.batch(batch).await?;
        let summary = self.summary(&found).await?;
        let families = self.store().family_summary(batch).await?;
        Ok((found, summary, families))
    }

    /// The figures of the cards; those of a batch that runs are as they were a moment ago, but for the counts.
    ///
    /// # Errors
    /// `storage`.
    pub(crate) async fn summary(&self, batch: &Batch) -> Result<BatchSummary, Failure> {
        if batch.status.is_final() {
            return Ok(self.columns(batch.id).await?.summary(batch.counts));
        }
        let read = async { Ok(self.store().summary(batch.id).await?) };
        let summary = self.summaries().get(batch.id, read).await?;
        Ok(BatchSummary { counts: batch.counts, ..summary })
    }

    /// The first few documents of each reason for which documents of a batch failed, by path.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn failed_examples(
        &self,
        batch: BatchId,
        failures: &[FailureCount],
    ) -> Result<Vec<DocumentRow>, Failure> {
        // A reason may occur at several stages.
        let codes: HashSet<FailureCode> = failures.iter().map(|failure| failure.code).collect();
        let mut examples = Vec::new();
        for code in codes {
            let query = DocumentQuery { failure: Some(code), limit: EXAMPLES, ..DocumentQuery::default() };
            examples.extend(self.documents(batch, &query).await?.items);
        }
        Ok(examples)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn clusters(&self, batch: BatchId) -> Result<Vec<Cluster>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().clusters(batch).await?)
    }

    /// The groups that are there when only `level` are wanted, largest first, and how many clusters there are at the most.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn clusters_at(&self, batch: BatchId, level: u32) -> Result<(Vec<Cluster>, u32), Failure> {
        let clusters = self.clusters(batch).await?;
        let merges = self.store().merges(batch).await?;
        let most = u32::try_from(clusters.len()).unwrap_or(u32::MAX);
        Ok((at_level(&clusters, &merges, level as usize), most))
    }

    /// The whole hierarchy: how clusters join, the most similar first.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn merges(&self, batch: BatchId) -> Result<Vec<Merge>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().merges(batch).await?)
    }

    /// # Errors
    /// `not_found`, `storage`.
    pub async fn document(&self, batch: BatchId, document: DocumentId) -> Result<DocumentView, Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, row) = found.ok_or_else(|| no_document(document))?;
        let neighbours = self.store().neighbours(batch, document).await?;
        let family = match row.family {
            Some(place) => self.store().family(batch, place.id).await?,
            None => None,
        };
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
            family,
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

    /// A document's path and a local file with its original bytes.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub(crate) async fn original_file(
        &self,
        batch: BatchId,
        document: DocumentId,
    ) -> Result<(String, BlobFile), Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, _) = found.ok_or_else(|| no_document(document))?;
        let file = self.blobs().file(&stored.document.sha256).await.map_err(|error| gone(document, error))?;
        Ok((stored.document.path, file))
    }

    /// A document's original bytes.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn original(&self, batch: BatchId, document: DocumentId) -> Result<Original, Failure> {
        let found = self.store().document(batch, document).await?;
        let (stored, _) = found.ok_or_else(|| no_document(document))?;
        let blob = self.blobs().read(&stored.document.sha256).await.map_err(|error| gone(document, error))?;
        Ok(Original { path: stored.document.path, blob })
    }
}

/// A document as it was sent.
pub struct Original {
    pub path: String,
    blob: BlobStream,
}

impl Original {
    /// Size of the whole.
    pub const fn bytes(&self) -> u64 {
        self.blob.bytes
    }

    /// The bytes as they come. A failure in the middle cuts them off, so that they do not look complete.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
        self.blob.stream.map_err(Failure::from)
    }
}

/// Why a document's original cannot be had.
fn gone(document: DocumentId, error: BlobError) -> Failure {
    match error {
        BlobError::Name(_) => {
            Failure::new(FailureCode::NotFound, format!("the original of document `{document}` was not kept"))
                .with_hint("It was refused on arrival; its page says why.")
        }
        BlobError::Missing(_) => {
            Failure::new(FailureCode::NotFound, format!("the original of document `{document}` is missing")).with_hint(
                "An imported document has none. Others come back from a backup; `sheaf verify` lists what is missing.",
            )
        }
        error => error.into(),
    }
}

pub(crate) fn no_batch(batch: BatchId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no batch `{batch}`"))
}

pub(crate) fn no_document(document: DocumentId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no document `{document}` in this batch"))
        .with_hint("Go back to the batch; the document may belong to another one.")
}
