//! A button that has documents worked on again.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sheaf_domain::{BatchId, Failure, FailureCode, Restart};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::server_fns::runs::restart_batch;

/// A form of one button. `restarted`, which only a page with a script needs, is called when the work goes on, or when there was nothing left to start: the page is to
/// be loaded anew in both cases.
#[component]
pub fn RestartButton(
    batch: BatchId,
    which: Restart,
    #[prop(into)] text: String,
    #[prop(optional)] is_main: bool,
    #[prop(optional)] restarted: Option<Callback<()>>,
) -> impl IntoView {
    let (failure, set_failure) = signal(None::<Failure>);
    let (is_sending, set_sending) = signal(false);
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if is_sending.get_untracked() {
            return;
        }
        set_sending.set(true);
        spawn_local(async move {
            let answer = restart_batch(batch, which).await;
            // The page may have been left in the meantime.
            if set_sending.try_set(false).is_some() {
                return;
            }
            match answer {
                Err(error) if error.0.code != FailureCode::NothingToRestart => set_failure.set(Some(error.0)),
                Ok(_) | Err(_) => restarted.into_iter().for_each(|restarted| restarted.run(())),
            }
        });
    };
    let (which, code, document) = match which {
        Restart::Cancelled => ("cancelled", None, None),
        Restart::Failed => ("failed", None, None),
        Restart::FailedWith(code) => ("failed", Some(code.name()), None),
        Restart::Document(document) => ("", None, Some(document.to_string())),
    };
    let class = if is_main { "button" } else { "button quiet" };
    let hidden = |name: &'static str, value: String| view! { <input type="hidden" name=name value=value /> };
    view! {
        <form class="restart" method="post" action=format!("/batches/{batch}/restart") on:submit=on_submit>
            {hidden("which", which.to_owned())} {code.map(|code| hidden("code", code.to_owned()))}
            {document.map(|document| hidden("document", document))}
            <button
                class=class
                type="submit"
                data-testid="restart"
                disabled=is_sending
            >
                {text}
            </button>
            {move || failure.get().map(|failure| view! { <FailureView failure /> })}
        </form>
    }
    .boxed()
}
