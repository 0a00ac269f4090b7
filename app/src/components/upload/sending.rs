//! The bar of an upload, and the way to stop it.

use leptos::prelude::*;

use super::transfer::Transfer;

use crate::boxed::Boxed;

/// Bytes, rate and time left; the button stops it.
#[component]
pub fn Sending(transfer: Transfer, cancel: Callback<()>) -> impl IntoView {
    let Transfer { sent, total, .. } = transfer;
    view! {
        <div class="sending" data-testid="sending">
            <p class="sending-title">"Uploading"</p>
            <progress aria-label="Bytes sent" max=total.max(1.0).to_string() value=sent.to_string()></progress>
            <p class="tabular">{transfer.line()}</p>
            <p>
                <button class="button quiet" type="button" on:click=move |_| cancel.run(())>
                    "Stop the upload"
                </button>
            </p>
        </div>
    }
    .boxed()
}
