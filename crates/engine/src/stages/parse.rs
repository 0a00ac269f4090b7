//! Bytes to text, in child processes; remembered by content.

use std::collections::HashSet;
use std::convert::Infallible;
use std::path::Path;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use sheaf_domain::{Failure, JobId, PageRecognition, Passwords, Stage};
use sheaf_parsing::{Hints, OnPages, PARSER_VERSION, ParsedDocument, Part, Reader};
use sheaf_store::{Claim, ParseInput, ParseRecord};
use tokio::sync::watch;

use super::give_up;
use crate::reservation::Reservation;
use crate::{Engine, metrics, partial};

/// How often what was read is kept.
const KEPT_EVERY: Duration = Duration::from_millis(300);

/// How often the number of pages that are read is written down.
const NOTED_EVERY: Duration = Duration::from_millis(700);

/// Under which key the result for these bytes is remembered. The suffix of the name is part of it, for it decides between
/// kinds of plain text; so are what recognises text, and the passwords.
pub fn key(sha256: &str, hints: &Hints, recogniser: &str) -> String {
    let Hints { name: path, passwords } = hints;
    let name = path.rsplit('/').next().unwrap_or(path);
    let suffix = name.rsplit_once('.').map_or("", |(_, suffix)| suffix).to_ascii_lowercase();
    let suffix: String = suffix.chars().take(16).collect();
    let key = format!("{sha256}:{PARSER_VERSION}:{recogniser}:{suffix}");
    digest(passwords).map_or(key.clone(), |digest| format!("{key}:{digest}"))
}

/// Tells results by their passwords, of which it betrays nothing of use: what one has opened is not for who has none.
pub fn digest(passwords: &Passwords) -> Option<String> {
    let mut hasher = Sha256::new();
    passwords.iter().for_each(|password| {
        hasher.update(password);
        hasher.update([0]);
    });
    (!passwords.is_empty()).then(|| hex::encode(&hasher.finalize()[..8]))
}

/// Reads a file.
///
/// # Errors
/// Why the document cannot be used, as its page will show it.
pub async fn parse(
    reader: &Reader,
    file: &Path,
    hints: &Hints,
    key: String,
    on_pages: OnPages<'_>,
) -> Result<ParseRecord, Part> {
    Ok(record(reader.read(file, hints, on_pages).await?, key))
}

/// What is kept of a document.
pub fn record(parsed: ParsedDocument, key: String) -> ParseRecord {
    ParseRecord {
        key,
        kind: parsed.kind,
        pages: u32::try_from(parsed.pages.len()).unwrap_or(u32::MAX),
        words: parsed.words,
        text: parsed.text(),
        page_starts: parsed.page_starts(),
        recognised: parsed
            .recognised
            .into_iter()
            .map(|(page, found)| PageRecognition { page, confidence: found.confidence, words: found.words })
            .collect(),
        language: parsed.language,
        metadata: parsed.metadata,
        problems: parsed.problems,
    }
}

/// Reads the documents of a group one after the other. What is read is kept together now and then: a transaction for each
/// of many small documents would cost more than reading them.
pub(crate) async fn run(engine: &Engine, claims: &[Claim]) -> Result<(), Failure> {
    let _reading = engine.thumbnails().hold_back();
    let mut read = Vec::new();
    let mut reserved = Vec::new();
    let mut since = Instant::now();
    for input in engine.store().parse_inputs(claims).await? {
        match read_one(engine, &input).await {
            Ok((record, reservation)) => {
                read.push((input.claim, record));
                reserved.push(reservation);
            }
            Err(failure) => give_up(engine, &[input.claim], &failure).await,
        }
        // Nothing is held while waiting for more.
        if since.elapsed() >= KEPT_EVERY || reserved.iter().any(Reservation::is_large) {
            complete(engine, &std::mem::take(&mut read)).await?;
            reserved.clear();
            engine.wake();
            since = Instant::now();
        }
    }
    if !read.is_empty() {
        complete(engine, &read).await?;
    }
    Ok(())
}

/// Keeps what was read, and wants small pictures of what has pages to look at.
async fn complete(engine: &Engine, read: &[(Claim, ParseRecord)]) -> Result<(), Failure> {
    let completed = metrics::of_queue(Stage::Parse, "complete", engine.store().complete_parses(read)).await?;
    let finished: HashSet<JobId> = completed.into_iter().collect();
    metrics::completed(Stage::Parse, finished.len());
    let seen = read.iter().filter(|(claim, record)| finished.contains(&claim.job) && record.kind.has_pictures());
    engine.thumbnails().want(seen.filter_map(|(claim, _)| Some((claim.batch, claim.document?))));
    Ok(())
}

async fn read_one(engine: &Engine, input: &ParseInput) -> Result<(ParseRecord, Reservation), Failure> {
    let hints = Hints { name: input.path.clone(), passwords: input.passwords.clone() };
    let key = key(&input.sha256, &hints, engine.reader().recogniser().id());
    if let Some(record) = engine.store().remembered_parse(&key).await? {
        metrics::remembered(Stage::Parse, 1);
        return Ok((record, Reservation::default()));
    }
    metrics::worked(Stage::Parse, 1);
    let file = engine.blobs().file(&input.sha256).await?;
    let reservation = engine.reservations().reserve(bytes_of(file.path()).await).await;
    let (sender, receiver) = watch::channel((0, 0));
    let on_pages = |done, total| {
        sender.send_replace((done, total));
    };
    let read = tokio::select! {
        read = parse(engine.reader(), file.path(), &hints, key, &on_pages) => read,
        never = note_pages(engine, &input.claim, receiver) => match never {},
    };
    match read {
        Ok(record) => Ok((record, reservation)),
        Err(part) => {
            partial::keep(engine, input.claim.batch, input.document, &part).await;
            Err(part.failure)
        }
    }
}

/// The size of a file; of one that is not there, reading tells the reason.
async fn bytes_of(file: &Path) -> u64 {
    tokio::fs::metadata(file).await.map_or(0, |about| about.len())
}

/// Writes down how many pages are read, now and then, until the future is dropped.
async fn note_pages(engine: &Engine, claim: &Claim, mut pages: watch::Receiver<(u32, u32)>) -> Infallible {
    loop {
        if pages.changed().await.is_err() {
            return std::future::pending().await;
        }
        let (done, total) = *pages.borrow_and_update();
        if let Err(error) = engine.store().note_pages(claim, done, total).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "progress could not be noted");
        }
        tokio::time::sleep(NOTED_EVERY).await;
    }
}
