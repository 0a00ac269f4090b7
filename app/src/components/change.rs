//! A batch's name and priority, to be changed where they stand.

use leptos::ev::SubmitEvent;
use leptos::html::{Details, Input, Select};
use leptos::prelude::*;
use leptos::task::spawn_local;
use sheaf_domain::{Batch, BatchChange, BatchId, Failure, Priority};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::server_fns::runs::change_batch;
use crate::words;

/// Gets the batch as it is after a change.
#[derive(Clone, Copy)]
pub struct Changed(pub Callback<Batch>);

/// A form that opens in its place. Without JavaScript it is sent, and leads back to the page that it is on.
#[component]
pub fn Change(
    batch: BatchId,
    #[prop(into)] name: Signal<String>,
    #[prop(into)] priority: Signal<Priority>,
    changed: Changed,
) -> impl IntoView {
    let (failure, set_failure) = signal(None::<Failure>);
    let (is_sending, set_sending) = signal(false);
    let (details, input, select) = (NodeRef::<Details>::new(), NodeRef::<Input>::new(), NodeRef::<Select>::new());
    let on_submit = move |event: SubmitEvent| {
        let (Some(input), Some(select)) = (input.get_untracked(), select.get_untracked()) else { return };
        event.prevent_default();
        if is_sending.get_untracked() {
            return;
        }
        let change = BatchChange { name: Some(input.value()), priority: select.value().parse().ok() };
        set_sending.set(true);
        spawn_local(async move {
            let answer = change_batch(batch, change).await;
            // The page may have been left in the meantime.
            if set_sending.try_set(false).is_some() {
                return;
            }
            match answer {
                Ok(batch) => {
                    set_failure.set(None);
                    if let Some(details) = details.get_untracked() {
                        details.set_open(false);
                    }
                    changed.0.run(batch);
                }
                Err(error) => set_failure.set(Some(error.0)),
            }
        });
    };
    let option = move |value: Priority| {
        let is_chosen = Signal::derive(move || priority.get() == value);
        view! {
            <option value=value.name() selected=is_chosen prop:selected=is_chosen>
                {words::priority(value)}
            </option>
        }
    };
    view! {
        <details class="change" data-testid="change" node_ref=details>
            <summary aria-label=move || format!("Rename, priority: {}", name.get())>"Rename, priority"</summary>
            <form class="change-form" method="post" action=format!("/batches/{batch}/change") on:submit=on_submit>
                <label class="field grow">
                    <span>"Name"</span>
                    <input
                        type="text"
                        name="name"
                        maxlength="200"
                        required
                        autocomplete="off"
                        value=move || name.get()
                        prop:value=move || name.get()
                        node_ref=input
                    />
                </label>
                <label class="field">
                    <span>"Priority"</span>
                    <select name="priority" node_ref=select>
                        {Priority::ALL.map(option)}
                    </select>
                </label>
                <button class="button quiet" type="submit" disabled=is_sending>
                    "Save"
                </button>
                {move || failure.get().map(|failure| view! { <FailureView failure /> })}
            </form>
        </details>
    }
    .boxed()
}
