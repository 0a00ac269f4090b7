//! In the browser: the page is not made here, for nothing on it needs a script, but fetched whole.

use leptos::prelude::*;

/// `/webhooks`, when a link leads there without leaving the page before.
#[component]
pub fn ListWebhooks() -> impl IntoView {
    Effect::new(|_| {
        // Where the browser refuses, the present page stays.
        let _ = window().location().set_href("/webhooks");
    });
}
