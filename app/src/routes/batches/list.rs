//! The start page: add documents, and the batches that there are. What is looked at of them is the URL.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Batch, BatchQuery};

use crate::boxed::Boxed;
use crate::components::change::Changed;
use crate::components::failure::FailureView;
use crate::components::history::{BatchList, Search};
use crate::components::skeleton::Skeleton;
use crate::components::upload::UploadForm;
use crate::history::History;
use crate::server_fns::batches::{find_batch, list_batches};

/// `/`
#[component]
pub fn ListBatches() -> impl IntoView {
    let query = use_query_map();
    let history = Memo::new(move |_| History::read(&query.read()));
    let asked = Memo::new(move |_| history.read().query());
    let (round, set_round) = signal(0_u32);
    let batches =
        Resource::new_blocking(move || (asked.get(), round.get()), |(query, _): (BatchQuery, u32)| list_batches(query));
    let compared_id = Memo::new(move |_| history.read().compare);
    let compared = Resource::new_blocking(
        move || compared_id.get(),
        // One that has been deleted is compared with nothing.
        |id| async move { find_batch(id?).await.ok() },
    );
    let changed = Changed(Callback::new(move |_: Batch| set_round.update(|round| *round += 1)));
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
                <Search history />
                <Transition fallback=|| {
                    view! { <Skeleton rows=4 /> }
                }>
                    {move || {
                        let history = history.get();
                        Suspend::new(async move {
                            match (batches.await, compared.await) {
                                (Ok(page), compared) => {
                                    Either::Left(view! { <BatchList page history compared changed /> })
                                }
                                (Err(error), _) => Either::Right(view! { <FailureView failure=error.0 /> }),
                            }
                        })
                    }}
                </Transition>
            </section>
        </div>
    }
    .boxed()
}
