//! The HTML document around every page. The server renders it; the browser takes over what is inside `<body>`.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::routes::App;

/// Whether nothing on the page needs a script.
fn is_plain() -> bool {
    #[cfg(feature = "ssr")]
    {
        use_context::<http::request::Parts>().is_some_and(|parts| crate::routes::plain::is_plain(parts.uri.path()))
    }
    #[cfg(not(feature = "ssr"))]
    false
}

/// The whole document. The scripts carry the nonce of the request, so that the content security policy lets them run.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="referrer" content="same-origin" />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <HashedStylesheet id="sheaf-style" options=options.clone() />
                <AutoReload options=options.clone() />
                {(!is_plain()).then(|| view! { <HydrationScripts options /> })}
                <script type="module" src="/keys.js" nonce=use_nonce()></script>
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}
