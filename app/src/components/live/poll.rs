//! Asking for the progress every two seconds, one question at a time, until the batch is done.

use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use sheaf_domain::{BatchId, Progress};

use crate::format::count;
use crate::server_fns::batches::batch_progress;

const EVERY: Duration = Duration::from_secs(2);

/// Every third answer is spoken: a screen reader is not interrupted more often than every six seconds.
const SPOKEN_EVERY: u32 = 3;

/// Starts when the page is alive in the browser; on the server nothing runs.
pub fn poll(
    batch: BatchId,
    set_progress: WriteSignal<Progress>,
    set_lost: WriteSignal<bool>,
    on_final: Callback<()>,
    on_speak: WriteSignal<String>,
) {
    let handle = StoredValue::new(None::<IntervalHandle>);
    let stop = move || {
        if let Some(Some(handle)) = handle.try_update_value(Option::take) {
            handle.clear();
        }
    };
    let asking = StoredValue::new(false);
    let answers = StoredValue::new(0_u32);
    let ask = move || {
        if asking.try_get_value().unwrap_or(true) {
            return;
        }
        asking.set_value(true);
        spawn_local(async move {
            let answer = batch_progress(batch).await;
            // The page may have been left in the meantime.
            if asking.try_set_value(false).is_some() {
                return;
            }
            set_lost.set(answer.is_err());
            let Ok(progress) = answer else { return };
            answers.update_value(|n| *n += 1);
            if progress.status.is_final() {
                stop();
                on_final.run(());
            } else if answers.get_value().is_multiple_of(SPOKEN_EVERY) {
                on_speak.set(sentence(&progress));
            }
            set_progress.set(progress);
        });
    };
    Effect::new(move |_| handle.set_value(set_interval_with_handle(ask, EVERY).ok()));
    on_cleanup(stop);
}

fn sentence(progress: &Progress) -> String {
    let counts = progress.counts;
    let failed = if counts.failed > 0 { format!(", {} failed", count(counts.failed)) } else { String::new() };
    format!("{} of {} documents finished{failed}.", count(counts.finished()), count(counts.total))
}
