//! What was sent to a model, and what it said: shown on demand.

use leptos::prelude::*;
use sheaf_domain::flow::Exchange;

use crate::format::counted;

#[component]
pub fn Exchanges(exchanges: Vec<Exchange>) -> impl IntoView {
    let row = |(number, exchange): (usize, Exchange)| {
        let Exchange { step, request, response, tokens } = exchange;
        view! {
            <details class="exchange" data-testid="exchange">
                <summary>
                    {format!("Question {} of step {step}, {}", number + 1, counted(tokens, "token", "tokens"))}
                </summary>
                <h3>"Sent"</h3>
                <pre tabindex="0">{readable(&request)}</pre>
                <h3>"Answered"</h3>
                <pre tabindex="0">{readable(&response)}</pre>
            </details>
        }
    };
    (!exchanges.is_empty()).then(|| {
        view! {
            <section class="section" aria-labelledby="exchanges">
                <h2 id="exchanges">"What the model was asked"</h2>
                {exchanges.into_iter().enumerate().map(row).collect_view()}
            </section>
        }
    })
}

/// JSON with a line for each field; all else as it is.
fn readable(text: &str) -> String {
    let parsed = serde_json::from_str::<serde_json::Value>(text);
    parsed.and_then(|value| serde_json::to_string_pretty(&value)).unwrap_or_else(|_| text.to_owned())
}
