//! An upload that was interrupted: what has arrived, and how it goes on or ends.

use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sheaf_domain::Upload;

use super::chooser::{Choosers, accept_drops};
use super::pile::{Picked, Pile};
use super::send::{Ended, Goal};
use super::{DropVeil, Uploads};
use crate::boxed::Boxed;
use crate::format::{count, counted};
use crate::server_fns::batches::batch_uploads;

/// How often it is asked whether the upload goes on elsewhere.
const EVERY: Duration = Duration::from_secs(5);

/// Seconds after its last file until which an upload may well be under way elsewhere.
const LATELY: u64 = 10;

/// The upload, with what is to be done. `on_ended` is called when it is finished.
#[component]
pub fn Unfinished(upload: Upload, on_ended: Callback<()>) -> impl IntoView {
    let id = upload.id;
    let now = RwSignal::new(upload);
    let uploads = Uploads::new();
    let (over, set_over) = signal(false);
    let (said, say) = signal(None::<&'static str>);
    look(now, uploads, on_ended);

    let go_on = Callback::new(move |picked: Vec<Picked>| {
        let mut pile = Pile::default();
        pile.add(picked);
        if pile.is_empty() {
            return;
        }
        say.set(None);
        uploads.start(Goal::Upload(now.get_untracked()), pile.files().to_vec(), move |ended| match ended {
            Ended::All(_) => on_ended.run(()),
            Ended::Part(upload) => {
                now.set(upload);
                say.set(Some("What you chose has arrived; it was not everything."));
            }
            Ended::Nothing | Ended::Stopped => {}
        });
    });
    accept_drops(set_over, go_on);
    let sending = move || uploads.phase.read().is_sending();
    view! {
        <section class="unfinished" class:over=over aria-labelledby="unfinished" data-testid="unfinished">
            <h2 id="unfinished">
                {move || if sending() { "The upload goes on" } else { "An upload is not finished" }}
            </h2>
            <div hidden=sending>
                <p data-testid="unfinished-line">{move || line(&now.read())}</p>
                <p class="fine" role="status" hidden=move || said.get().is_none()>
                    {said}
                </p>
                <div class="unfinished-actions">
                    <form class="needs-script">
                        <Choosers add=go_on />
                    </form>
                    <form method="post" action=format!("/uploads/{id}/finish")>
                        <button class="button quiet" type="submit" disabled=move || now.read().arrived_files == 0>
                            "Finish with what is there"
                        </button>
                    </form>
                </div>
            </div>
            {uploads.state("Pause the upload")}
            <DropVeil />
        </section>
    }
    .boxed()
}

/// What is there, and what to do.
fn line(upload: &Upload) -> String {
    let Upload { files, arrived_files, idle_seconds, .. } = upload;
    // Other files may have been chosen than were announced.
    let all = files.max(arrived_files);
    let arrived = format!("{} of {} arrived.", count(*arrived_files), counted(*all, "file", "files"));
    let elsewhere = if *idle_seconds < LATELY { "If they are not being sent any more: choose" } else { "Choose" };
    let finish = if *arrived_files > 0 { ", or finish with what is there" } else { "" };
    format!("{arrived} {elsewhere} the same folder again to go on{finish}.")
}

/// Asks how the upload stands, for it may go on or end elsewhere.
fn look(now: RwSignal<Upload>, uploads: Uploads, on_ended: Callback<()>) {
    let handle = StoredValue::new(None::<IntervalHandle>);
    let stop = move || {
        if let Some(Some(handle)) = handle.try_update_value(Option::take) {
            handle.clear();
        }
    };
    let ask = move || {
        if uploads.phase.try_with_untracked(super::Phase::is_sending).unwrap_or(true) {
            return;
        }
        spawn_local(async move {
            let Some(known) = now.try_get_untracked() else { return };
            let Ok(found) = batch_uploads(known.batch).await else { return };
            match found.into_iter().find(|upload| upload.id == known.id) {
                Some(upload) => drop(now.try_set(upload)),
                None if uploads.phase.try_with_untracked(super::Phase::is_sending) == Some(false) => on_ended.run(()),
                None => {}
            }
        });
    };
    Effect::new(move |_| handle.set_value(set_interval_with_handle(ask, EVERY).ok()));
    on_cleanup(stop);
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{BatchId, UploadId};

    use super::*;

    #[test]
    fn the_line_says_what_is_there_and_what_to_do() {
        let check = |arrived: u64, idle: u64, expect: &str| {
            let (batch, id) = ("00000000-0000-7000-8000-000000000000", "00000000-0000-7000-8000-000000000001");
            let upload = Upload {
                id: UploadId(id.parse().expect("an id")),
                batch: BatchId(batch.parse().expect("an id")),
                makes_batch: true,
                files: 5000,
                bytes: 0,
                arrived_files: arrived,
                arrived_bytes: 0,
                created_at: 0,
                idle_seconds: idle,
            };
            assert_eq!(line(&upload), expect);
        };
        check(
            3120,
            60,
            "3,120 of 5,000 files arrived. Choose the same folder again to go on, or finish with what is there.",
        );
        check(0, 60, "0 of 5,000 files arrived. Choose the same folder again to go on.");
        check(
            5001,
            1,
            "5,001 of 5,001 files arrived. If they are not being sent any more: choose the same folder again to go on, or finish \
             with what is there.",
        );
    }
}
