//! In the browser, in the place of a page that needs no script: it is not made here but fetched whole.

use leptos::prelude::*;

/// The page at the address that the router has just gone to.
#[component]
pub fn Whole() -> impl IntoView {
    Effect::new(|_| {
        // Where the browser refuses, the present page stays.
        let location = window().location();
        let _ = location.href().and_then(|address| location.replace(&address));
    });
}
