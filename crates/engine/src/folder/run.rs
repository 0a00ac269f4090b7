//! The run: parsing and embedding side by side, then grouping, then writing.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use sheaf_analysis::Embedder;
use sheaf_domain::{DocumentId, DocumentKind, Failure, FailureCode, Passwords};
use sheaf_parsing::{Hints, Reader, detect_kind, read_plain};
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
    let model = Models::new(request.processing.models.clone()).get(params.model).await?;
    let (mut rows, vectors) = {
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
    let (placed, documents) = spawn_blocking({
        let params = params.clone();
        move || (place(&documents, &params), documents)
    })
    .await
    .map_err(internal)?;
    let placed = placed?;
    timings.analyse = clock.lap(documents.len() as u64);

    tally.enter("Writing");
    assign(&mut rows, &placed);
    let outcome = results::write(&request, &params, &*model, &rows, &placed)?;
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

/// Parses in the pool and embeds on all threads at the same time. Gives the rows in the order of the items, and their
/// vectors.
async fn read_all(
    items: Vec<Item>,
    request: &Request,
    Tools { reader, model, tally }: Tools<'_>,
) -> Result<(Vec<Row>, Vec<Option<Vectored>>), Failure> {
    let total = items.len();
    let texts_folder = request.text.then(|| request.out.join("text"));
    let (sender, receiver) = mpsc::channel::<(Vec<usize>, ParseRecord)>(GROUP);
    let embedding = spawn_blocking({
        let tally = Arc::clone(&tally);
        move || embed_all(&*model, receiver, total, &tally)
    });

    let mut rows: Vec<Row> = items.iter().map(Row::new).collect();
    let mut work = group_by_content(items, &mut rows, reader.recogniser().id(), &request.passwords).await?;
    // The longest first: one that began last would keep a single core busy while the others have nothing to do.
    work.sort_by_cached_key(|work| Reverse(work.source.bytes()));
    let reading = stream::iter(work)
        .map(|work| async { (read_one(reader, &work).await, work) })
        .buffer_unordered(request.processing.concurrent_documents.max(1));
    let mut reading = std::pin::pin!(reading);
    while let Some((read, work)) = reading.next().await {
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
    let outcomes = embedding.await.map_err(internal)??;
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
    Ok((rows, vectors))
}

/// Content that is read once, for all rows that have it.
struct Work {
    rows: Vec<usize>,
    hints: Hints,
    key: String,
    source: Source,
}

/// Hashes the files on all threads and joins those of equal content; the refused ones fail at once.
async fn group_by_content(
    items: Vec<Item>,
    rows: &mut [Row],
    recogniser: &str,
    passwords: &Passwords,
) -> Result<Vec<Work>, Failure> {
    let hashed = spawn_blocking(move || {
        use rayon::iter::{IntoParallelIterator, ParallelIterator};
        items.into_par_iter().map(|item| (hash(&item.source), kind(&item), item)).collect::<Vec<_>>()
    });
    let mut work: Vec<Work> = Vec::new();
    let mut by_key: HashMap<String, usize> = HashMap::new();
    for (row, (sha256, kind, item)) in hashed.await.map_err(internal)?.into_iter().enumerate() {
        rows[row].kind = kind;
        match (sha256, item.source) {
            (Err(failure), _) | (_, Source::Refused(failure)) => rows[row].failure = Some(failure),
            (Ok(sha256), source) => {
                let hints = Hints { name: item.path, passwords: passwords.clone() };
                let key = parse::key(&sha256, &hints, recogniser);
                rows[row].sha256 = Some(sha256);
                match by_key.get(&key) {
                    Some(&known) => work[known].rows.push(row),
                    None => {
                        by_key.insert(key.clone(), work.len());
                        work.push(Work { rows: vec![row], hints, key, source });
                    }
                }
            }
        }
    }
    Ok(work)
}

/// What a file looks like; parsing may know better, but when it fails this is what is known.
fn kind(item: &Item) -> Option<DocumentKind> {
    match &item.source {
        Source::File(path) => fs::File::open(path).and_then(|file| detect_kind(file, &item.path)).ok(),
        Source::Text { .. } => Some(DocumentKind::Text),
        Source::Refused(_) => None,
    }
}

fn hash(source: &Source) -> Result<String, Failure> {
    match source {
        Source::File(path) => {
            let mut hasher = Sha256::new();
            fs::File::open(path)
                .and_then(|mut file| std::io::copy(&mut file, &mut hasher))
                .map_err(|error| Failure::new(FailureCode::CorruptFile, format!("the file cannot be read: {error}")))?;
            Ok(hex::encode(hasher.finalize()))
        }
        Source::Text { sha256, .. } => Ok(sha256.clone()),
        Source::Refused(failure) => Err(failure.clone()),
    }
}

async fn read_one(reader: &Reader, work: &Work) -> Result<ParseRecord, Failure> {
    match &work.source {
        Source::File(path) => {
            let file: PathBuf = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            parse(reader, &file, &work.hints, work.key.clone(), &|_, _| {}).await.map_err(|part| part.failure)
        }
        Source::Text { text, .. } => {
            let parsed = read_plain(text)?;
            Ok(ParseRecord {
                key: work.key.clone(),
                kind: DocumentKind::Text,
                pages: 1,
                words: parsed.words,
                text: parsed.text(),
                page_starts: parsed.page_starts(),
                recognised: Vec::new(),
                language: parsed.language,
                metadata: parsed.metadata,
                problems: parsed.problems,
            })
        }
        Source::Refused(failure) => Err(failure.clone()),
    }
}

type Embedded = Vec<Option<Result<Vectored, Failure>>>;

/// Takes texts as they come and embeds what has gathered meanwhile.
fn embed_all(
    model: &dyn Embedder,
    mut receiver: mpsc::Receiver<(Vec<usize>, ParseRecord)>,
    total: usize,
    tally: &Tally,
) -> Result<Embedded, Failure> {
    let mut outcomes: Embedded = (0..total).map(|_| None).collect();
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
        for ((rows, _), outcome) in group.iter().zip(embedded) {
            Tally::add(if outcome.is_ok() { &tally.embedded } else { &tally.failed }, rows.len());
            rows.iter().for_each(|&row| outcomes[row] = Some(outcome.clone()));
        }
    }
    Ok(outcomes)
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
