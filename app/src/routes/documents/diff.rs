//! The texts of two documents side by side. Which two is the URL; with one only, another is chosen here.

use leptos::either::EitherOf3;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::{
    BatchId, DiffQuery, DocumentId, DocumentQuery, DocumentView, Failure, FailureCode, Status, TextDiff,
};

use crate::boxed::Boxed;
use crate::components::diff::{ChooseOther, Compared, Other};
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::errors::AppError;
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// Documents that are offered.
const OFFERED: u32 = 30;

/// `/batches/{id}/diff?a=&b=&page=`, or `/batches/{id}/diff?a=&q=`
#[component]
pub fn DiffDocuments() -> impl IntoView {
    let batch = path_param::<BatchId>("id");
    let query = use_query_map();
    let asked = Memo::new(move |_| Asked::read(&query.read()));
    let shown = Resource::new_blocking(move || (batch.get(), asked.get()), read);
    view! {
        <Title text="Two texts" />
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match shown.await {
                    Ok(Shown::Diff { asked, diff }) => EitherOf3::A(view! { <Compared asked diff /> }),
                    Ok(Shown::Choice { first, search, others }) => {
                        EitherOf3::B(view! { <ChooseOther first=*first search others /> })
                    }
                    Err(error) => EitherOf3::C(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Transition>
    }
    .boxed()
}

/// What a URL asks for. All that cannot be understood is as if it were not there.
#[derive(Clone, PartialEq)]
enum Asked {
    Nothing,
    Other { first: DocumentId, search: Option<String> },
    Diff(DiffQuery),
}

impl Asked {
    fn read(params: &ParamsMap) -> Self {
        let id = |key: &str| params.get(key).and_then(|text| text.parse::<DocumentId>().ok());
        let page = params.get("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
        match (id("a"), id("b")) {
            (None, _) => Self::Nothing,
            (Some(first), None) => {
                Self::Other { first, search: params.get("q").filter(|search| !search.trim().is_empty()) }
            }
            (Some(a), Some(b)) => Self::Diff(DiffQuery {
                a,
                b,
                offset: (page - 1).saturating_mul(DiffQuery::DEFAULT_LIMIT),
                limit: DiffQuery::DEFAULT_LIMIT,
            }),
        }
    }
}

/// All that the page shows.
#[derive(Clone, serde::Serialize, serde::Deserialize)]
enum Shown {
    Diff { asked: DiffQuery, diff: TextDiff },
    Choice { first: Box<DocumentView>, search: Option<String>, others: Vec<Other> },
}

async fn read((batch, asked): (Option<BatchId>, Asked)) -> Result<Shown, AppError> {
    let batch = batch.ok_or_else(|| AppError::not_found("batch"))?;
    match asked {
        Asked::Nothing => Err(Failure::new(FailureCode::InvalidRequest, "Two documents are needed for a comparison.")
            .with_hint("Open a document and choose one to compare its text with.")
            .into()),
        Asked::Diff(asked) => Ok(Shown::Diff { asked, diff: respond(engine()?.diff(batch, &asked).await)? }),
        Asked::Other { first, search } => {
            let first = respond(engine()?.document(batch, first).await)?;
            let others = match &search {
                None => first.neighbours.iter().map(|n| Other { id: n.id, path: n.path.clone() }).collect(),
                Some(_) => {
                    let query = DocumentQuery {
                        search: search.clone(),
                        status: Some(Status::Completed),
                        limit: OFFERED,
                        ..DocumentQuery::default()
                    };
                    let found = respond(engine()?.documents(batch, &query).await)?.items.into_iter();
                    let others = found.filter(|row| row.id != first.row.id);
                    others.map(|row| Other { id: row.id, path: row.path }).collect()
                }
            };
            Ok(Shown::Choice { first: Box::new(first), search, others })
        }
    }
}
