//! Rows of a result, as its files have them.

use leptos::prelude::*;

use crate::boxed::Boxed;

/// The table under the names of its columns; `rows` are its `<tr>`. A `small` one stands beside other things.
#[component]
pub fn ResultTable(columns: Vec<String>, rows: AnyView, #[prop(optional)] small: bool) -> impl IntoView {
    view! {
        <div class="result-table" class:small=small tabindex="0" role="region" aria-label="Rows of the result">
            <table>
                <thead>
                    <tr>{columns.into_iter().map(|name| view! { <th scope="col">{name}</th> }).collect_view()}</tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .boxed()
}
