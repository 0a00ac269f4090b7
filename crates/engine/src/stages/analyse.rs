//! All vectors of a batch to clusters, names, order and picture.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sheaf_analysis::clustering::neighbours::Neighbours;
use sheaf_analysis::{
    AnalyseInput, AnalyseParams, Analysis, CHUNKING_VERSION, CLUSTERING_VERSION, FAMILIES_VERSION, FoundMerge,
    GroupError, History, Terms, analyse_after,
};
use sheaf_domain::{BatchId, BatchParams, Cluster, ClusterId, Failure, FailureCode, Heatmap, Merge, Method, Stage};
use sheaf_parsing::PARSER_VERSION;
use sheaf_store::{AnalysedDocument, AnalysisResult, Claim, NewClustering, Placement, VectorFile};
use tokio::task::spawn_blocking;

use crate::blobs::DerivedName;
use crate::heatmap::{self, Vectors};
use crate::map::Places;
use crate::stages::past::{Identity, history, report};
use crate::{Engine, internal, metrics, near};

/// What analysing a batch yields.
pub struct Placed {
    /// In the order of the documents that were given.
    pub placements: Vec<Placement>,
    /// Largest first.
    pub clusters: Vec<Cluster>,
    /// How they join, the most similar first.
    pub merges: Vec<Merge>,
    pub silhouette: Option<f32>,
    /// In the order of positions.
    pub vectors: Vectors,
    /// In the order of positions.
    pub places: Places,
    /// See [`Analysis::near`].
    pub near: Neighbours,
    /// The picture of everything.
    pub heatmap: Heatmap,
    /// The numbers and names of groups before what people changed, the largest first.
    pub found: Vec<(ClusterId, String)>,
    /// The first number that was never given.
    pub next: u32,
}

/// Places documents among each other, on all threads of the current rayon pool, going on from what was there before.
///
/// # Errors
/// `invalid_request` when the method cannot take so many documents or finds no groups in them; `internal` when word counts
/// cannot be read back.
pub fn place(documents: &[AnalysedDocument], params: &BatchParams, history: &History) -> Result<Placed, Failure> {
    Ok(placed(documents, analysed(documents, params, history, true)?))
}

/// Groups documents, and draws nothing; with `map` they get their places on it.
///
/// # Errors
/// As [`place`].
pub fn analysed(
    documents: &[AnalysedDocument],
    params: &BatchParams,
    history: &History,
    map: bool,
) -> Result<Analysis, Failure> {
    let terms: Vec<Terms> = documents
        .iter()
        .map(|d| postcard::from_bytes(&d.vectored.terms).map_err(internal))
        .collect::<Result<_, _>>()?;
    let keys: Vec<String> = documents.iter().map(|d| format!("{} {}", d.sha256, d.path)).collect();
    let inputs: Vec<AnalyseInput<'_>> = documents
        .iter()
        .zip(&keys)
        .zip(&terms)
        .map(|((document, key), terms)| AnalyseInput { key, vector: &document.vectored.vector, terms })
        .collect();
    let (method, seed) = (Method::of(params)?, params.seed);
    method.name().check_size(documents.len() as u64)?;
    let valid = AnalyseParams { method, seed, map, ..AnalyseParams::default() }.check().map_err(internal)?;
    analyse_after(&inputs, &valid, history, &|_| {}).map_err(|error| no_groups(&error))
}

fn no_groups(error: &GroupError) -> Failure {
    Failure::new(FailureCode::InvalidRequest, error.to_string())
        .with_hint("Group the documents by another method, or with other parameters.")
}

