//! Where a value stands: its page, its quote, and whether the quote is there.

use leptos::prelude::*;
use sheaf_domain::flow::FoundValue;
use sheaf_domain::{BatchId, DocumentId};

use crate::boxed::Boxed;
use crate::format::ratio;

/// The page of the document at which a value stands, its quote marked there.
fn place_of(batch: BatchId, document: DocumentId, found: &FoundValue) -> String {
    let page = found.page.map(|page| format!("?page={page}")).unwrap_or_default();
    let range = match (found.page, found.start, found.end) {
        (Some(_), Some(start), Some(end)) => format!("&start={start}&end={end}"),
        (_, _, _) => String::new(),
    };
    let anchor = if found.page.is_some() { "#page" } else { "" };
    format!("/batches/{batch}/documents/{document}{page}{range}{anchor}")
}

/// The evidence of a value.
#[component]
pub fn Proof(
    batch: BatchId,
    document: DocumentId,
    found: FoundValue,
    /// Whether the text in which it was found is still there to be looked at.
    stands: bool,
) -> impl IntoView {
    let href = place_of(batch, document, &found);
    let FoundValue { page, quote, verified, probability, value, .. } = found;
    let quote = quote.filter(|quote| *quote != value);
    let link = page.map(|page| match stands {
        true => view! { <a href=href rel="external">{format!("page {page}")}</a> }.boxed(),
        false => view! { <span>{format!("page {page}")}</span> }.boxed(),
    });
    let verdict = verified.map(|is_verified| match is_verified {
        true => view! { <span class="verdict yes">"verified"</span> }.boxed(),
        false => view! { <span class="verdict no">"not found in the text"</span> }.boxed(),
    });
    view! {
        <span class="proof">
            {link} {verdict}
            {probability.map(|value| view! { <span class="fine tabular">{format!("probability {}", ratio(value))}</span> })}
            {quote.map(|quote| view! { <q>{quote}</q> })}
        </span>
    }
    .boxed()
}
