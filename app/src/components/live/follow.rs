//! Following a batch: it is listened to, and asked every two seconds as long as listening does not work.

use std::time::Duration;

use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use leptos::task::spawn_local;
use send_wrapper::SendWrapper;
use sheaf_domain::{BatchId, FailureCode, Progress, Status};

use super::listen::{Heard, Stream};
use super::rhythm::{Link, Rhythm};
use crate::format::count;
use crate::server_fns::batches::batch_progress;
use crate::server_fns::runs::progress_grid;
use crate::views::GridPicture;

const EVERY: Duration = Duration::from_secs(2);

/// Every third tick is spoken: a screen reader is not interrupted more often than every six seconds.
const SPOKEN_EVERY: u32 = 3;

/// What the page shows of a batch that runs.
#[derive(Clone, Copy)]
pub struct Shown {
    pub progress: RwSignal<Progress>,
    pub grid: RwSignal<GridPicture>,
    pub link: RwSignal<Link>,
}

/// All that goes on; everything in it is gone when the page is left.
#[derive(Clone, Copy)]
struct Follower {
    batch: BatchId,
    shown: Shown,
    rhythm: StoredValue<Rhythm>,
    /// Only in the browser, which has one thread.
    stream: StoredValue<Option<SendWrapper<Stream>>>,
    timer: StoredValue<Option<IntervalHandle>>,
    /// Whether a question for the progress, and one for the grid, is under way.
    asking: StoredValue<(bool, bool)>,
    /// The counts that the grid was asked for last.
    pictured: StoredValue<Option<Progress>>,
    ticks: StoredValue<u32>,
    on_end: Callback<Option<Status>>,
    on_speak: WriteSignal<String>,
}

/// Starts when the page is alive in the browser; on the server nothing runs. `on_end` is called once, with the status in which
/// the batch has ended, or without one when it is gone.
pub fn follow(batch: BatchId, shown: Shown, on_end: Callback<Option<Status>>, on_speak: WriteSignal<String>) {
    let follower = Follower {
        batch,
        shown,
        rhythm: StoredValue::new(Rhythm::default()),
        stream: StoredValue::new(None),
        timer: StoredValue::new(None),
        asking: StoredValue::new((false, false)),
        pictured: StoredValue::new(Some(shown.progress.get_untracked())),
        ticks: StoredValue::new(0),
        on_end,
        on_speak,
    };
    Effect::new(move |_| {
        follower.timer.set_value(set_interval_with_handle(move || follower.tick(), EVERY).ok());
        follower.tick();
    });
    on_cleanup(move || {
        follower.stop();
    });
}

impl Follower {
    fn tick(self) {
        let Some(turn) = self.rhythm.try_update_value(Rhythm::tick) else { return };
        if turn.listen {
            // The one before is closed; none of its callbacks is running now.
            let stream = Stream::open(self.batch, move |heard| self.hear(heard));
            if stream.is_none() {
                self.rhythm.update_value(Rhythm::broke);
            }
            self.stream.set_value(stream.map(SendWrapper::new));
        }
        if turn.ask {
            self.ask();
        }
        self.picture();
        self.ticks.update_value(|ticks| *ticks += 1);
        if self.ticks.get_value().is_multiple_of(SPOKEN_EVERY) {
            self.on_speak.set(sentence(&self.shown.progress.read_untracked()));
        }
        self.say();
    }

    fn hear(self, heard: Heard) {
        // The page may have been left in the meantime.
        if self.rhythm.is_disposed() {
            return;
        }
        match heard {
            Heard::Progress(progress) => {
                self.rhythm.update_value(Rhythm::heard);
                self.shown.progress.set(*progress);
                self.say();
            }
            Heard::End(status) => self.end(status),
            Heard::Broke => {
                self.stream.with_value(|stream| stream.iter().for_each(|stream| stream.close()));
                self.rhythm.update_value(Rhythm::broke);
                self.ask();
                self.say();
            }
        }
    }

    fn ask(self) {
        if self.asking.get_value().0 {
            return;
        }
        self.asking.update_value(|asking| asking.0 = true);
        spawn_local(async move {
            let answer = batch_progress(self.batch).await;
            if self.asking.try_update_value(|asking| asking.0 = false).is_none() {
                return;
            }
            match answer {
                Ok(progress) if progress.status.is_final() => self.end(Some(progress.status)),
                Ok(progress) => {
                    self.rhythm.update_value(|rhythm| rhythm.answered(true));
                    if !self.rhythm.with_value(Rhythm::is_live) {
                        self.shown.progress.set(progress);
                    }
                }
                Err(error) if error.0.code == FailureCode::NotFound => self.end(None),
                Err(_) => self.rhythm.update_value(|rhythm| rhythm.answered(false)),
            }
            self.say();
        });
    }

    /// Asks for the grid when something has moved since it was asked for last.
    fn picture(self) {
        let now = self.shown.progress.get_untracked();
        let has_moved = self
            .pictured
            .with_value(|last| last.as_ref().is_none_or(|last| last.counts != now.counts || last.stages != now.stages));
        if !has_moved || self.asking.get_value().1 {
            return;
        }
        self.asking.update_value(|asking| asking.1 = true);
        self.pictured.set_value(Some(now));
        spawn_local(async move {
            let answer = progress_grid(self.batch).await;
            if self.asking.try_update_value(|asking| asking.1 = false).is_none() {
                return;
            }
            match answer {
                Ok(grid) => self.shown.grid.set(grid),
                // The next tick asks again.
                Err(_) => self.pictured.set_value(None),
            }
        });
    }

    /// Shows how the page hears about its batch, when that has changed.
    fn say(self) {
        let Some(link) = self.rhythm.try_with_value(Rhythm::link) else { return };
        if self.shown.link.get_untracked() == link {
            return;
        }
        self.shown.link.set(link);
        if link == Link::Lost {
            self.on_speak.set("The connection is lost. It is tried again.".to_owned());
        }
    }

    fn end(self, status: Option<Status>) {
        // Once, though both ways may tell of it.
        if self.stop() {
            self.on_end.run(status);
        }
    }

    /// `false` when it was stopped before.
    fn stop(self) -> bool {
        self.stream.try_with_value(|stream| stream.iter().for_each(|stream| stream.close()));
        let timer = self.timer.try_update_value(Option::take).flatten();
        timer.map(|timer| timer.clear()).is_some()
    }
}

fn sentence(progress: &Progress) -> String {
    let counts = progress.counts;
    let failed = if counts.failed > 0 { format!(", {} failed", count(counts.failed)) } else { String::new() };
    format!("{} of {} documents finished{failed}.", count(counts.finished()), count(counts.total))
}
