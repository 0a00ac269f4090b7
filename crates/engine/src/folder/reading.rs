//! Reading: items become rows with vectors, parsing and embedding side by side, each content once.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures::{StreamExt, stream};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sheaf_analysis::{Embedder, Fingerprint};
use sheaf_domain::{DocumentKind, Failure, Passwords};
use sheaf_parsing::{Hints, ParsedDocument, Part, Reader, TOGETHER, read_plain};
use sheaf_store::{ParseRecord, Vectored};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::input::{Item, Source};
use super::results::{self, Row};
use super::{Request, Tally};
use crate::internal;
use crate::reservation::{Reservation, Reservations};
use crate::stages::embed::{Text, embed};
use crate::stages::parse::{self, parse};

/// Texts that are embedded together, at most this many documents…
const GROUP: usize = 64;
/// …or bytes.
const GROUP_BYTES: usize = 4 << 20;

/// Files up to this many bytes are read several at a time…
const SMALL: u64 = 16 << 10;
/// …of so many bytes together.
const PARCEL: u64 = 64 << 10;

/// What a run reads and compares with.
pub struct Tools<'a> {
    pub reader: &'a Reader,
    pub model: Arc<dyn Embedder>,
    pub tally: Arc<Tally>,
}

/// What was read, each in the order of the items.
pub struct Read {
    pub rows: Vec<Row>,
    pub vectors: Vec<Option<Vectored>>,
    /// Fingerprints of texts.
    pub prints: Vec<Option<Arc<Fingerprint>>>,
    /// All that parsing found, if it was to be kept.
    pub records: Vec<Option<Arc<ParseRecord>>>,
}

/// Parses in the pool and embeds on all threads at the same time.
pub async fn read_all(
    items: Vec<Item>,
    request: &Request,
    keep_records: bool,
    Tools { reader, model, tally }: Tools<'_>,
) -> Result<Read, Failure> {
    let total = items.len();
    let texts_folder = request.text.then(|| request.out.join("text"));
    let (sender, receiver) = mpsc::channel::<(Vec<usize>, Arc<ParseRecord>, Reservation)>(GROUP);
    let embedding = spawn_blocking({
        let tally = Arc::clone(&tally);
        move || embed_all(&*model, receiver, total, &tally)
    });

    let mut rows: Vec<Row> = items.iter().map(Row::new).collect();
    let mut records = vec![None; total];
    let mut work = group_by_content(items, &mut rows, reader.recogniser().id(), &request.passwords);
    // The longest first: one that began last would keep a single core busy while the others have nothing to do.
    work.sort_by_cached_key(|work| Reverse(work.source.bytes()));
    let reservations = request.processing.reservations();
    let reading = stream::iter(parcels(work))
        .map(|parcel| async { read_parcel(reader, &reservations, parcel).await })
        .buffer_unordered(request.processing.concurrent_documents.max(1))
        .flat_map(stream::iter);
    let mut reading = std::pin::pin!(reading);
    while let Some((work, read)) = reading.next().await {
        Tally::add(&tally.parsed, work.rows.len());
        match read {
            Ok((record, reservation)) => {
                let record = Arc::new(record);
                for &row in &work.rows {
                    rows[row].read(&record);
                    if keep_records {
                        records[row] = Some(Arc::clone(&record));
                    }
                    if let Some(folder) = &texts_folder {
                        results::write_text(folder, &rows[row].path, &record.text)?;
                    }
                }
                if sender.send((work.rows, record, reservation)).await.is_err() {
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
    Ok(Read { rows, vectors, prints, records })
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
async fn read_parcel(
    reader: &Reader,
    reservations: &Reservations,
    parcel: Vec<Work>,
) -> Vec<(Work, Result<(ParseRecord, Reservation), Failure>)> {
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
            (work, record.map(|record| (record, Reservation::default())).map_err(|part| part.failure))
        };
        return parcel.into_iter().zip(results).map(kept).collect();
    }
    let mut read = Vec::with_capacity(parcel.len());
    for work in parcel {
        let reservation = reservations.reserve(work.source.bytes()).await;
        let result = read_one(reader, &work).await;
        read.push((work, result.map(|record| (record, reservation))));
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
    mut receiver: mpsc::Receiver<(Vec<usize>, Arc<ParseRecord>, Reservation)>,
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
        let texts: Vec<Text<'_>> = group
            .iter()
            .map(|(_, record, _)| Text { text: &record.text, language: record.language.as_deref() })
            .collect();
        let embedded = embed(model, &texts)?;
        let taken: Vec<Arc<Fingerprint>> = texts.par_iter().map(|text| Arc::new(Fingerprint::of(text.text))).collect();
        for (((rows, ..), outcome), print) in group.iter().zip(embedded).zip(taken) {
            rows.iter().for_each(|&row| prints[row] = Some(Arc::clone(&print)));
            Tally::add(if outcome.is_ok() { &tally.embedded } else { &tally.failed }, rows.len());
            rows.iter().for_each(|&row| outcomes[row] = Some(outcome.clone()));
        }
    }
    Ok((outcomes, prints))
}
