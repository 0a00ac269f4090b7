//! Uploads that break off and go on: they begin, are asked what has arrived, and end.

use serde::Serialize;
use sheaf_domain::{Batch, BatchId, Failure, FailureCode, Page, Upload, UploadFile, UploadId};
use sheaf_store::NewUpload;
use uuid::Uuid;

use super::{BatchRequest, clean_path};
use crate::Engine;

/// The most paths that can be asked about at a time.
pub const KNOWN_PATHS: usize = 1000;

/// The most files on a page of what has arrived, and how many when nothing was said.
const ARRIVED: u32 = 1000;

/// An upload and a page of the files that arrived, in the order of their paths.
#[derive(Debug, Serialize)]
pub struct ArrivedFiles {
    /// In JSON its fields stand beside the others, and so do those of the page.
    #[serde(flatten)]
    pub upload: Upload,
    #[serde(flatten)]
    pub page: Page<UploadFile>,
}

/// Files and bytes that a sender means to send.
#[derive(Clone, Copy, Debug, Default)]
pub struct Announced {
    pub files: u64,
    pub bytes: u64,
}

impl Engine {
    /// Begins an upload that makes a batch.
    ///
    /// # Errors
    /// `invalid_request` when a parameter is out of bounds, `too_large` when more is announced than a batch holds, `storage`.
    pub async fn begin_upload(&self, new: BatchRequest, announced: Announced) -> Result<Upload, Failure> {
        let new = new.check()?;
        let upload = self.new_upload(new.id, announced)?;
        self.store().begin_upload(&upload, Some(&new)).await?;
        self.upload(upload.id).await
    }

    /// Begins an upload that adds to a batch. The batch changes with the first file that arrives.
    ///
    /// # Errors
    /// `not_found`; `not_ready` when the batch is itself still being sent in one piece; `too_large`; `storage`.
    pub async fn begin_upload_to(&self, batch: BatchId, announced: Announced) -> Result<Upload, Failure> {
        self.batch(batch).await?;
        let upload = self.new_upload(batch, announced)?;
        if !self.store().begin_upload(&upload, None).await? {
            return Err(still_sent(batch));
        }
        self.upload(upload.id).await
    }

    fn new_upload(&self, batch: BatchId, announced: Announced) -> Result<NewUpload, Failure> {
        let Announced { files, bytes } = announced;
        let limit = self.config().intake.bytes;
        if bytes > limit {
            return Err(super::too_many_bytes(limit));
        }
        Ok(NewUpload { id: UploadId(Uuid::now_v7()), batch, files, bytes })
    }

    /// # Errors
    /// `not_found` also when it is finished; `storage`.
    pub async fn upload(&self, upload: UploadId) -> Result<Upload, Failure> {
        self.store().upload(upload).await?.ok_or_else(|| no_upload(upload))
    }

    /// The uploads of a batch that are not finished, the latest first.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn uploads(&self, batch: BatchId) -> Result<Vec<Upload>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().uploads(batch).await?)
    }

    /// What has arrived, from `offset` on; with a `limit` of 0 as many as a page holds.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn arrived(&self, upload: UploadId, offset: u32, limit: u32) -> Result<ArrivedFiles, Failure> {
        let upload = self.upload(upload).await?;
        let limit = if limit == 0 { ARRIVED } else { limit.min(ARRIVED) };
        let items = self.store().arrived(upload.id, offset, limit).await?;
        let next = u64::from(offset) + items.len() as u64;
        let next_cursor = (!items.is_empty() && next < upload.arrived_files).then(|| next.to_string());
        Ok(ArrivedFiles { page: Page { items, total: upload.arrived_files, next_cursor }, upload })
    }

    /// What a batch has of these paths already: documents that did not fail, and files of uploads that are not finished. Who
    /// has the same bytes need not send them.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` for more than [`KNOWN_PATHS`]; `storage`.
    pub async fn known_files(&self, batch: BatchId, paths: &[String]) -> Result<Vec<UploadFile>, Failure> {
        if paths.len() > KNOWN_PATHS {
            let message = format!("{} paths were asked about; at most {KNOWN_PATHS} can be at a time", paths.len());
            return Err(Failure::new(FailureCode::InvalidRequest, message));
        }
        self.batch(batch).await?;
        let paths: Vec<String> = paths.iter().map(|path| clean_path(path)).collect();
        Ok(self.store().known_files(batch, &paths).await?)
    }

    /// Ends an upload with what has arrived; its batch is analysed when all of that is done.
    ///
    /// # Errors
    /// `invalid_request` when it should make a batch and nothing has arrived; `not_found`; `storage`.
    pub async fn finish_upload(&self, upload: UploadId) -> Result<Batch, Failure> {
        let found = self.upload(upload).await?;
        if found.makes_batch && found.arrived_files == 0 {
            return Err(Failure::new(FailureCode::InvalidRequest, "no file has arrived")
                .with_hint("Send at least one file, or remove the upload."));
        }
        if !self.store().finish_upload(upload).await? {
            return Err(no_upload(upload));
        }
        self.wake();
        self.batch(found.batch).await
    }

    /// Takes an upload back: what it added goes, and the batch with it if it was made for it and holds nothing else.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn withdraw_upload(&self, upload: UploadId) -> Result<(), Failure> {
        let found = self.upload(upload).await?;
        let hashes = self.store().withdraw_upload(upload).await?.ok_or_else(|| no_upload(upload))?;
        if let Err(failure) = self.remove_bytes(hashes).await {
            tracing::warn!(%upload, code = %failure.code, "not all files of an upload could be removed; they are swept later");
        }
        self.wake();
        let rest = self.store().batch(found.batch).await?;
        if found.makes_batch && rest.is_some_and(|batch| batch.counts.total == 0) {
            self.delete_batch(found.batch).await?;
        }
        Ok(())
    }

    /// Ends uploads that nobody goes on with: what arrived is analysed, a batch into which nothing came goes.
    pub(crate) async fn end_idle_uploads(&self) -> Result<(), Failure> {
        let idle_ms = u64::try_from(self.config().intake.idle.as_millis()).unwrap_or(u64::MAX);
        for upload in self.store().idle_uploads(idle_ms).await? {
            let ended = match self.upload(upload).await {
                Ok(found) if found.makes_batch && found.arrived_files == 0 => self.withdraw_upload(upload).await,
                Ok(_) => self.finish_upload(upload).await.map(drop),
                Err(failure) => Err(failure),
            };
            match ended {
                Ok(()) => tracing::info!(%upload, "an upload that nobody went on with is ended with what has arrived"),
                // Another server, or its sender, was faster.
                Err(failure) if failure.code == FailureCode::NotFound => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(())
    }
}

pub fn no_upload(upload: UploadId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no upload `{upload}`"))
        .with_hint("It was finished or stopped, or its batch was deleted. Begin a new one.")
}

/// Why a batch takes nothing more now.
pub fn still_sent(batch: BatchId) -> Failure {
    Failure::new(FailureCode::NotReady, format!("batch `{batch}` is itself still being sent, or is gone"))
        .with_hint("Wait until it is there as a whole, then add to it.")
}
