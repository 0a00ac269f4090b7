//! Reading documents: a page of the table.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{BatchId, DocumentQuery, DocumentRow, Page};

#[cfg(feature = "ssr")]
use super::front_door::{engine, respond};
use crate::errors::AppError;
use crate::wire::Json;

/// A page of the documents of a batch.
#[server(prefix = "/rpc", endpoint = "documents", input = GetUrl, output = Json)]
pub async fn list_documents(batch: BatchId, query: DocumentQuery) -> Result<Page<DocumentRow>, AppError> {
    respond(engine()?.documents(batch, &query).await)
}
