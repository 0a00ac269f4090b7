//! The run itself: look, prepare, then read, classify and write a few microbatches at a time.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use sheaf_analysis::classification::{Classifier, ClassifyError, Confidence, Decision, Label, Prepared};
use sheaf_analysis::{Embedder, load_model};
use sheaf_domain::{Failure, FailureCode, Status};

use super::examples::{self, number_id};
use super::fields::{Columns, SAMPLE, look};
use super::labels;
use super::records::Records;
use super::results::{Results, Row, disk};
use super::statistics::{ClassifierStatistics, Counts, Statistics};
use super::{Request, Tally};
use crate::internal;

/// Texts that tell what the pile is like, at most.
const PILE: usize = 4096;

/// A record on its way: its id, and its text or what is wrong with it.
type Item = (String, Result<String, String>);

/// Classifies a backlog on the current rayon pool. `prepared` is called once, before the first record is classified.
/// Without `request.out` every record is read and checked, and nothing is classified or written.
///
/// # Errors
/// `invalid_request` when an input cannot be understood at all, `model_missing`, `storage`; never for a broken record.
pub fn process(
    request: &Request,
    tally: &Tally,
    prepared: &mut dyn FnMut(&Columns, &ClassifierStatistics),
) -> Result<Statistics, Failure> {
    let start = Instant::now();
    let length = std::fs::metadata(&request.input).map_or(0, |about| about.len());
    tally.bytes.store(length, Ordering::Relaxed);
    let columns = look(&request.input, request.id_field.as_deref(), request.text_field.as_deref())?;
    let labels = labels::read(&request.labels)?;
    let examples = match &request.examples {
        Some(path) => examples::read(path, &labels, &request.input, &columns)?,
        None => Vec::new(),
    };
    let model = open_model(request)?;
    let own: usize = labels.iter().map(|label| label.examples.len()).sum();
    let Prepared { mut classifier, validation } =
        Classifier::prepare(model.as_ref(), &labels, &examples, request.none_below).map_err(unfit)?;
    if validation.is_none() {
        let sample = survey(request, &columns)?;
        let sample: Vec<&str> = sample.iter().map(String::as_str).collect();
        classifier.adapt(model.as_ref(), &sample).map_err(internal)?;
    }
    let about = ClassifierStatistics::of(request.model, &labels, examples.len() + own, validation.as_ref());
    prepared(&columns, &about);
    let prepare = start.elapsed();
    let deciding = Deciding { classifier: &classifier, model: model.as_ref(), labels: &labels };
    let counts = match &request.out {
        Some(out) => {
            let mut results = Results::create(out)?;
            let counts = walk(request, tally, &columns, Some(&deciding), &mut |row| results.write(row))?;
            results.finish()?;
            counts
        }
        None => walk(request, tally, &columns, None, &mut |_| Ok(()))?,
    };
    Ok(counts.finish(start.elapsed(), prepare, Some(about)))
}

/// Texts taken evenly over the whole file, at most [`PILE`].
fn survey(request: &Request, columns: &Columns) -> Result<Vec<String>, Failure> {
    let mut records = Records::open(&request.input)?;
    let (mut number, mut step) = (0_u64, 1_u64);
    let mut sample: Vec<String> = Vec::new();
    loop {
        let (items, _) = read_microbatch(&mut records, columns, SAMPLE, &mut number).map_err(|error| disk(&error))?;
        if items.is_empty() {
            return Ok(sample);
        }
        let first = number - items.len() as u64;
        let texts = (first..).zip(items).filter(|(place, _)| place.is_multiple_of(step));
        sample.extend(texts.filter_map(|(_, (_, text))| text.ok()));
        if sample.len() > PILE {
            // Every second one from now on, and of those before.
            step *= 2;
            let mut place = 0_u64;
            sample.retain(|_| {
                place += 1;
                !place.is_multiple_of(2)
            });
        }
    }
}

fn open_model(request: &Request) -> Result<Box<dyn Embedder>, Failure> {
    let missing = |reason: String| {
        Failure::new(FailureCode::ModelMissing, format!("the {} model cannot be loaded: {reason}", request.model))
    };
    let folder: &Path = request.models.as_deref().ok_or_else(|| missing("it is not installed".into()))?;
    load_model(request.model, folder).map_err(|error| missing(error.to_string()))
}

fn unfit(error: ClassifyError) -> Failure {
    match error {
        ClassifyError::Embed(_) | ClassifyError::Training(_) | ClassifyError::UnknownLabel { .. } => internal(error),
        ClassifyError::TooFewLabels | ClassifyError::Twice(_) | ClassifyError::Wordless(_) => {
            Failure::new(FailureCode::InvalidRequest, error.to_string())
        }
    }
}

