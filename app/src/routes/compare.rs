//! Two batches side by side. Which two, and what of them, is the URL.

use leptos::either::EitherOf3;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use sheaf_domain::{CompareQuery, Failure, FailureCode};

use crate::boxed::Boxed;
use crate::components::compare::Compared;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::server_fns::batches::compare_batches;

/// `/compare?a=ID&b=ID`
#[component]
pub fn CompareBatches() -> impl IntoView {
    let query = use_query_map();
    let asked = Memo::new(move |_| read(&query.read()));
    let comparison = Resource::new_blocking(
        move || asked.get(),
        |asked| async move {
            match asked {
                Some(asked) => Some(compare_batches(asked.clone()).await.map(|comparison| (asked, comparison))),
                None => None,
            }
        },
    );
    view! {
        <Title text="Two batches" />
        <Transition fallback=|| {
            view! { <Skeleton rows=12 /> }
        }>
            {move || Suspend::new(async move {
                match comparison.await {
                    Some(Ok((asked, comparison))) => EitherOf3::A(view! { <Compared asked comparison /> }),
                    Some(Err(error)) => EitherOf3::B(view! { <FailurePage failure=error.0 /> }),
                    None => {
                        let failure = Failure::new(FailureCode::InvalidRequest, "Two batches are needed for a comparison.")
                            .with_hint("Choose one in the list of batches with Compare, then another.");
                        EitherOf3::C(view! { <FailurePage failure /> })
                    }
                }
            })}
        </Transition>
    }
    .boxed()
}

/// What a URL asks for; absent where it names no two batches. All else that cannot be understood is as if it were not there.
fn read(params: &ParamsMap) -> Option<CompareQuery> {
    let text = |key: &str| params.get(key);
    let page = text("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).max(1);
    Some(CompareQuery {
        first: text("a")?.parse().ok()?,
        second: text("b")?.parse().ok()?,
        part: text("part").and_then(|part| part.parse().ok()).unwrap_or_default(),
        offset: (page - 1).saturating_mul(CompareQuery::DEFAULT_LIMIT),
        limit: CompareQuery::DEFAULT_LIMIT,
    })
}
