//! In the browser, in the place of a page that needs no script: it is not made here but fetched whole.

use leptos::prelude::*;
use leptos_router::hooks::use_location;
use leptos_router::location::Location;

/// The page that the router goes to. The browser's own address is still that of the page before.
#[component]
pub fn Whole() -> impl IntoView {
    let Location { pathname, search, hash, .. } = use_location();
    Effect::new(move |_| {
        let mut address = pathname.get_untracked();
        let search = search.get_untracked();
        if !search.is_empty() {
            address.push('?');
            address.push_str(search.trim_start_matches('?'));
        }
        address.push_str(&hash.get_untracked());
        // Where the browser refuses, the present page stays.
        let _ = window().location().assign(&address);
    });
}
