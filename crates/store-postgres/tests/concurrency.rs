//! Many workers at once, each with a pool of its own, as on many machines: every job ends exactly once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sheaf_domain::{
    BatchId, BatchParams, DocumentId, DocumentKind, DocumentMetadata, Failure, FailureCode, JobId, OnError, Passwords,
    RunPolicy, Stage, Status,
};
use sheaf_store::{
    AnalysisResult, Claim, EmbedOutcome, EmbedResult, FoundFamilies, NewBatch, NewClustering, NewDocument, ParseRecord,
    Room, Store, Vectored, WorkerState,
};
use sheaf_store_postgres::PostgresStore;
use sheaf_test_postgres::TestPostgres;
use tokio::task::JoinSet;
use uuid::Uuid;

async fn batch(store: &PostgresStore, documents: usize, on_error: OnError) -> BatchId {
    let batch = BatchId(Uuid::now_v7());
    let policy = RunPolicy { on_error, ..RunPolicy::default() };
    let (params, passwords) = (BatchParams::default(), Passwords::default());
    store
        .create_batch(&NewBatch { id: batch, name: "Many".into(), params, policy, passwords, trace: None })
        .await
        .expect("made");
    let documents: Vec<NewDocument> = (0..documents)
        .map(|i| NewDocument {
            id: DocumentId(Uuid::now_v7()),
            path: format!("{i:05}.txt"),
            // Batches share contents.
            sha256: format!("{:064}", i % 500),
            bytes: 1 + i as u64 % 7,
            kind: Some(DocumentKind::Text),
            failure: None,
        })
        .collect();
    for group in documents.chunks(64) {
        store.add_documents(batch, group).await.expect("added");
    }
    batch
}

fn record(key: String) -> ParseRecord {
    ParseRecord {
        text: format!("the text of {key}"),
        key,
        kind: DocumentKind::Text,
        pages: 1,
        words: 4,
        language: None,
        metadata: DocumentMetadata::default(),
        problems: Vec::new(),
        page_starts: vec![0],
        recognised: Vec::new(),
    }
}

/// What one worker finished, by stage.
#[derive(Default)]
struct Finished(HashMap<Stage, Vec<JobId>>);

impl Finished {
    fn add(&mut self, stage: Stage, jobs: Vec<JobId>) {
        self.0.entry(stage).or_default().extend(jobs);
    }
}

/// Takes and finishes groups of jobs of all stages until it is told to stop.
async fn work(store: &PostgresStore, worker: &str, stop: &AtomicBool) -> Finished {
    let mut finished = Finished::default();
    let state = WorkerState {
        id: worker.into(),
        host: "host".into(),
        stages: Stage::ALL.to_vec(),
        cores: 2,
        busy: None,
        recognition_full: false,
    };
    while !stop.load(Ordering::Relaxed) {
        // It also folds the tallies.
        store.note_worker(&state).await.expect("noted");
        for stage in Stage::ALL {
            let room = Room { stage, worker, slots: 3, jobs_per_slot: 8, bytes_per_slot: 1 << 20, lease_ms: 60_000 };
            for group in store.claim(&room).await.expect("claimed") {
                finished.add(stage, finish(store, stage, &group).await);
            }
        }
    }
    finished
}

async fn finish(store: &PostgresStore, stage: Stage, group: &[Claim]) -> Vec<JobId> {
    match stage {
        Stage::Parse => {
            let inputs = store.parse_inputs(group).await.expect("read");
            // One in twenty cannot be read.
            let (broken, whole): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|i| i.path.ends_with("13.txt"));
            let results: Vec<_> =
                whole.into_iter().map(|input| (input.claim, record(format!("{}:1", input.sha256)))).collect();
            let mut done = store.complete_parses(&results).await.expect("completed");
            for input in broken {
                let failure = Failure::new(FailureCode::CorruptFile, "broken");
                if store.fail(&input.claim, &failure, None).await.expect("answered") {
                    done.push(input.claim.job);
                }
            }
            done
        }
        Stage::Embed => {
            let inputs = store.embed_inputs(group).await.expect("read");
            let results: Vec<EmbedResult> = inputs
                .into_iter()
                .map(|input| EmbedResult {
                    claim: input.claim,
                    key: format!("{}:model", input.parse_key),
                    outcome: EmbedOutcome::Vectored(Vectored { vector: vec![1.0, 0.0], terms: vec![1] }),
                })
                .collect();
            store.complete_embed(&results).await.expect("completed")
        }
        Stage::Analyse => {
            let claim = group[0].clone();
            let job = claim.job;
            let result = AnalysisResult {
                claim,
                families: FoundFamilies::default(),
                clustering: NewClustering { manifest: "{}".into(), ..NewClustering::default() },
                report: None,
            };
            if store.complete_analysis(&result).await.expect("answered") { vec![job] } else { Vec::new() }
        }
    }
}

/// Starts workers with a pool each.
async fn workers(url: &str, number: usize, stop: &Arc<AtomicBool>) -> JoinSet<Finished> {
    let mut workers = JoinSet::new();
    for i in 0..number {
        let (store, stop) = (PostgresStore::open(url).await.expect("opened"), Arc::clone(stop));
        workers.spawn(async move { work(&store, &format!("worker-{i}"), &stop).await });
    }
    workers
}

