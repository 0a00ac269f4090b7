//! The bar of an upload, and the way to stop it.

use leptos::prelude::*;

use super::transfer::{Transfer, Waiting};

use crate::boxed::Boxed;

/// Bytes, rate and time left; the button, of which `stop` is the text, stops it.
#[component]
pub fn Sending(transfer: Transfer, stop: &'static str, cancel: Callback<()>) -> impl IntoView {
    let line = transfer.line();
    let Transfer { sent, total, compared, waiting, .. } = transfer;
    let (value, max) = compared.map_or((sent, total), |(done, all)| (done as f64, all as f64));
    view! {
        <div class="sending" data-testid="sending">
            <p class="sending-title">{if compared.is_some() { "Comparing" } else { "Uploading" }}</p>
            <progress aria-label="Bytes sent" max=max.max(1.0).to_string() value=value.to_string()></progress>
            <p class="tabular">{line}</p>
            {waiting
                .map(|waiting: Waiting| {
                    view! {
                        <p class="notice" role="status" data-testid="waiting">
                            {waiting.line()}
                        </p>
                    }
                })}
            <p>
                <button class="button quiet" type="button" on:click=move |_| cancel.run(())>
                    {stop}
                </button>
            </p>
        </div>
    }
    .boxed()
}
