//! The run: parsing and embedding side by side, then grouping, then writing.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, stream};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sheaf_analysis::{Embedder, Family, FamilyInput, Fingerprint, families};
use sheaf_domain::{DocumentId, DocumentKind, Failure, FailureCode, Passwords};
use sheaf_parsing::{Hints, ParsedDocument, Part, Reader, TOGETHER, read_plain};
use sheaf_store::{AnalysedDocument, ParseRecord, Vectored};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::input::{self, Item, Opener, Source};
use super::results::{self, Row};
use super::timings::{Clock, Timings, children, own};
use super::{Outcome, Request, Tally};
use crate::blobs::{LocalBlobs, Staging};
use crate::intake::disk;
use crate::models::Models;
use crate::stages::analyse::{Placed, place};
use crate::stages::embed::{Text, embed};
use crate::stages::parse::{self, parse};
use crate::{internal, sandbox};

/// Texts that are embedded together, at most this many documents…
const GROUP: usize = 64;
/// …or bytes.
const GROUP_BYTES: usize = 4 << 20;

/// Files up to this many bytes are read several at a time…
const SMALL: u64 = 16 << 10;
/// …of so many bytes together.
const PARCEL: u64 = 64 << 10;

/// Runs a request to its end.
///
/// # Errors
/// When it could not run at all: an input that is not there, results that cannot be written, a model that is missing. A
/// document that cannot be used is no error.
pub async fn analyze(request: Request, tally: Arc<Tally>) -> Result<Outcome, Failure> {
    let params = request.params.clone().check()?;
    fs::create_dir_all(&request.out).map_err(|error| unwritable(&request.out, &error))?;
    let mut whole = Clock::start();
    let mut clock = Clock::start();
    let mut timings = Timings { parsers: request.processing.parse_workers, ..Timings::default() };

    // Loading takes longer than listing most folders: both at once.
    let model = tokio::spawn({
        let models = Models::new(request.processing.models.clone());
        let name = params.model;
        async move { models.get(name).await }
    });
    let reader = Arc::new(request.processing.reader());
    sandbox::prove(reader.pool()).await?;
    tally.enter("Listing files");
    let scratch =
        tempfile::Builder::new().prefix(".unpacked").tempdir_in(&request.out).map_err(|error| disk(&error))?;
    let staging = Staging::open(scratch.path()).map_err(|error| disk(&error))?;
    let unpacked = LocalBlobs::open(scratch.path()).map_err(|error| disk(&error))?;
    let items = spawn_blocking({
        let (inputs, fields, reader) = (request.inputs.clone(), request.fields.clone(), Arc::clone(&reader));
        let (limits, passwords) = (request.processing.archive.clone(), request.passwords.clone());
        move || {
            let opener = Opener {
                pool: reader.pool(),
                limits: &limits,
                passwords: &passwords,
                staging: &staging,
                unpacked: &unpacked,
            };
            input::list(&inputs, fields.as_ref(), &opener)
        }
    });
    let items = items.await.map_err(internal)??;
    Tally::add(&tally.total, items.len());
    timings.list = clock.lap(items.len() as u64);

    tally.enter("Reading and comparing");
    let model = model.await.map_err(internal)??;
    let (rows, vectors, prints) = {
        let tools = Tools { reader: &reader, model: Arc::clone(&model), tally: Arc::clone(&tally) };
        read_all(items, &request, tools).await?
    };
    let lap = clock.lap(vectors.iter().flatten().count() as u64);
    let (parser_cpu, parser_memory) = children();
    timings.parse = lap.clone();
    timings.parse.cpu_seconds = parser_cpu;
    timings.parse.items = rows.iter().filter(|row| row.words.is_some()).count() as u64;
    timings.embed = lap;

    tally.enter("Grouping");
    let documents = analysed(&rows, vectors);
    let grouped = documents.len() as u64;
    let (placed, families, mut rows) = spawn_blocking({
        let params = params.clone();
        move || {
            let families = alike(&rows, &prints);
            (place(&documents, &params), families, rows)
        }
    })
    .await
    .map_err(internal)?;
    let placed = placed?;
    timings.analyse = clock.lap(grouped);

    tally.enter("Writing");
    assign(&mut rows, &placed);
    let outcome = results::write(&request, &params, &*model, &rows, &placed, &families)?;
    timings.write = clock.lap(rows.len() as u64);
    let total = whole.lap(0);
    timings.wall_seconds = total.seconds;
    timings.cpu_seconds = own().0 + children().0;
    timings.peak_memory_bytes = own().1;
    timings.peak_parser_memory_bytes = parser_memory;
    results::write_json(&request.out.join("timings.json"), &timings)?;
    Ok(outcome)
}

pub fn unwritable(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("`{}` cannot be written: {error}", path.display()))
        .with_hint("Give a folder that can be written, with --out.")
}

/// What a run reads and compares with.
struct Tools<'a> {
    reader: &'a Reader,
    model: Arc<dyn Embedder>,
    tally: Arc<Tally>,
}

