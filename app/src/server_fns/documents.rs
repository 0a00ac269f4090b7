//! Reading documents: a page of the table, and one document.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, DocumentRow, DocumentView, Page};

#[cfg(feature = "ssr")]
use super::front_door::{engine, respond};
use crate::errors::AppError;
use crate::wire::Json;

/// A page of the documents of a batch.
#[server(prefix = "/rpc", endpoint = "documents", input = GetUrl, output = Json)]
pub async fn list_documents(batch: BatchId, query: DocumentQuery) -> Result<Page<DocumentRow>, AppError> {
    respond(engine()?.documents(batch, &query).await)
}

/// One document with its text and its neighbours.
#[server(prefix = "/rpc", endpoint = "document", input = GetUrl, output = Json)]
pub async fn show_document(batch: BatchId, document: DocumentId) -> Result<DocumentView, AppError> {
    respond(engine()?.document(batch, document).await)
}
