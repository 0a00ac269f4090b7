//! All vectors of a batch to clusters, names, order and picture.

use std::collections::BTreeMap;

use serde::Serialize;
use sha2::{Digest, Sha256};
use sheaf_analysis::{
    AnalyseInput, AnalyseParams, Analysis, CHUNKING_VERSION, CLUSTERING_VERSION, FAMILIES_VERSION, FoundMerge,
    GroupError, Terms, analyse,
};
use sheaf_domain::{BatchParams, Cluster, ClusterId, Failure, FailureCode, Heatmap, Merge, Method, Stage};
use sheaf_parsing::PARSER_VERSION;
use sheaf_store::{AnalysedDocument, AnalysisResult, Claim, Placement, VectorFile};
use tokio::task::spawn_blocking;

use crate::blobs::DerivedName;
use crate::heatmap::{self, Vectors};
use crate::map::Places;
use crate::{Engine, internal, metrics};

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
    /// The picture of everything.
    pub heatmap: Heatmap,
}

/// Places documents among each other, on all threads of the current rayon pool.
///
/// # Errors
/// `invalid_request` when the method cannot take so many documents or finds no groups in them; `internal` when word counts
/// cannot be read back.
pub fn place(documents: &[AnalysedDocument], params: &BatchParams) -> Result<Placed, Failure> {
    Ok(placed(documents, analysed(documents, params)?))
}

/// Groups documents, and draws nothing.
///
/// # Errors
/// As [`place`].
pub fn analysed(documents: &[AnalysedDocument], params: &BatchParams) -> Result<Analysis, Failure> {
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
    let valid = AnalyseParams { method, seed, ..AnalyseParams::default() }.check().map_err(internal)?;
    analyse(&inputs, &valid, &|_| {}).map_err(|error| no_groups(&error))
}

fn no_groups(error: &GroupError) -> Failure {
    Failure::new(FailureCode::InvalidRequest, error.to_string())
        .with_hint("Group the documents by another method, or with other parameters.")
}

fn placed(documents: &[AnalysedDocument], analysis: Analysis) -> Placed {
    let clusters: Vec<Cluster> =
        analysis.clusters.into_iter().zip(0..).map(|(found, id)| cluster(found, id, documents)).collect();
    let merges = merges(analysis.merges, to_u32(clusters.len()), documents);
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
            cluster: analysis.placements[i].cluster.map(ClusterId),
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
        .map(|((place, neighbours), document)| Placement {
            document: document.id,
            cluster: place.cluster.map(ClusterId),
            probability: place.probability,
            position: place.position,
            neighbours: neighbours.iter().map(|&(other, similarity)| (documents[other].id, similarity)).collect(),
        })
        .collect();
    Placed { placements, clusters, merges, silhouette: analysis.silhouette, vectors, places, heatmap }
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
    }
}

/// The merges with the numbers that groups have outside: those of clusters, then [`Merge::FIRST`] and on.
fn merges(found: Vec<FoundMerge>, clusters: u32, documents: &[AnalysedDocument]) -> Vec<Merge> {
    let number = |part: usize| match to_u32(part) {
        part if part < clusters => part,
        part => Merge::FIRST + (part - clusters),
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
        }
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
    let (placed, documents) =
        spawn_blocking(move || (place(&documents, &params), documents)).await.map_err(internal)?;
    let placed = placed?;
    let families = super::families::find(engine, claim.batch).await?;
    let files = documents.iter().map(|d| (d.path.as_str(), d.sha256.as_str()));
    let manifest = serde_json::to_string(&Manifest::new(&batch.params, &model, files)).map_err(internal)?;

    // The files first, the rows second: a crash in between leaves files that nothing names, and the next attempt has
    // names of its own.
    let name = DerivedName::new(claim.batch, &format!("{}.f32", claim.attempt))?;
    let vectors = (placed.vectors.rows() > 0).then(|| VectorFile {
        name: name.to_string(),
        rows: u32::try_from(placed.vectors.rows()).unwrap_or(u32::MAX),
        dimensions: u32::try_from(placed.vectors.dimensions()).unwrap_or(u32::MAX),
    });
    if vectors.is_some() {
        engine.blobs().put_derived(&name, placed.vectors.to_bytes().into()).await?;
        engine.blobs().put_derived(&Places::name(&name)?, placed.places.to_bytes()).await?;
    }
    let result = AnalysisResult {
        claim: claim.clone(),
        placements: placed.placements,
        clusters: placed.clusters,
        merges: placed.merges,
        families,
        silhouette: placed.silhouette,
        vectors,
        heatmap: placed.heatmap,
        manifest,
    };
    if engine.store().complete_analysis(&result).await? {
        metrics::completed(Stage::Analyse, 1);
    }
    Ok(())
}
