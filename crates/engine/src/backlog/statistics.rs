//! What a run adds up to: counts, rates, latencies and errors.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use sheaf_analysis::classification::{Label, Validation};
use sheaf_domain::flow::LabelAccuracy;
use sheaf_domain::{ModelName, Status};

use super::results::Row;

/// The name under which records are counted that are about none of the labels.
const NONE: &str = "(none of these)";

/// The whole of a run, as `--output` writes it.
#[derive(Clone, Debug, Serialize)]
pub struct Statistics {
    pub records: u64,
    pub by_status: BTreeMap<String, u64>,
    /// Completed records of each label that has any.
    pub by_label: BTreeMap<String, u64>,
    pub by_confidence: BTreeMap<&'static str, u64>,
    /// Failed records by what was wrong, without place numbers.
    pub errors: BTreeMap<String, u64>,
    /// All attempts; more than the records when some were repeated.
    pub attempts: u64,
    pub wall_seconds: f64,
    /// Seconds until the classifier was ready.
    pub prepare_seconds: f64,
    pub records_per_second: f64,
    /// From the start of a record's microbatch to its decision.
    pub latency_milliseconds: Latency,
    /// Absent where nothing was labelled.
    pub classifier: Option<ClassifierStatistics>,
}

/// Percentiles over records.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// How the classifier was made, and how well it did on examples that it had not seen.
#[derive(Clone, Debug, Serialize)]
pub struct ClassifierStatistics {
    pub model: ModelName,
    /// `words` of the labels alone, or learnt from `examples`.
    pub from: &'static str,
    pub labels: usize,
    pub examples: usize,
    pub cross_validated_accuracy: Option<f64>,
    pub cross_validated_log_loss: Option<f64>,
    pub penalty: Option<f64>,
    pub share_of_words: Option<f32>,
}

impl ClassifierStatistics {
    /// Of a flow's step.
    pub fn known(model: ModelName, known: &LabelAccuracy) -> Self {
        let LabelAccuracy { labels, examples, learned, accuracy, log_loss, folds: _ } = known;
        Self {
            model,
            from: if *learned { "examples" } else { "words" },
            labels: *labels as usize,
            examples: *examples as usize,
            cross_validated_accuracy: *accuracy,
            cross_validated_log_loss: *log_loss,
            penalty: None,
            share_of_words: None,
        }
    }

    /// Of a classifier that was just made.
    pub fn of(model: ModelName, labels: &[Label], examples: usize, validation: Option<&Validation>) -> Self {
        let penalty = validation.and_then(|validation| validation.penalty);
        Self {
            model,
            from: if penalty.is_some() { "examples" } else { "words" },
            labels: labels.len(),
            examples,
            cross_validated_accuracy: validation.map(|validation| validation.accuracy),
            cross_validated_log_loss: validation.map(|validation| validation.log_loss),
            penalty,
            share_of_words: validation.map(|validation| validation.share),
        }
    }
}

/// Adds up rows as they are written, in memory that does not grow with their number.
#[derive(Debug, Default)]
pub struct Counts {
    records: u64,
    attempts: u64,
    by_status: BTreeMap<String, u64>,
    by_label: BTreeMap<String, u64>,
    by_confidence: BTreeMap<&'static str, u64>,
    errors: BTreeMap<String, u64>,
    /// Records by how long their microbatch took, to three digits.
    latencies: BTreeMap<Duration, u64>,
}

impl Counts {
    /// Counts a row.
    pub fn row(&mut self, row: &Row) {
        let Row { id: _, label, probability: _, confidence, status, attempts, error } = row;
        self.records += 1;
        self.attempts += u64::from(*attempts);
        *self.by_status.entry(status.to_string()).or_default() += 1;
        if *status == Status::Completed {
            *self.by_label.entry(label.clone().unwrap_or_else(|| NONE.into())).or_default() += 1;
        }
        if let Some(confidence) = confidence {
            *self.by_confidence.entry(confidence).or_default() += 1;
        }
        if let Some(error) = error {
            *self.errors.entry(kind(error)).or_default() += 1;
        }
    }

    /// Counts a microbatch.
    pub fn microbatch(&mut self, took: Duration, records: usize) {
        *self.latencies.entry(rounded(took)).or_default() += records as u64;
    }

    /// The sum.
    pub fn finish(self, wall: Duration, prepare: Duration, classifier: Option<ClassifierStatistics>) -> Statistics {
        let seconds = wall.as_secs_f64();
        Statistics {
            records: self.records,
            by_status: self.by_status,
            by_label: self.by_label,
            by_confidence: self.by_confidence,
            errors: self.errors,
            attempts: self.attempts,
            wall_seconds: seconds,
            prepare_seconds: prepare.as_secs_f64(),
            records_per_second: self.records as f64 / seconds.max(1e-9),
            latency_milliseconds: latency(&self.latencies),
            classifier,
        }
    }
}

/// `line 7: not JSON (…)` is `not JSON`, wherever it stands.
fn kind(error: &str) -> String {
    let placed = error.split_once(": ").filter(|(place, _)| place.starts_with("line ") || place.starts_with("record "));
    let error = placed.map_or(error, |(_, rest)| rest);
    let end = error.find(" (").unwrap_or(error.len());
    let kind = &error[..end];
    if kind.contains(" cells in ") { "more cells than columns".into() } else { kind.to_owned() }
}

/// Three digits are enough, and keep the number of different values small.
fn rounded(took: Duration) -> Duration {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let step = 10_u64.pow(micros.max(1).ilog10().saturating_sub(2));
    Duration::from_micros(micros / step * step)
}

fn latency(sorted: &BTreeMap<Duration, u64>) -> Latency {
    let total: u64 = sorted.values().sum();
    let at = |share: f64| {
        let wanted = (total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = sorted.iter().find(|(_, records)| {
            seen += **records;
            seen >= wanted
        });
        found.map_or(0.0, |(took, _)| took.as_secs_f64() * 1e3)
    };
    Latency { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_counted_by_kind() {
        let check = |error: &str, expected: &str| assert_eq!(kind(error), expected);
        check("line 7: not JSON (expected value at line 1)", "not JSON");
        check("record 9: not an object", "not an object");
        check("line 3: 5 cells in 2 columns", "more cells than columns");
        check("the text is empty", "the text is empty");
    }

    #[test]
    fn percentiles_weigh_microbatches_by_their_records() {
        let of = |millis, records| (Duration::from_millis(millis), records);
        let found = latency(&BTreeMap::from([of(1, 98), of(50, 1), of(100, 1)]));
        assert_eq!((found.p50, found.p90, found.p99, found.max), (1.0, 1.0, 50.0, 100.0));
    }
}
