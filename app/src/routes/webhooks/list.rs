//! Who is told when batches and runs end, and how that went.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use sheaf_domain::{Delivery, DeliveryQuery, Page, Webhook};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::skeleton::Skeleton;
use crate::components::webhooks::{AddWebhook, DeliveryLog, NoticeView, WebhookList};
use crate::errors::AppError;
use crate::notice::Notice;
use crate::server_fns::front_door::{engine, respond};

/// `/webhooks`
#[component]
pub fn ListWebhooks() -> impl IntoView {
    let query = use_query_map();
    let cursor = Memo::new(move |_| query.read().get("cursor").and_then(|text| text.parse().ok()));
    let page = Resource::new_blocking(move || DeliveryQuery { cursor: cursor.get(), ..DeliveryQuery::default() }, read);
    let notice = Notice::take();
    view! {
        <Title text="Webhooks" />
        <div class="page">
            <h1>"Webhooks"</h1>
            <p class="lede">
                "When a batch or a run is completed, has failed or was cancelled, Sheaf sends a signed message to each of \
                these addresses: its name, its counts and how it ended, and nothing of its documents."
            </p>
            {notice.map(|notice| view! { <NoticeView notice /> })}
            <Transition fallback=|| {
                view! { <Skeleton rows=6 /> }
            }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok((webhooks, log)) => {
                            Either::Left(
                                view! {
                                    <WebhookList webhooks=webhooks.clone() />
                                    <AddWebhook />
                                    <DeliveryLog log webhooks later=cursor.get().is_some() />
                                },
                            )
                        }
                        Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                    }
                })}
            </Transition>
        </div>
    }
    .boxed()
}

/// The webhooks that hear of all batches and runs, and a page of the delivery log.
async fn read(query: DeliveryQuery) -> Result<(Vec<Webhook>, Page<Delivery>), AppError> {
    let engine = engine()?;
    let webhooks = respond(engine.webhooks(None).await)?;
    Ok((webhooks, respond(engine.deliveries(&query).await)?))
}