/// Parses in the pool and embeds on all threads at the same time. Gives the rows in the order of the items, their
/// vectors, and the fingerprints of their texts.
async fn read_all(
    items: Vec<Item>,
    request: &Request,
    Tools { reader, model, tally }: Tools<'_>,
) -> Result<(Vec<Row>, Vec<Option<Vectored>>, Vec<Option<Arc<Fingerprint>>>), Failure> {
    let total = items.len();
    let texts_folder = request.text.then(|| request.out.join("text"));
    let (sender, receiver) = mpsc::channel::<(Vec<usize>, ParseRecord)>(GROUP);
    let embedding = spawn_blocking({
        let tally = Arc::clone(&tally);
        move || embed_all(&*model, receiver, total, &tally)
    });

    let mut rows: Vec<Row> = items.iter().map(Row::new).collect();
    let mut work = group_by_content(items, &mut rows, reader.recogniser().id(), &request.passwords);
    // The longest first: one that began last would keep a single core busy while the others have nothing to do.
    work.sort_by_cached_key(|work| Reverse(work.source.bytes()));
    let reading = stream::iter(parcels(work))
        .map(|parcel| async { read_parcel(reader, parcel).await })
        .buffer_unordered(request.processing.concurrent_documents.max(1))
        .flat_map(stream::iter);
    let mut reading = std::pin::pin!(reading);
    while let Some((work, read)) = reading.next().await {
        Tally::add(&tally.parsed, work.rows.len());
        match read {
            Ok(record) => {
                for &row in &work.rows {
                    rows[row].read(&record);
                    if let Some(folder) = &texts_folder {
                        results::write_text(folder, &rows[row].path, &record.text)?;
                    }
                }
                if sender.send((work.rows, record)).await.is_err() {
                    break; // Embedding failed; it says why below.
                }
            }
            Err(failure) => {
                Tally::add(&tally.failed, work.rows.len());
                work.rows.iter().for_each(|&row| rows[row].failure = Some(failure.clone()));
            }
        }
    }
    drop(sender);
    reader.pool().shutdown().await;
    let (outcomes, prints) = embedding.await.map_err(internal)??;
    let vectors = outcomes
        .into_iter()
        .zip(&mut rows)
        .map(|(outcome, row)| match outcome? {
            Ok(vectored) => Some(vectored),
            Err(failure) => {
                row.failure = Some(failure);
                None
            }
        })
        .collect();
    Ok((rows, vectors, prints))
}

/// Content that is read once, for all rows that have it.
struct Work {
    rows: Vec<usize>,
    hints: Hints,
    key: String,
    source: Source,
}

/// Joins items of equal content; the refused ones fail at once.
fn group_by_content(items: Vec<Item>, rows: &mut [Row], recogniser: &str, passwords: &Passwords) -> Vec<Work> {
    let mut work: Vec<Work> = Vec::new();
    let mut by_key: HashMap<String, usize> = HashMap::new();
    for (row, item) in items.into_iter().enumerate() {
        let (kind, sha256) = match &item.source {
            Source::File { file: _, about } => (about.kind, about.sha256.clone()),
            Source::Text { text: _, sha256 } => (DocumentKind::Text, sha256.clone()),
            Source::Refused(failure) => {
                rows[row].failure = Some(failure.clone());
                continue;
            }
        };
        let hints = Hints { name: item.path, passwords: passwords.clone() };
        let key = parse::key(&sha256, &hints, recogniser);
        rows[row].kind = Some(kind);
        rows[row].sha256 = Some(sha256);
        match by_key.get(&key) {
            Some(&known) => work[known].rows.push(row),
            None => {
                by_key.insert(key.clone(), work.len());
                work.push(Work { rows: vec![row], hints, key, source: item.source });
            }
        }
    }
    work
}

/// Cuts the work into what is read as one job: small files together, anything else alone.
fn parcels(work: Vec<Work>) -> Vec<Vec<Work>> {
    let mut parcels: Vec<Vec<Work>> = Vec::new();
    // What still fits into the last parcel, if it is one of small files.
    let mut room = None;
    for work in work {
        let bytes = match &work.source {
            Source::File { file: _, about } if about.bytes <= SMALL => Some(about.bytes),
            Source::File { .. } | Source::Text { .. } | Source::Refused(_) => None,
        };
        let left = room.zip(bytes).and_then(|(room, bytes)| u64::checked_sub(room, bytes));
        match (left, parcels.last_mut()) {
            (Some(_), Some(last)) if last.len() < TOGETHER => {
                room = left;
                last.push(work);
            }
            (Some(_) | None, _) => {
                room = bytes.map(|bytes| PARCEL - bytes);
                parcels.push(vec![work]);
            }
        }
    }
    parcels
}

