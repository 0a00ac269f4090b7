//! Computes the clusterings that people ask for, one at a time in a process, from the vectors that the store has.

use std::time::{Duration, Instant};

use sheaf_analysis::History;
use sheaf_domain::{Failure, TriedCluster};
use sheaf_store::{AnalysedDocument, FoundTried, TriedClaim, TriedPlaces};
use tokio::task::spawn_blocking;
use tokio_util::sync::CancellationToken;

use crate::stages::analyse::analysed;
use crate::{Engine, internal};

/// Longest wait before the store is asked again.
const POLL: Duration = Duration::from_secs(1);
/// How long a clustering is left to a process that gives no sign of life, and how often it gives one.
const LEASE_MS: u64 = 30_000;
const SIGN: Duration = Duration::from_secs(8);
/// A clustering with which so many processes ended is not tried again: it may be what ends them.
const MOST_ATTEMPTS: u32 = 5;

/// Takes what is asked for until it is told to close. What is under way when `stop` comes goes on elsewhere, or after the next start.
pub async fn work(engine: Engine, (closing, stop): (CancellationToken, CancellationToken)) {
    if !engine.store().is_shared()
        && let Err(error) = engine.store().free_tried().await
    {
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            "what an earlier process computed waits for its lease"
        );
    }
    while !closing.is_cancelled() {
        let woken = engine.woken();
        let claim = engine.store().claim_tried(LEASE_MS, MOST_ATTEMPTS).await.unwrap_or_else(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "no clustering could be claimed");
            None
        });
        match claim {
            Some(claim) => {
                tokio::select! {
                    () = compute(&engine, &claim) => {}
                    () = stop.cancelled() => break,
                }
            }
            None => {
                tokio::select! {
                    () = closing.cancelled() => break,
                    () = woken => {}
                    () = tokio::time::sleep(POLL) => {}
                }
            }
        }
    }
}

/// Computes one under its lease and notes what came of it.
async fn compute(engine: &Engine, claim: &TriedClaim) {
    let found = tokio::select! {
        found = find(engine, claim) => found,
        () = lost(engine, claim) => return,
    };
    if let Err(error) = engine.store().finish_tried(claim, &found).await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(clustering = %claim.id, error, "a clustering could not be kept; it is computed again");
    }
}

/// Gives signs of life, and resolves when the lease was lost or the clustering removed.
async fn lost(engine: &Engine, claim: &TriedClaim) {
    loop {
        tokio::time::sleep(SIGN).await;
        match engine.store().keep_tried(claim, LEASE_MS).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "no sign of life could be given"),
        }
    }
}

async fn find(engine: &Engine, claim: &TriedClaim) -> Result<FoundTried, Failure> {
    let documents = engine.store().analysed_documents(claim.batch).await?;
    let TriedClaim { batch, params, .. } = claim.clone();
    spawn_blocking(move || {
        let started = Instant::now();
        let analysis = analysed(&documents, &params, &History::default(), false)?;
        tracing::debug!(%batch, documents = documents.len(), "a clustering was computed");
        Ok(found(&documents, &analysis, started.elapsed()))
    })
    .await
    .map_err(internal)?
}

fn found(documents: &[AnalysedDocument], analysis: &sheaf_analysis::Analysis, took: Duration) -> FoundTried {
    let cluster = |cluster: &sheaf_analysis::FoundCluster| {
        let representative = &documents[cluster.representative];
        TriedCluster {
            name: cluster.name.clone(),
            size: u64::from(cluster.size),
            representative: representative.id,
            representative_path: representative.path.clone(),
        }
    };
    let place = |(document, place): (&AnalysedDocument, &sheaf_analysis::Placement)| (document.id, place.cluster);
    FoundTried {
        seconds: took.as_secs_f32(),
        silhouette: analysis.silhouette,
        clusters: analysis.clusters.iter().map(cluster).collect(),
        places: TriedPlaces(documents.iter().zip(&analysis.placements).map(place).collect()),
    }
}