fn placed(documents: &[AnalysedDocument], analysis: Analysis) -> Placed {
    let numbers = analysis.numbers;
    let clusters: Vec<Cluster> =
        analysis.clusters.into_iter().zip(&numbers).map(|(found, &id)| cluster(found, id, documents)).collect();
    let merges = merges(analysis.merges, &numbers, documents);
    let number = |cluster: Option<u32>| cluster.map(|index| ClusterId(numbers[index as usize]));
    let dimensions = documents.first().map_or(1, |d| d.vectored.vector.len());
    let mut values = Vec::with_capacity(documents.len() * dimensions);
    analysis.order.iter().for_each(|&i| values.extend_from_slice(&documents[i].vectored.vector));
    let vectors = Vectors::new(values, dimensions);
    let places = Places(analysis.order.iter().map(|&i| analysis.places[i]).collect());
    let named: Vec<heatmap::Placed> = analysis
        .order
        .iter()
        .map(|&i| heatmap::Placed {
            id: documents[i].id,
            path: documents[i].path.clone(),
            cluster: number(analysis.placements[i].cluster),
        })
        .collect();
    let position = |document: usize| analysis.placements[document].position as usize;
    let nearest: heatmap::Nearest = analysis
        .order
        .iter()
        .map(|&i| analysis.neighbours[i].iter().map(|&(other, similarity)| (position(other), similarity)).collect())
        .collect();
    let heatmap = heatmap::draw(&vectors, &named, &clusters, &nearest);
    let placements = analysis
        .placements
        .iter()
        .zip(&analysis.neighbours)
        .zip(documents)
        .zip(&analysis.found)
        .map(|(((place, neighbours), document), &found)| Placement {
            document: document.id,
            cluster: number(place.cluster),
            found: Some(ClusterId(found)),
            probability: place.probability,
            position: place.position,
            neighbours: neighbours.iter().map(|&(other, similarity)| (documents[other].id, similarity)).collect(),
        })
        .collect();
    Placed {
        placements,
        clusters,
        merges,
        silhouette: analysis.silhouette,
        vectors,
        places,
        near: analysis.near,
        heatmap,
        found: analysis.found_names.into_iter().map(|(number, name)| (ClusterId(number), name)).collect(),
        next: analysis.next,
    }
}

fn cluster(found: sheaf_analysis::FoundCluster, id: u32, documents: &[AnalysedDocument]) -> Cluster {
    let representative = &documents[found.representative];
    Cluster {
        id: ClusterId(id),
        name: found.name,
        keywords: found.keywords,
        size: u64::from(found.size),
        cohesion: found.cohesion,
        average_probability: found.average_probability,
        representative: representative.id,
        representative_path: representative.path.clone(),
        named_by: found.named_by,
        edited: found.edited,
    }
}

/// The merges with the numbers that groups have outside: those of clusters, then [`Merge::FIRST`] and on.
fn merges(found: Vec<FoundMerge>, numbers: &[u32], documents: &[AnalysedDocument]) -> Vec<Merge> {
    let number = |part: usize| {
        numbers.get(part).copied().unwrap_or_else(|| Merge::FIRST + to_u32(part.saturating_sub(numbers.len())))
    };
    let merge = |(found, index): (FoundMerge, u32)| Merge {
        group: cluster(found.group, Merge::FIRST + index, documents),
        parts: found.parts.map(|part| ClusterId(number(part))),
        similarity: found.similarity,
        start: found.start,
    };
    found.into_iter().zip(0..).map(merge).collect()
}

