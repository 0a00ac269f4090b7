//! More documents for a batch that is there.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use sheaf_domain::{BatchId, Status};

use super::chooser::{DropField, accept_drops};
use super::pile::{Picked, Pile, PileView};
use super::send::{Ended, Goal};
use super::{DropVeil, Uploads};
use crate::boxed::Boxed;

/// `details#add`, which opens when something is dropped; with `open` it stands alone on a page. `on_added` is called when
/// the batch goes on.
#[component]
pub fn AddDocuments(batch: BatchId, status: Status, open: bool, on_added: Callback<()>) -> impl IntoView {
    let pile = RwSignal::new(Pile::default());
    let uploads = Uploads::new();
    let (over, set_over) = signal(false);
    let (alive, set_alive) = signal(false);
    let (is_open, set_open) = signal(open);
    let (said, say) = signal(None::<&'static str>);
    Effect::new(move |_| set_alive.set(true));

    let add = Callback::new(move |picked: Vec<Picked>| {
        set_open.set(true);
        say.set(None);
        pile.update(|pile| pile.add(picked));
    });
    accept_drops(set_over, add);
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        if pile.read_untracked().is_empty() {
            return;
        }
        uploads.start(Goal::Batch(batch), pile.read_untracked().files().to_vec(), move |ended| match ended {
            Ended::All(_) => on_added.run(()),
            Ended::Nothing => {
                pile.set(Pile::default());
                say.set(Some("Every one of these files is in this batch already; there was nothing to add."));
            }
            Ended::Part(_) | Ended::Stopped => {}
        });
    };
    let sending = move || uploads.phase.read().is_sending();
    let consequence = match status {
        Status::Cancelled => "This batch was stopped. Adding documents continues it, with what was cancelled.",
        Status::Failed => "This batch stopped. Adding documents sets it going again; what failed stays as it is.",
        Status::Completed => "The batch is analysed anew when they are read. What is in it already is not read again.",
        Status::Pending | Status::Processing => "They are read with the others, and analysed together with them.",
    };
    // Without JavaScript the page of a batch that runs comes anew every few seconds, and with it an empty form.
    let apart = (!open && !status.is_final()).then(|| {
        view! {
            <a class="unscripted" href=format!("/batches/{batch}/add")>
                "Add documents"
            </a>
        }
    });
    view! {
        {apart}
        <details
            class="add"
            class:alone=open
            class:needs-script=!open && !status.is_final()
            id="add"
            open=is_open
            data-testid="add-documents"
        >
            <summary>"Add documents"</summary>
            <form
                class="upload upload-more"
                class:over=over
                method="post"
                enctype="multipart/form-data"
                action=format!("/batches/{batch}/documents")
                on:submit=on_submit
            >
                <div class="upload-files">
                    <p class="fine">{consequence}</p>
                    <DropField add hidden=Signal::derive(sending) />
                    <PileView pile hidden=Signal::derive(sending) />
                    {uploads.state("Stop the upload")}
                    <p class="notice" role="status" hidden=move || said.get().is_none()>
                        {said}
                    </p>
                    <div class="upload-go" hidden=sending>
                        <p class="fine">{move || pile.read().summary()}</p>
                        <button
                            class="button primary"
                            type="submit"
                            disabled=move || alive.get() && pile.read().is_empty()
                        >
                            "Add to this batch"
                        </button>
                    </div>
                </div>
                <DropVeil />
            </form>
        </details>
    }
    .boxed()
}
