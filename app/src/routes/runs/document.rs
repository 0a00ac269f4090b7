//! What a run found in one document, with the evidence boxed on the picture of its page.

use std::collections::HashMap;

use leptos::either::Either;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::flow::{Exchange, FlowRun, FlowSpec, RunDocument, RunValue};
use sheaf_domain::{DocumentId, DocumentKind, DocumentView, Page, PageBox, PageView, RunId, TextQuery};
use sheaf_engine::Engine;

use crate::boxed::Boxed;
use crate::components::failure::{FailurePage, FailureView};
use crate::components::pages::{ChosenPage, Of};
use crate::components::run::exchange::Exchanges;
use crate::components::run::filter::ValueFilter;
use crate::components::run::values::{Values, Whose};
use crate::components::status::StatusMark;
use crate::errors::AppError;
use crate::format::counted;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond, respond_in_part};

/// `/runs/:id/documents/:document?page=`, with the filters of values.
#[component]
pub fn ShowRunDocument() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    let document = path_param::<DocumentId>("document").get_untracked();
    let query = use_query_map().get_untracked();
    let filter = ValueFilter::read(|key| query.get(key));
    let page = query.get("page").and_then(|page| page.parse::<u32>().ok());
    let read = async move {
        let engine = engine()?;
        let (Some(id), Some(document)) = (id, document) else { return Err(AppError::not_found("document")) };
        let run = respond(engine.run(id).await)?;
        let of = respond(engine.run_document(id, document).await)?;
        let spec = respond(engine.flow(run.flow, Some(run.version)).await)?.spec;
        let values = respond(engine.run_values(id, &filter.query(Some(document), &spec)).await)?;
        let exchanges = respond(engine.exchanges(id, document).await)?;
        let looked = look(&engine, &of, &values, page).await;
        Ok::<_, AppError>(Shown { run, of, values, exchanges, spec, filter, looked })
    };
    view! {
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok(shown) => Either::Left(view! { <Whole shown /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
        <script type="module" src="/run-page.js" nonce=use_nonce()></script>
    }
    .boxed()
}

struct Shown {
    run: FlowRun,
    of: RunDocument,
    values: Page<RunValue>,
    exchanges: Vec<Exchange>,
    spec: FlowSpec,
    filter: ValueFilter,
    /// Absent when the document, or the text that was read, is not there any more.
    looked: Option<Looked>,
}

/// The page that is shown beside the values.
struct Looked {
    view: DocumentView,
    page: Option<Result<PageView, AppError>>,
    /// From and to, in bytes of its text, in order.
    quotes: Vec<(u32, u32)>,
    boxes: Vec<PageBox>,
    /// Pages on which values stand.
    pages: Vec<u32>,
}

/// The chosen page, or the first one on which something stands, with every quote on it boxed.
async fn look(engine: &Engine, of: &RunDocument, values: &Page<RunValue>, chosen: Option<u32>) -> Option<Looked> {
    if of.outdated {
        return None; // What stands there now is not what the quotes are from.
    }
    let view = engine.document(of.batch, of.document).await.ok()?;
    let mut pages: Vec<u32> = values.items.iter().filter_map(|value| value.found.page).collect();
    pages.sort_unstable();
    pages.dedup();
    // Without a place in the text it is judged by how the document begins.
    let number = chosen.or_else(|| pages.first().copied()).unwrap_or(1);
    let page = respond_in_part(engine.page(of.batch, of.document, number).await);
    if page.is_err() && chosen.is_none() {
        return Some(Looked { view, page: None, quotes: Vec::new(), boxes: Vec::new(), pages });
    }
    let mut ranges: Vec<(u32, u32)> = values
        .items
        .iter()
        .filter(|value| value.found.page == Some(number))
        .filter_map(|value| value.found.start.zip(value.found.end))
        .collect();
    ranges.sort_unstable();
    ranges.dedup();
    let mut boxes = Vec::new();
    if view.row.kind.is_some_and(DocumentKind::has_pictures) {
        for &(start, end) in ranges.iter().take(BOXED) {
            if let Ok(found) = engine.quote_boxes(of.batch, of.document, number, start..end).await {
                boxes.extend(found.boxes);
            }
        }
    }
    Some(Looked { view, page: Some(page), quotes: ranges, boxes, pages })
}

/// Quotes of a page that are boxed.
const BOXED: usize = 24;

#[component]
fn Whole(shown: Shown) -> impl IntoView {
    let Shown { run, of, values, exchanges, spec, filter, looked } = shown;
    let (id, document) = (run.id, of.document);
    let at = format!("/runs/{id}/documents/{document}");
    let said = match (of.left_out, of.status.is_final()) {
        (true, _) => "A step of the flow left it out.".to_owned(),
        (false, true) => counted(of.values.into(), "value", "values"),
        (false, false) => "It is not done yet.".to_owned(),
    };
    let has_values = of.values > 0;
    let since = match (of.deleted, of.outdated) {
        (true, _) => Some("The document was deleted since. What was found in it is kept."),
        (false, true) => {
            Some("The text of this document has changed since. What is shown was found in the earlier text.")
        }
        (false, false) => None,
    };
    let link = (!of.deleted).then(|| {
        view! {
            <a class="button quiet" href=format!("/batches/{}/documents/{document}", of.batch) rel="external">
                "The document"
            </a>
        }
    });
    let page = looked.map(|looked| view! { <Beside at=at.clone() looked /> });
    let (found, has_ended) = (of.values.into(), of.status.is_final());
    let whose = Whose { run: id, at: at.clone(), found, has_ended, has_documents: false, beginnings: HashMap::new() };
    view! {
        <Title text=of.path.clone() />
        <div class="page">
            <nav class="crumbs" aria-label="Where this is">
                <a href="/runs">"Runs"</a>
                <span aria-hidden="true">"/"</span>
                <a href=format!("/runs/{id}")>
                    <bdi>{run.name}</bdi>
                </a>
            </nav>
            <h1>
                <bdi>{of.path}</bdi>
            </h1>
            <p class="run-line">
                <StatusMark status=of.status />
                <span>{said}</span>
            </p>
            {since.map(|said| view! { <p data-testid="since">{said}</p> })}
            {of.failure.map(|failure| view! { <FailureView failure /> })}
            <p class="actions">
                {has_values
                    .then(|| {
                        view! {
                            <a class="button quiet" href=format!("/api{at}/export") download="" rel="external">
                                "Download its values"
                            </a>
                        }
                    })}
                {link}
            </p>
            <div data-part="values">
                <Values of=whose values filter spec />
            </div>
            {page}
            <Exchanges exchanges />
        </div>
    }
    .boxed()
}

#[component]
fn Beside(at: String, looked: Looked) -> impl IntoView {
    let Looked { view, page, quotes, boxes, pages } = looked;
    let of = Of::new(&view, None);
    let is_drawn = view.row.kind.is_some_and(DocumentKind::has_pictures);
    let link =
        |page: u32| view! { <a href=format!("{at}?page={page}#page") rel="external">{format!("Page {page}")}</a> };
    page.map(|page| {
        let tabs = (!pages.is_empty()).then(|| {
            view! {
                <nav class="run-tabs" aria-label="Pages with values">
                    {pages.into_iter().map(link).collect_view()}
                </nav>
            }
        });
        view! {
            {tabs}
            <ChosenPage of page is_drawn words=TextQuery::default() quotes boxes />
        }
    })
}