/// Reads what belongs together, and says what became of each.
async fn read_parcel(reader: &Reader, parcel: Vec<Work>) -> Vec<(Work, Result<ParseRecord, Failure>)> {
    let files: Vec<(&Path, &Hints)> = parcel
        .iter()
        .filter_map(|work| match &work.source {
            Source::File { file, about: _ } => Some((file.as_path(), &work.hints)),
            Source::Text { .. } | Source::Refused(_) => None,
        })
        .collect();
    if files.len() > 1 {
        let results = reader.read_together(&files).await;
        let kept = |(work, result): (Work, Result<ParsedDocument, Part>)| {
            let record = result.map(|parsed| parse::record(parsed, work.key.clone()));
            (work, record.map_err(|part| part.failure))
        };
        return parcel.into_iter().zip(results).map(kept).collect();
    }
    let mut read = Vec::with_capacity(parcel.len());
    for work in parcel {
        let result = read_one(reader, &work).await;
        read.push((work, result));
    }
    read
}

async fn read_one(reader: &Reader, work: &Work) -> Result<ParseRecord, Failure> {
    match &work.source {
        Source::File { file, about: _ } => {
            parse(reader, file, &work.hints, work.key.clone(), &|_, _| {}).await.map_err(|part| part.failure)
        }
        Source::Text { text, .. } => read_plain(text).map(|parsed| parse::record(parsed, work.key.clone())),
        Source::Refused(failure) => Err(failure.clone()),
    }
}

type Embedded = (Vec<Option<Result<Vectored, Failure>>>, Vec<Option<Arc<Fingerprint>>>);

/// Takes texts as they come, embeds what has gathered meanwhile, and takes fingerprints.
fn embed_all(
    model: &dyn Embedder,
    mut receiver: mpsc::Receiver<(Vec<usize>, ParseRecord)>,
    total: usize,
    tally: &Tally,
) -> Result<Embedded, Failure> {
    let mut outcomes: Vec<_> = (0..total).map(|_| None).collect();
    let mut prints: Vec<_> = vec![None; total];
    while let Some(first) = receiver.blocking_recv() {
        let mut bytes = first.1.text.len();
        let mut group = vec![first];
        while group.len() < GROUP && bytes < GROUP_BYTES {
            let Ok(next) = receiver.try_recv() else { break };
            bytes += next.1.text.len();
            group.push(next);
        }
        let texts: Vec<Text<'_>> =
            group.iter().map(|(_, record)| Text { text: &record.text, language: record.language.as_deref() }).collect();
        let embedded = embed(model, &texts)?;
        let taken: Vec<Arc<Fingerprint>> = texts.par_iter().map(|text| Arc::new(Fingerprint::of(text.text))).collect();
        for (((rows, _), outcome), print) in group.iter().zip(embedded).zip(taken) {
            rows.iter().for_each(|&row| prints[row] = Some(Arc::clone(&print)));
            Tally::add(if outcome.is_ok() { &tally.embedded } else { &tally.failed }, rows.len());
            rows.iter().for_each(|&row| outcomes[row] = Some(outcome.clone()));
        }
    }
    Ok((outcomes, prints))
}

/// Families of near-duplicates among the rows.
fn alike(rows: &[Row], prints: &[Option<Arc<Fingerprint>>]) -> Vec<Family> {
    let (indices, inputs): (Vec<usize>, Vec<FamilyInput<'_>>) = rows
        .iter()
        .zip(prints)
        .enumerate()
        .filter_map(|(index, (row, print))| {
            let content = row.sha256.as_deref()?;
            Some((index, FamilyInput { key: &row.path, content, fingerprint: print.as_deref() }))
        })
        .unzip();
    let mut families = families(&inputs);
    families
        .iter_mut()
        .flat_map(|family| &mut family.members)
        .for_each(|member| member.document = indices[member.document]);
    families
}

/// The documents that have a vector, in the canonical order that the store gives too: by (sha256, path).
fn analysed(rows: &[Row], vectors: Vec<Option<Vectored>>) -> Vec<AnalysedDocument> {
    let mut documents: Vec<AnalysedDocument> = rows
        .iter()
        .zip(vectors)
        .filter_map(|(row, vectored)| {
            Some(AnalysedDocument {
                id: row.document,
                path: row.path.clone(),
                sha256: row.sha256.clone()?,
                language: row.language.clone(),
                vectored: vectored?,
            })
        })
        .collect();
    documents.sort_by(|a, b| (&a.sha256, &a.path).cmp(&(&b.sha256, &b.path)));
    documents
}

fn assign(rows: &mut [Row], placed: &Placed) {
    let by_document: HashMap<DocumentId, usize> =
        placed.placements.iter().enumerate().map(|(index, p)| (p.document, index)).collect();
    for row in rows {
        row.placement = by_document.get(&row.document).map(|&index| placed.placements[index].clone());
    }
}

/// An id that the same path always has.
pub fn stable_id(path: &str) -> DocumentId {
    DocumentId(Uuid::new_v5(&Uuid::NAMESPACE_URL, path.as_bytes()))
}