async fn ended(store: &PostgresStore, batch: BatchId) -> Status {
    let waiting = async {
        loop {
            let found = store.batch(batch).await.expect("read").expect("it is there");
            if found.status.is_final() {
                return found.status;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    // The last two documents of a batch that finish at once must not both leave the analysis to the other.
    tokio::time::timeout(std::time::Duration::from_secs(120), waiting).await.expect("the batch ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_jobs_end_exactly_once() {
    let server = TestPostgres::start();
    let url = server.database();
    let store = PostgresStore::open(&url).await.expect("opened");
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = workers(&url, 6, &stop).await;
    let mut batches = vec![batch(&store, 1_500, OnError::Continue).await];
    // Small ones end all the time, and all at once.
    for size in [1, 2, 2, 3, 40, 0, 2, 5, 2, 1] {
        batches.push(batch(&store, size, OnError::Continue).await);
    }
    for batch in &batches {
        store.seal_batch(*batch).await.expect("sealed");
    }
    let mut documents = 0;
    for batch in &batches {
        let status = ended(&store, *batch).await;
        let counts = store.batch(*batch).await.expect("read").expect("it is there").counts;
        assert_eq!(counts.finished(), counts.total, "{counts:?}");
        assert_eq!(status, Status::Completed);
        documents += counts.total;
    }
    stop.store(true, Ordering::Relaxed);
    let mut finished = Finished::default();
    while let Some(worker) = workers.join_next().await {
        worker.expect("no worker panics").0.into_iter().for_each(|(stage, jobs)| finished.add(stage, jobs));
    }
    let of = |stage: Stage| &finished.0[&stage];
    for stage in Stage::ALL {
        assert_eq!(of(stage).iter().collect::<HashSet<_>>().len(), of(stage).len(), "{stage}: none ended twice");
    }
    assert_eq!(of(Stage::Parse).len() as u64, documents);
    assert_eq!(of(Stage::Analyse).len(), batches.len(), "each batch is analysed once");
    let told = "SELECT count(*) FROM documents d WHERE status = 'completed' AND NOT EXISTS (SELECT FROM texts t WHERE t.key = d.parse)";
    assert_eq!(server.psql("test_0", told), "0");
    let tallies = "SELECT count(*) FROM (SELECT batch, stage, status, sum(documents) FROM tallies GROUP BY 1, 2, 3 \
                   HAVING sum(documents) <> 0 EXCEPT SELECT batch, stage, status, count(*) FROM documents GROUP BY 1, 2, 3) d";
    assert_eq!(server.psql("test_0", tallies), "0", "the tallies say what the documents do");
    let deadlocks = server.psql("test_0", "SELECT deadlocks FROM pg_stat_database WHERE datname = 'test_0'");
    assert_eq!(deadlocks, "0", "locks are taken in one order: {}", server.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_do_at_the_same_moment_leaves_nothing_half_done() {
    let server = TestPostgres::start();
    let url = server.database();
    let store = PostgresStore::open(&url).await.expect("opened");
    let stop = Arc::new(AtomicBool::new(false));
    let mut workers = workers(&url, 4, &stop).await;
    let mut kept = Vec::new();
    for round in 0..12 {
        // Both hold the same contents, and one goes.
        let (stays, goes) = (batch(&store, 60, OnError::Continue).await, batch(&store, 60, OnError::Continue).await);
        let strict = batch(&store, 60, OnError::FailAll).await;
        for batch in [stays, goes, strict] {
            store.seal_batch(batch).await.expect("sealed");
        }
        tokio::time::sleep(std::time::Duration::from_millis(7 * round)).await;
        let (cancelled, deleted) = tokio::join!(store.cancel_batch(stays), store.delete_batch(goes));
        assert!(deleted.expect("deleted"));
        if cancelled.expect("answered") {
            store.restart(stays, &sheaf_domain::Restart::Cancelled).await.expect("restarted");
        }
        kept.extend([(stays, Status::Completed), (strict, Status::Failed)]);
    }
    for (batch, expect) in &kept {
        assert_eq!(ended(&store, *batch).await, *expect);
        let counts = store.batch(*batch).await.expect("read").expect("it is there").counts;
        assert_eq!((counts.total, counts.finished()), (60, 60), "{counts:?}");
        if *expect == Status::Completed {
            assert_eq!(counts.failed, 1);
            let analysed = store.analysed_documents(*batch).await.expect("read");
            assert_eq!(analysed.len(), 59, "no text or vector went with a batch that shared it");
        }
    }
    stop.store(true, Ordering::Relaxed);
    while let Some(worker) = workers.join_next().await {
        worker.expect("no worker panics");
    }
    for table in [
        "jobs WHERE state IN ('pending', 'processing')",
        "tallies t WHERE NOT EXISTS (SELECT FROM batches b WHERE b.id = t.batch)",
    ] {
        assert_eq!(server.psql("test_0", &format!("SELECT count(*) FROM {table}")), "0", "{table}");
    }
    for (batch, _) in kept {
        assert!(store.delete_batch(batch).await.expect("deleted"));
    }
    for table in ["documents", "jobs", "parses", "texts", "vectors", "attempts", "paces", "tallies"] {
        assert_eq!(server.psql("test_0", &format!("SELECT count(*) FROM {table}")), "0", "{table} is empty again");
    }
    let deadlocks = server.psql("test_0", "SELECT deadlocks FROM pg_stat_database WHERE datname = 'test_0'");
    assert_eq!(deadlocks, "0", "locks are taken in one order: {}", server.log());
}
