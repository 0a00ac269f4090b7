//! The page for an address that leads nowhere.

use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::{Failure, FailureCode};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;

/// Says so, with status 404, and leads back.
#[component]
pub fn NotFound() -> impl IntoView {
    #[cfg(feature = "ssr")]
    if let Some(crate::draft::FailedForm(failure)) = use_context() {
        return view! {
            <Title text="Not done" />
            <FailurePage failure />
        }
        .boxed();
    }
    let failure = Failure::new(FailureCode::NotFound, "There is no such page.")
        .with_hint("Check the address, or go back to the list of batches.");
    view! {
        <Title text="Not found" />
        <FailurePage failure />
    }
    .boxed()
}
