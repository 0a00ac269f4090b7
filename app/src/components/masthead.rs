//! The strip at the top of every page.

use leptos::prelude::*;

/// The mark, the name and the way home.
#[component]
pub fn Masthead() -> impl IntoView {
    view! {
        <header class="masthead">
            <a class="brand" href="/">
                <svg class="brand-mark" viewBox="0 0 24 24" width="24" height="24" aria-hidden="true">
                    <path d="M6 2.5C7 7 9 10.500 11 13M12 1.500V13M18 2.500C17 7 15 10.500 13 13" />
                    <path d="M7.500 13.500h9M7.500 16h9" class="brand-band" />
                    <path d="M11 16.500C9.500 18.500 8.500 20.500 8 22.500M12 16.500v6M13 16.500c1.500 2 2.500 4 3 6" />
                </svg>
                "Sheaf"
            </a>
            <form class="masthead-search" role="search" method="get" action="/search" aria-label="All batches">
                <input type="search" name="q" aria-label="Search all batches" placeholder="Search all batches" />
            </form>
            <nav aria-label="Main">
                <a href="/">"Batches"</a>
                <a href="/flows" rel="external">
                    "Flows"
                </a>
                <a href="/runs" rel="external">
                    "Runs"
                </a>
                <a href="/webhooks" rel="external">
                    "Webhooks"
                </a>
            </nav>
        </header>
    }
}
