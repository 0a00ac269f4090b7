//! The start page: add documents, and the batches that there are.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::BatchQuery;

use crate::boxed::Boxed;
use crate::components::batch_list::BatchList;
use crate::components::failure::FailureView;
use crate::components::skeleton::Skeleton;
use crate::components::upload::UploadForm;
use crate::server_fns::batches::list_batches;

/// `/`
#[component]
pub fn ListBatches() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.read().get("cursor"));
    let batches =
        Resource::new_blocking(move || BatchQuery { cursor: cursor.get(), ..BatchQuery::default() }, list_batches);
    view! {
        <Title text="" />
        <div class="page start">
            <header class="start-head">
                <h1>"See what is in a pile of documents"</h1>
                <p class="lede">
                    "Drop in a folder. Sheaf reads every file, groups what belongs together and shows what fits nowhere. \
                    Nothing leaves this machine."
                </p>
            </header>
            <UploadForm />
            <section class="section" aria-labelledby="batches">
                <h2 id="batches">"Batches"</h2>
                <Transition fallback=|| {
                    view! { <Skeleton rows=4 /> }
                }>
                    {move || Suspend::new(async move {
                        match batches.await {
                            Ok(page) => Either::Left(view! { <BatchList page later=cursor.get().is_some() /> }),
                            Err(error) => Either::Right(view! { <FailureView failure=error.0 /> }),
                        }
                    })}
                </Transition>
            </section>
        </div>
    }
    .boxed()
}
