//! The form that begins a run, with what the run would take.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::Estimated;
use sheaf_domain::{BatchQuery, DocumentId, DocumentQuery, Failure, LibraryQuery, Page, Status};
use sheaf_engine::Engine;

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::run::begin::{Begin, Chip, Offer};
use crate::components::run::picker::Library;
use crate::draft::RunDraft;
use crate::errors::AppError;
use crate::run_form::{Act, Pick, RunForm};
use crate::server_fns::front_door::{engine, respond};

/// Batches that are offered.
const OFFERED: u32 = 200;

/// `/runs/new?flow=&batch=`, with the filters of a batch's page, or `&document=`.
#[component]
pub fn NewRunPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let sent = use_context::<RunDraft>();
    let read = async move {
        let engine = engine()?;
        let draft = sent.unwrap_or_else(|| RunDraft { form: RunForm::of_address(&query), failure: None });
        offer(&engine, draft).await
    };
    view! {
        <Title text="New run" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(offer) => Either::Left(view! { <Begin offer /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

async fn offer(engine: &Engine, draft: RunDraft) -> Result<Offer, AppError> {
    let flows = respond(engine.flows().await)?;
    let mut form = draft.form;
    form.flow = form.flow.or_else(|| flows.first().map(|flow| flow.id));
    let query = BatchQuery { limit: OFFERED, ..BatchQuery::default() };
    let Page { items: batches, next_cursor, .. } = respond(engine.batches(&query).await)?;
    let chips = chips(engine, &form).await?;
    let is_asked = !form.picks.is_empty() && form.act != Act::Find;
    let spec = flows.iter().find(|flow| Some(flow.id) == form.flow).map(|flow| &flow.spec);
    let estimate: Option<Result<Estimated, Failure>> = match spec {
        Some(spec) if is_asked => Some(engine.estimate_run(spec, &form.documents()).await),
        Some(_) | None => None,
    };
    let asks = spec.is_some_and(sheaf_domain::flow::FlowSpec::asks);
    let library = match form.is_finding || form.within.is_some() {
        true => Some(library(engine, &form).await?),
        false => None,
    };
    Ok(Offer {
        flows,
        batches,
        has_older: next_cursor.is_some(),
        chips,
        estimate,
        library,
        failure: draft.failure,
        model_missing: asks && !engine.has_model(),
        prices: engine.model_prices().cloned(),
        form,
    })
}

/// The choices with their names, and how many documents each stands for.
async fn chips(engine: &Engine, form: &RunForm) -> Result<Vec<Chip>, AppError> {
    let documents: Vec<DocumentId> = form
        .picks
        .iter()
        .filter_map(|pick| match pick {
            Pick::Document(document) => Some(*document),
            Pick::Batch(_) | Pick::Part(..) => None,
        })
        .collect();
    let named = respond(engine.named(&documents).await)?;
    let mut chips = Vec::new();
    for pick in &form.picks {
        let (label, documents) = match pick {
            Pick::Document(document) => {
                let known = named.iter().find(|(_, id, _)| id == document);
                (
                    known.map_or_else(
                        || "a document that is not there any more".to_owned(),
                        |(_, _, path)| path.clone(),
                    ),
                    1,
                )
            }
            Pick::Batch(batch) => {
                let batch = respond(engine.batch(*batch).await)?;
                (format!("All of {}", batch.name), batch.counts.completed)
            }
            Pick::Part(batch, filters) => {
                let name = respond(engine.batch(*batch).await)?.name;
                let filter =
                    DocumentQuery { status: Some(Status::Completed), offset: 0, limit: 1, ..filters.document_query() };
                let total = respond(engine.documents(*batch, &filter).await)?.total;
                let by = filters.pairs().into_iter().map(|(key, value)| match key {
                    "q" => format!("\u{201c}{value}\u{201d}"),
                    key => format!("{key} {value}"),
                });
                (format!("{name}: {}", by.collect::<Vec<_>>().join(", ")), total)
            }
        };
        chips.push(Chip { pick: pick.clone(), label, documents });
    }
    Ok(chips)
}

async fn library(engine: &Engine, form: &RunForm) -> Result<Library, AppError> {
    let filter = DocumentQuery { status: Some(Status::Completed), ..form.filters.document_query() };
    let page = respond(engine.library(&LibraryQuery { batch: form.within, filter }).await)?;
    let clusters = match form.within {
        Some(batch) => respond(engine.clusters(batch).await)?,
        None => Vec::new(),
    };
    Ok(Library { page, clusters })
}
