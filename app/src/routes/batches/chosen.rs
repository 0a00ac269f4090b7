//! Documents of a batch that an address names, one by one or by the filters of the batch's page.

use leptos_router::params::ParamsMap;
use sheaf_domain::{Batch, BatchId, DocumentQuery, DocumentRow, Page};

use crate::errors::AppError;
use crate::filters::Filters;
use crate::server_fns::front_door::{engine, respond};

/// Documents that are named on the page.
const NAMED: u32 = 20;

/// What was chosen.
pub struct Chosen {
    pub batch: Batch,
    /// The question that finds them.
    pub which: DocumentQuery,
    /// The first ones.
    pub documents: Page<DocumentRow>,
    /// Hidden fields that name all of them.
    pub fields: Vec<(String, String)>,
}

/// Reads `documents`, ids that have commas between them, or the filters of the batch's page.
pub async fn chosen(batch: Option<BatchId>, query: &ParamsMap) -> Result<Chosen, AppError> {
    let Some(id) = batch else { return Err(AppError::not_found("batch")) };
    let engine = engine()?;
    let ids = query.get("documents").unwrap_or_default();
    let filters = Filters { page: 0, ..Filters::read(query) };
    let mut which = DocumentQuery { limit: NAMED, ..filters.document_query() };
    which.documents = ids
        .split(',')
        .filter(|id| !id.is_empty())
        .map(|id| id.parse().map_err(|_| AppError::not_found("document")))
        .collect::<Result<_, _>>()?;
    let batch = respond(engine.batch(id).await)?;
    let documents = respond(engine.documents(id, &which).await)?;
    let fields = match which.documents.is_empty() {
        false => vec![("all", ids)],
        true => filters.pairs().into_iter().chain([("matching", "1".to_owned())]).collect::<Vec<_>>(),
    };
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(Chosen { batch, which, documents, fields })
}
