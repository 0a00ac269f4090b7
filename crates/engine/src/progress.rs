//! How far a batch is, how fast it goes, and when it will be done by what was measured.

use std::time::Duration;

use sheaf_domain::{BatchId, Bottleneck, Changes, Estimate, Failure, Progress, ProgressGrid, Stage, StageCounts};
use sheaf_store::{StagePace, WorkerState};

use crate::Engine;
use crate::read::no_batch;

/// Whoever gave no sign of life for this long does not work any more.
const SILENT: Duration = Duration::from_secs(30);

/// Less is too little to tell a rate from.
const MEASURED_MS: u64 = 3_000;

/// The most documents of one answer about changes.
const CHANGES: u32 = 500;

/// The most fields of a progress grid.
const CELLS: u32 = 2_000;

impl Engine {
    /// How far a batch is, with rates and an estimate while it runs.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn progress(&self, batch: BatchId) -> Result<Progress, Failure> {
        let mut progress = self.store().progress(batch).await?.ok_or_else(|| no_batch(batch))?;
        if progress.status.is_final() {
            return Ok(progress);
        }
        let silent = u64::try_from(SILENT.as_millis()).unwrap_or(u64::MAX);
        let (paces, workers) = futures::try_join!(self.store().pace(batch), self.store().workers(silent))?;
        for counts in &mut progress.stages {
            counts.rate = paces.iter().find(|pace| pace.stage == counts.stage).and_then(jobs_a_second);
        }
        progress.estimate = estimate(&progress.stages, &paces, &workers);
        Ok(progress)
    }

    /// What happened to a batch's documents after `cursor`; without one, nothing but the cursor of now.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn changes(&self, batch: BatchId, cursor: Option<&str>) -> Result<Changes, Failure> {
        self.batch(batch).await?;
        Ok(self.store().changes(batch, cursor, CHANGES).await?)
    }

    /// The batch's documents by how far they are, in at most `cells` fields; of a large batch, how far they were a moment ago.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn progress_grid(&self, batch: BatchId, cells: u32) -> Result<ProgressGrid, Failure> {
        self.batch(batch).await?;
        let cells = cells.clamp(1, CELLS);
        self.grids().get((batch, cells), async { Ok(self.store().progress_grid(batch, cells).await?) }).await
    }
}

fn jobs_a_second(pace: &StagePace) -> Option<f32> {
    (pace.jobs > 0 && pace.window_ms >= MEASURED_MS).then(|| pace.jobs as f32 * 1000.0 / pace.window_ms as f32)
}

/// Seconds that a stage needs for what is before it. Bytes, for the heaviest documents come first: by their number the time
/// left would seem too long.
fn seconds_left(pace: &StagePace) -> Option<f32> {
    let measured = pace.bytes > 0 && pace.window_ms >= MEASURED_MS;
    measured.then(|| pace.bytes_left as f32 / pace.bytes as f32 * pace.window_ms as f32 / 1000.0)
}

/// The stages work at the same time, so the slowest of them decides. Absent when nothing is left to do.
fn estimate(stages: &[StageCounts], paces: &[StagePace], workers: &[WorkerState]) -> Option<Estimate> {
    let busy = busy(workers);
    let waiting = |stage: Stage| stages.iter().find(|s| s.stage == stage).map_or(0, |s| s.pending + s.processing);
    let idle = |stage: Stage| {
        let at_it = stages.iter().any(|s| s.stage == stage && s.processing > 0);
        !at_it && !workers.iter().any(|worker| worker.stages.contains(&stage))
    };
    let left: Vec<Stage> = Stage::ALL.into_iter().filter(|&stage| waiting(stage) > 0).collect();
    if left.iter().any(|&stage| idle(stage)) {
        return Some(Estimate { seconds: None, bottleneck: Bottleneck::NoWorker, busy });
    }
    let seconds = |stage: Stage| paces.iter().find(|pace| pace.stage == stage).and_then(seconds_left);
    // A stage of which nothing is known yet stands for the longest.
    let slowest = left.iter().copied().max_by(|&a, &b| {
        let (a, b) = (seconds(a).unwrap_or(f32::INFINITY), seconds(b).unwrap_or(f32::INFINITY));
        a.total_cmp(&b).then(std::cmp::Ordering::Greater)
    })?;
    let bottleneck = match slowest {
        Stage::Parse if workers.iter().any(|worker| worker.recognition_full) => Bottleneck::Recognition,
        Stage::Parse => Bottleneck::Reading,
        Stage::Embed => Bottleneck::Comparing,
        Stage::Analyse => Bottleneck::Grouping,
    };
    Some(Estimate { seconds: seconds(slowest).map(|seconds| seconds.ceil() as u64), bottleneck, busy })
}

/// The share of all workers' cores that is busy.
fn busy(workers: &[WorkerState]) -> Option<f32> {
    let known: Vec<(f32, f32)> = workers.iter().filter_map(|w| Some((w.busy?, w.cores as f32))).collect();
    let cores: f32 = known.iter().map(|(_, cores)| cores).sum();
    (cores > 0.0).then(|| known.iter().map(|(busy, cores)| busy * cores).sum::<f32>() / cores)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(stage: Stage, pending: u64) -> StageCounts {
        StageCounts { stage, pending, processing: 0, done: 1, rate: None, average_rate: None }
    }

    fn pace(stage: Stage, bytes: u64, bytes_left: u64) -> StagePace {
        StagePace { stage, jobs: 10, bytes, window_ms: 10_000, bytes_left }
    }

    fn worker(recognition_full: bool) -> WorkerState {
        let (id, host) = ("w".to_owned(), "h".to_owned());
        WorkerState { id, host, stages: Stage::ALL.to_vec(), cores: 2, busy: Some(0.9), recognition_full }
    }

    #[test]
    fn the_slowest_stage_decides() {
        let stages = [counts(Stage::Parse, 5), counts(Stage::Embed, 5)];
        let paces = [pace(Stage::Parse, 100, 1_000), pace(Stage::Embed, 100, 300)];
        let found = estimate(&stages, &paces, &[worker(false)]).expect("there is work");
        assert_eq!((found.seconds, found.bottleneck, found.busy), (Some(100), Bottleneck::Reading, Some(0.9)));
        let found = estimate(&stages, &paces, &[worker(true)]).expect("there is work");
        assert_eq!(found.bottleneck, Bottleneck::Recognition);
    }

    #[test]
    fn what_was_not_measured_is_not_known() {
        let stages = [counts(Stage::Parse, 5), counts(Stage::Embed, 5)];
        let young = StagePace { window_ms: 900, ..pace(Stage::Parse, 100, 1_000) };
        let found = estimate(&stages, &[young, pace(Stage::Embed, 100, 300)], &[worker(false)]);
        assert_eq!(found.expect("there is work").seconds, None);
        let found = estimate(&[counts(Stage::Analyse, 1)], &[], &[worker(false)]).expect("there is work");
        assert_eq!((found.seconds, found.bottleneck), (None, Bottleneck::Grouping));
    }

    #[test]
    fn work_that_nobody_takes_is_said() {
        let parser = WorkerState { stages: vec![Stage::Parse], ..worker(false) };
        let found = estimate(&[counts(Stage::Embed, 3)], &[], &[parser]).expect("there is work");
        assert_eq!(found.bottleneck, Bottleneck::NoWorker);
        assert_eq!(estimate(&[counts(Stage::Parse, 0)], &[], &[]), None);
    }
}