fn to_u32(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// What a clustering depends on: with the same manifest the same clusters come out.
#[derive(Debug, Serialize)]
pub struct Manifest {
    sheaf: &'static str,
    parser: u32,
    chunking: u32,
    clustering: u32,
    families: u32,
    /// The model's files and version.
    model: String,
    params: BatchParams,
    documents: usize,
    /// SHA-256 over the lines `sha256  path` of all documents, in the order of these lines.
    documents_sha256: String,
    /// The hash of each document by its path.
    files: BTreeMap<String, String>,
    /// What there was before, and what people changed; absent of a first analysis that nobody changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<Identity>,
}

impl Manifest {
    /// Of the documents given as (path, sha256), in any order.
    pub fn new<'a>(params: &BatchParams, model: &str, documents: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let files: BTreeMap<String, String> = documents.map(|(p, s)| (p.to_owned(), s.to_owned())).collect();
        let mut lines: Vec<String> = files.iter().map(|(path, sha256)| format!("{sha256}  {path}\n")).collect();
        lines.sort_unstable();
        Self {
            sheaf: env!("CARGO_PKG_VERSION"),
            parser: PARSER_VERSION,
            chunking: CHUNKING_VERSION,
            clustering: CLUSTERING_VERSION,
            families: FAMILIES_VERSION,
            model: model.to_owned(),
            params: params.clone(),
            documents: files.len(),
            documents_sha256: hex::encode(Sha256::digest(lines.concat())),
            files,
            identity: None,
        }
    }

    /// The same of clusters with a history.
    #[must_use]
    pub fn with_identity(self, identity: Option<Identity>) -> Self {
        Self { identity, ..self }
    }
}

pub(crate) async fn run(engine: &Engine, claim: &Claim) -> Result<(), Failure> {
    let Some(batch) = engine.store().batch(claim.batch).await? else { return Ok(()) };
    let documents = engine.store().analysed_documents(claim.batch).await?;
    // Without a document no model is wanted, so that a batch of broken files ends on a machine without models too.
    let model = match documents.is_empty() {
        true => String::new(),
        false => engine.models().get(batch.params.model).await?.id().to_owned(),
    };
    let params = batch.params.clone();
    let past = engine.store().cluster_past(claim.batch).await?;
    let history = history(&past, &documents, false);
    let (placed, documents) =
        spawn_blocking(move || (place(&documents, &params, &history), documents)).await.map_err(internal)?;
    let placed = placed?;
    let families = super::families::find(engine, claim.batch).await?;
    let files = documents.iter().map(|d| (d.path.as_str(), d.sha256.as_str()));
    let identity = Identity::new(&past, &placed.found, &documents);
    let manifest = Manifest::new(&batch.params, &model, files).with_identity(identity);
    let manifest = serde_json::to_string(&manifest).map_err(internal)?;
    let report = report(&past, &placed);
    let clustering = keep_vectors(engine, claim.batch, &claim.attempt.to_string(), placed, manifest).await?;
    let result = AnalysisResult { claim: claim.clone(), families, clustering, report };
    if metrics::of_queue(Stage::Analyse, "complete", engine.store().complete_analysis(&result)).await? {
        metrics::completed(Stage::Analyse, 1);
    }
    Ok(())
}

/// Writes the files of vectors, places and neighbours, whose names have `tag` in them. The files first, the rows second: a crash in between
/// leaves files that nothing names, and the next attempt has names of its own.
pub(crate) async fn keep_vectors(
    engine: &Engine,
    batch: BatchId,
    tag: &str,
    placed: Placed,
    manifest: String,
) -> Result<NewClustering, Failure> {
    let name = DerivedName::new(batch, &format!("{tag}{}", DerivedName::VECTORS))?;
    let vectors = (placed.vectors.rows() > 0).then(|| VectorFile {
        name: name.to_string(),
        rows: to_u32(placed.vectors.rows()),
        dimensions: to_u32(placed.vectors.dimensions()),
    });
    if vectors.is_some() {
        engine.blobs().put_derived(&name, placed.vectors.to_bytes().into()).await?;
        engine.blobs().put_derived(&Places::name(&name)?, placed.places.to_bytes()).await?;
        engine.blobs().put_derived(&near::name(&name)?, near::to_bytes(&placed.near)).await?;
    }
    Ok(NewClustering {
        placements: placed.placements,
        clusters: placed.clusters,
        merges: placed.merges,
        silhouette: placed.silhouette,
        vectors,
        heatmap: placed.heatmap,
        manifest,
        found: placed.found,
        next: placed.next,
    })
}
