//! Where the time of a transaction goes that keeps results and ends their jobs.

use std::time::{Duration, Instant};

use metrics::histogram;
use sheaf_domain::Stage;

/// A transaction that keeps results. Its parts are counted under `sheaf_keep_seconds`: until it may write (`wait`), what was
/// found (`results`: texts, the index of words, vectors), and the queue's own rows with the commit (`state`).
#[derive(Debug)]
pub struct Keeping {
    stage: Stage,
    since: Instant,
    wait: Duration,
    results: Duration,
}

impl Keeping {
    /// Begins to wait.
    pub fn begin(stage: Stage) -> Self {
        Self { stage, since: Instant::now(), wait: Duration::ZERO, results: Duration::ZERO }
    }

    /// It may write from now on.
    pub fn admitted(&mut self) {
        self.wait = self.since.elapsed();
    }

    /// Writes what was found.
    pub async fn result<T>(&mut self, write: impl Future<Output = T>) -> T {
        let since = Instant::now();
        let answer = write.await;
        self.results += since.elapsed();
        answer
    }

    /// It is committed.
    pub fn committed(self) {
        let state = self.since.elapsed().saturating_sub(self.wait + self.results);
        for (part, time) in [("wait", self.wait), ("results", self.results), ("state", state)] {
            histogram!("sheaf_keep_seconds", "stage" => self.stage.name(), "part" => part).record(time);
        }
    }
}
