//! Reading documents: a page of the table, and one document.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, DocumentRow, DocumentView, Page, PageView};

#[cfg(feature = "ssr")]
use super::front_door::{engine, respond, respond_in_part};
use crate::errors::AppError;
use crate::wire::Json;

/// A page of the documents of a batch.
#[server(prefix = "/rpc", endpoint = "documents", input = GetUrl, output = Json)]
pub async fn list_documents(batch: BatchId, query: DocumentQuery) -> Result<Page<DocumentRow>, AppError> {
    respond(engine()?.documents(batch, &query).await)
}

/// One page of a document, from 1.
#[server(prefix = "/rpc", endpoint = "page", input = GetUrl, output = Json)]
pub async fn show_page(batch: BatchId, document: DocumentId, number: u32) -> Result<PageView, AppError> {
    respond_in_part(engine()?.page(batch, document, number).await)
}

/// One document with its text and its neighbours.
#[server(prefix = "/rpc", endpoint = "document", input = GetUrl, output = Json)]
pub async fn show_document(batch: BatchId, document: DocumentId) -> Result<DocumentView, AppError> {
    respond(engine()?.document(batch, document).await)
}
