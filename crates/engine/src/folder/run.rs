//! The run: parsing and embedding side by side, then grouping, then writing.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use sheaf_analysis::{Embedder, Family, FamilyInput, Fingerprint, families};
use sheaf_domain::{DocumentId, Failure, FailureCode};
use sheaf_store::{AnalysedDocument, Vectored};
use tempfile::TempDir;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::input::{self, Opener};
use super::reading::{Read, Tools, read_all};
use super::results::{self, Row};
use super::timings::{Clock, Timings, children, own};
use super::{Outcome, Request, Tally};
use crate::blobs::{LocalBlobs, Staging};
use crate::intake::disk;
use crate::models::Models;
use crate::shards::Shard;
use crate::stages::analyse::{Placed, place};
use crate::{internal, sandbox};

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

    let read = gather(&request, None, &tally, |listed| timings.list = clock.lap(listed)).await?;
    let Gathered { model, read: Read { rows, vectors, prints, records: _ }, _scratch } = read;
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
        let replay = request.replay.clone();
        move || {
            let families = alike(&rows, &prints);
            let history = replay.map(|identity| identity.history(&documents)).unwrap_or_default();
            (place(&documents, &params, &history), families, rows)
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

/// What the inputs hold, read and compared.
pub struct Gathered {
    pub model: Arc<dyn Embedder>,
    pub read: Read,
    /// Where archives were unpacked.
    pub _scratch: TempDir,
}

/// Lists what the inputs hold, or one shard of it, parses and embeds it. `on_listed` hears how much there is.
pub async fn gather(
    request: &Request,
    shard: Option<Shard>,
    tally: &Arc<Tally>,
    on_listed: impl FnOnce(u64),
) -> Result<Gathered, Failure> {
    // Loading takes longer than listing most folders: both at once.
    let model = tokio::spawn({
        let models = Models::new(request.processing.models.clone());
        let name = request.params.model;
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
            input::list(&inputs, fields.as_ref(), shard, &opener)
        }
    });
    let items = items.await.map_err(internal)??;
    Tally::add(&tally.total, items.len());
    on_listed(items.len() as u64);

    tally.enter("Reading and comparing");
    let model = model.await.map_err(internal)??;
    let tools = Tools { reader: &reader, model: Arc::clone(&model), tally: Arc::clone(tally) };
    let read = read_all(items, request, shard.is_some(), tools).await?;
    Ok(Gathered { model, read, _scratch: scratch })
}

pub fn unwritable(path: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("`{}` cannot be written: {error}", path.display()))
        .with_hint("Give a folder that can be written, with --out.")
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
