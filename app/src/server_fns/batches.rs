//! Reading batches: the list, one batch's page, its progress and its heatmap.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{Batch, BatchId, BatchQuery, CompareQuery, Comparison, HeatmapView, Page, Progress, Upload};

#[cfg(feature = "ssr")]
use super::front_door::{engine, is_left_out, respond, respond_in_part, respond_or_empty};
use crate::errors::AppError;
use crate::views::{BatchPage, HeatmapPicture};
#[cfg(feature = "ssr")]
use crate::views::{FailedDocument, FinishedBatch, GridPicture, RunningBatch};
use crate::wire::Json;

/// Where the server functions live, apart from the API for programs.
#[cfg(feature = "ssr")]
pub(super) const PREFIX: &str = "/rpc/";

/// The latest batches that match.
#[server(prefix = "/rpc", endpoint = "batches", input = GetUrl, output = Json)]
pub async fn list_batches(query: BatchQuery) -> Result<Page<Batch>, AppError> {
    respond(engine()?.batches(&query).await)
}

/// All that a batch's page needs before its table and heatmap, with its clusters joined to `level` groups; 0 leaves them as they are.
#[server(prefix = "/rpc", endpoint = "batch", input = GetUrl, output = Json)]
pub async fn show_batch(batch: BatchId, level: u32) -> Result<BatchPage, AppError> {
    let engine = engine()?;
    let mut overview = respond(engine.overview(batch).await)?;
    if overview.batch.status.is_final() {
        if level > 0 {
            (overview.clusters, _) = respond(engine.clusters_at(batch, level).await)?;
        }
        let rows = respond(engine.failed_examples(batch, &overview.failures).await)?;
        let failed = rows.into_iter().filter_map(FailedDocument::new).collect();
        let news = crate::cluster_words::news(respond(engine.cluster_edits(batch).await)?.report.as_ref());
        return Ok(BatchPage::Done(Box::new(FinishedBatch { overview, failed, news })));
    }
    let progress = respond(engine.progress(batch).await)?;
    let grid = respond(engine.progress_grid(batch, GridPicture::FIELDS).await)?.into();
    Ok(BatchPage::Running(Box::new(RunningBatch { batch: overview.batch, progress, grid })))
}

/// A batch that is only named on a page.
#[server(prefix = "/rpc", endpoint = "named", input = GetUrl, output = Json)]
pub async fn find_batch(batch: BatchId) -> Result<Batch, AppError> {
    respond_in_part(engine()?.batch(batch).await)
}

/// How far a batch is; asked every two seconds where it is not told.
#[server(prefix = "/rpc", endpoint = "progress", input = GetUrl, output = Json)]
pub async fn batch_progress(batch: BatchId) -> Result<Progress, AppError> {
    respond(engine()?.progress(batch).await)
}

/// The uploads to a batch that are not finished, the latest first.
#[server(prefix = "/rpc", endpoint = "uploads", input = GetUrl, output = Json)]
pub async fn batch_uploads(batch: BatchId) -> Result<Vec<Upload>, AppError> {
    respond(engine()?.uploads(batch).await)
}

/// The similarity picture of a batch or of a part of it; an empty one while the batch has not been analysed, and where the page of
/// one that runs is made.
#[server(prefix = "/rpc", endpoint = "heatmap", input = GetUrl, output = Json)]
pub async fn batch_heatmap(batch: BatchId, view: HeatmapView) -> Result<HeatmapPicture, AppError> {
    let engine = engine()?;
    if is_left_out(&respond(engine.batch(batch).await)?) {
        return Ok(HeatmapPicture::default());
    }
    respond_or_empty(engine.heatmap(batch, &view).await).map(HeatmapPicture::from)
}

/// Two batches side by side.
#[server(prefix = "/rpc", endpoint = "compare", input = GetUrl, output = Json)]
pub async fn compare_batches(query: CompareQuery) -> Result<Comparison, AppError> {
    respond(engine()?.compare(&query).await)
}
