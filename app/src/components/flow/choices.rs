//! What selects offer.

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;

use crate::boxed::Boxed;

/// What a person can choose: the value, its words, and whether it is chosen.
pub type Choice = (String, String, bool);

/// Languages that are offered by name; others by their code.
pub const LANGUAGES: [&str; 12] = ["eng", "deu", "fra", "spa", "ita", "por", "nld", "pol", "rus", "zho", "jpn", "ara"];

/// The options of a select.
pub fn options(choices: Vec<Choice>) -> AnyView {
    choices
        .into_iter()
        .map(|(value, label, is_chosen)| view! { <option value=value selected=is_chosen>{label}</option> })
        .collect_view()
        .boxed()
}
