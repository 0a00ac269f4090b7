//! A search without results: what can be typed, and what to do when nothing was found.

use leptos::prelude::*;
use sheaf_domain::SearchMode;

use super::Asked;
use crate::boxed::Boxed;
use crate::filters::encode;

/// Nothing was found, and what else can be tried.
#[component]
pub fn Nothing(asked: Asked) -> impl IntoView {
    let meaning = asked.with(|asked| asked.query.mode = SearchMode::Meaning).href();
    view! {
        <div class="empty" data-testid="nothing-found">
            <p class="empty-title">"Nothing found"</p>
            <p>
                "No document has these words, in its text or its name. Fewer words find more, and a star stands for any ending: "
                <code>"contract*"</code> ". Or "
                <a href=meaning>"search by meaning"</a> "."
            </p>
        </div>
    }
    .boxed()
}

/// What can be typed.
#[component]
pub fn Help() -> impl IntoView {
    let rows = [
        ("late fees", "both words, anywhere in the document"),
        ("\"late fees\"", "exactly these words, one after the other"),
        ("fees -late", "the first word, but not the second"),
        ("contract*", "every word that begins so"),
        ("invoice OR bill", "one of the two"),
    ];
    let rows = rows.map(|(example, meaning)| {
        view! {
            <dt>
                <a href=format!("/search?q={}", encode(example))>
                    <code>{example}</code>
                </a>
            </dt>
            <dd>{meaning}</dd>
        }
    });
    view! {
        <section class="section" data-testid="search-help">
            <h2>"What you can type"</h2>
            <dl class="details">{rows.collect_view()}</dl>
            <p class="fine">
                "Accents and capitals make no difference. Documents that are about the same without having the words are \
                found by their meaning, once their batch is analysed."
            </p>
        </section>
    }
    .boxed()
}
