//! A membership probability in three steps, told by shape and word, not only by colour.

use leptos::prelude::*;
use sheaf_domain::ConfidenceLevel;

use crate::words;

/// Three bars, of which one, two or all are filled, and the word.
#[component]
pub fn Confidence(level: ConfidenceLevel) -> impl IntoView {
    let filled = match level {
        ConfidenceLevel::High => 3,
        ConfidenceLevel::Medium => 2,
        ConfidenceLevel::Low => 1,
    };
    let bar = move |index: u8| if index < filled { "on" } else { "off" };
    view! {
        <span class=format!("confidence {}", level.name())>
            <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                <rect class=bar(0) x="0.5" y="7.5" width="2.5" height="4" />
                <rect class=bar(1) x="4.5" y="4.5" width="2.5" height="7" />
                <rect class=bar(2) x="8.5" y="1.5" width="2.5" height="10" />
            </svg>
            {words::confidence(level)}
        </span>
    }
}
