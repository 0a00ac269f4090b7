//! Steering batches: start again, rename; and what the live page shows besides the progress.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{Batch, BatchChange, BatchId, Restart};

#[cfg(feature = "ssr")]
use super::front_door::{engine, respond};
use crate::errors::AppError;
use crate::views::GridPicture;
use crate::wire::Json;

/// Works again on documents that failed or were cancelled; how many these are.
#[server(prefix = "/rpc", endpoint = "restart", input = Json, output = Json)]
pub async fn restart_batch(batch: BatchId, which: Restart) -> Result<u64, AppError> {
    respond(engine()?.restart(batch, &which).await)
}

/// Renames a batch or gives it another priority.
#[server(prefix = "/rpc", endpoint = "change", input = Json, output = Json)]
pub async fn change_batch(batch: BatchId, change: BatchChange) -> Result<Batch, AppError> {
    respond(engine()?.change_batch(batch, change).await)
}

/// The batch's documents by how far they are.
#[server(prefix = "/rpc", endpoint = "grid", input = GetUrl, output = Json)]
pub async fn progress_grid(batch: BatchId) -> Result<GridPicture, AppError> {
    respond(engine()?.progress_grid(batch, GridPicture::FIELDS).await).map(GridPicture::from)
}
