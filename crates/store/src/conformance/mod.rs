//! The suite that every store has to pass: a store's tests call [`run`] with a way to open an empty one.

mod batches;
mod queue;
mod results;

use sheaf_domain::{BatchId, BatchParams, DocumentId, DocumentKind, DocumentMetadata, PageRecognition, Stage, WordBox};
use uuid::Uuid;

use crate::{Claim, EmbedOutcome, EmbedResult, NewBatch, NewDocument, ParseRecord, Store, Vectored};

/// Runs every check, each on a store of its own.
///
/// # Panics
/// When the store breaks the contract.
pub async fn run<S: Store>(open: impl AsyncFn() -> S) {
    batches::a_batch_is_listed_with_its_counts(&open().await).await;
    batches::an_unsealed_batch_is_never_analysed(&open().await).await;
    batches::deleting_takes_everything_along(&open().await).await;
    batches::an_empty_batch_is_analysed_too(&open().await).await;
    queue::a_job_is_leased_once(&open().await).await;
    queue::a_late_attempt_changes_nothing(&open().await).await;
    queue::a_lost_lease_returns_and_the_third_loss_fails(&open().await).await;
    queue::suspects_come_last_and_alone(&open().await).await;
    queue::a_heartbeat_keeps_and_a_release_returns(&open().await).await;
    queue::a_retry_waits(&open().await).await;
    queue::concurrent_workers_share_the_work(&open().await).await;
    results::the_last_document_queues_the_analysis(&open().await).await;
    results::a_result_is_remembered_by_content(&open().await).await;
    results::the_table_filters_sorts_and_pages(&open().await).await;
    results::neighbours_and_positions_are_kept(&open().await).await;
}

const LEASE: u64 = 60_000;

async fn batch_of<S: Store>(store: &S, paths: &[&str]) -> (BatchId, Vec<DocumentId>) {
    let batch = BatchId(Uuid::now_v7());
    store
        .create_batch(&NewBatch { id: batch, name: "Letters".into(), params: BatchParams::default() })
        .await
        .expect("a batch can be made");
    let documents: Vec<NewDocument> = paths
        .iter()
        .map(|path| NewDocument {
            id: DocumentId(Uuid::now_v7()),
            path: (*path).into(),
            sha256: format!("{path:0>64}"),
            bytes: 10,
            kind: Some(DocumentKind::Pdf),
            failure: None,
        })
        .collect();
    store.add_documents(batch, &documents).await.expect("documents can be added");
    (batch, documents.into_iter().map(|d| d.id).collect())
}

async fn claim<S: Store>(store: &S, stage: Stage, limit: u32) -> Vec<Claim> {
    store.claim(stage, "worker-1", limit, LEASE).await.expect("jobs can be claimed")
}

const WORD: WordBox = WordBox { start: 0, length: 2, left: 10, top: 20, width: 30, height: 40 };

fn record(key: &str) -> ParseRecord {
    ParseRecord {
        key: key.into(),
        kind: DocumentKind::Text,
        pages: 2,
        words: 7,
        language: Some("eng".into()),
        metadata: DocumentMetadata { title: Some("A letter".into()), ..DocumentMetadata::default() },
        problems: Vec::new(),
        text: format!("text of {key}"),
        page_starts: vec![0, 8],
        recognised: vec![PageRecognition { page: 2, confidence: 0.5, words: vec![WORD] }],
    }
}

/// Carries every document of the store through parse and embed; each gets a vector of its own.
async fn finish_all<S: Store>(store: &S) {
    for (i, parse) in claim(store, Stage::Parse, 100).await.iter().enumerate() {
        assert!(store.complete_parse(parse, &record(&format!("parse-{i}"))).await.expect("a parse completes"));
    }
    let claims = claim(store, Stage::Embed, 100).await;
    let results: Vec<EmbedResult> = claims
        .iter()
        .enumerate()
        .map(|(i, claim)| EmbedResult {
            claim: claim.clone(),
            key: format!("vector-{i}"),
            outcome: EmbedOutcome::Vectored(Vectored { vector: vec![1.0, i as f32], terms: vec![i as u8] }),
        })
        .collect();
    let finished = store.complete_embed(&results).await.expect("embedding completes");
    assert_eq!(finished.len(), claims.len());
}