/// Reads everything, a few microbatches at a time, and hands on one row for each record in the order of the file.
fn walk(
    request: &Request,
    tally: &Tally,
    columns: &Columns,
    deciding: Option<&Deciding<'_>>,
    write: &mut dyn FnMut(&Row) -> Result<(), Failure>,
) -> Result<Counts, Failure> {
    let mut records = Records::open(&request.input)?;
    let mut counts = Counts::default();
    let mut number = 0;
    loop {
        let mut wave: Vec<Vec<Item>> = Vec::with_capacity(request.max_concurrent);
        let mut bytes = 0;
        while wave.len() < request.max_concurrent {
            let (microbatch, read) =
                read_microbatch(&mut records, columns, request.batch_size, &mut number).map_err(|e| disk(&e))?;
            bytes += read;
            if microbatch.is_empty() {
                break;
            }
            wave.push(microbatch);
        }
        if wave.is_empty() {
            tally.done_bytes.store(tally.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
            return Ok(counts);
        }
        let decided: Vec<(Vec<Row>, Duration)> = wave
            .into_par_iter()
            .map(|microbatch| {
                let start = Instant::now();
                let rows = match deciding {
                    Some(deciding) => deciding.rows(microbatch),
                    None => microbatch.into_iter().map(checked).collect(),
                };
                (rows, start.elapsed())
            })
            .collect();
        for (rows, took) in decided {
            counts.microbatch(took, rows.len());
            for row in &rows {
                counts.row(row);
                write(row)?;
            }
            tally.records.fetch_add(rows.len() as u64, Ordering::Relaxed);
        }
        tally.done_bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// The next records with the bytes that they took; none at the end of the file.
fn read_microbatch(
    records: &mut Records,
    columns: &Columns,
    size: usize,
    number: &mut u64,
) -> io::Result<(Vec<Item>, u64)> {
    let mut items = Vec::with_capacity(size.min(4096));
    let mut bytes = 0;
    while items.len() < size {
        let Some((record, read)) = records.next()? else { break };
        bytes += read;
        *number += 1;
        items.push(match record {
            Ok(record) => (columns.id(&record).unwrap_or_else(|| number_id(*number)), columns.text(&record)),
            Err(error) => (number_id(*number), Err(error)),
        });
    }
    Ok((items, bytes))
}

/// A row of a trial: nothing is decided, only what cannot be used has failed.
fn checked((id, text): Item) -> Row {
    match text {
        Ok(_) => Row { status: Status::Pending, ..failed(id, 0, String::new()) }.without_error(),
        Err(error) => failed(id, 0, error),
    }
}

impl Row {
    fn without_error(self) -> Self {
        Self { error: None, ..self }
    }
}

fn failed(id: String, attempts: u32, error: String) -> Row {
    Row { id, label: None, probability: None, confidence: None, status: Status::Failed, attempts, error: Some(error) }
}

/// What decisions are made with.
struct Deciding<'a> {
    classifier: &'a Classifier,
    model: &'a dyn Embedder,
    labels: &'a [Label],
}

impl Deciding<'_> {
    /// One row for each record. A microbatch that fails is repeated record by record, so that one record fails alone.
    fn rows(&self, microbatch: Vec<Item>) -> Vec<Row> {
        let texts: Vec<&str> = microbatch.iter().filter_map(|(_, text)| text.as_deref().ok()).collect();
        let (attempts, mut decided) = match self.classifier.classify(self.model, &texts) {
            Ok(decisions) => (1, decisions.into_iter().map(Ok).collect::<Vec<_>>().into_iter()),
            Err(_) => {
                let alone =
                    |text: &&str| self.classifier.classify(self.model, &[text]).map(|d| d.into_iter().next().flatten());
                (2, texts.iter().map(alone).collect::<Vec<_>>().into_iter())
            }
        };
        let rows = microbatch.iter().map(|(id, text)| match text {
            Err(error) => failed(id.clone(), 1, error.clone()),
            Ok(_) => match decided.next() {
                Some(Ok(Some(decision))) => self.row(id.clone(), attempts, decision),
                Some(Ok(None)) | None => failed(id.clone(), attempts, "the text has no usable word".into()),
                Some(Err(error)) => failed(id.clone(), attempts, error.to_string()),
            },
        });
        rows.collect()
    }

    fn row(&self, id: String, attempts: u32, decision: Decision) -> Row {
        let Decision { label, likeliest: _, probability, confidence } = decision;
        let confidence: Confidence = confidence;
        Row {
            id,
            label: label.map(|label| self.labels[label].name.clone()),
            probability: Some((f64::from(probability) * 1e4).round() / 1e4),
            confidence: Some(confidence.name()),
            status: Status::Completed,
            attempts,
            error: None,
        }
    }
}
