//! How far a batch is: told without a gap, counted the same everywhere.

use std::collections::HashSet;

use sheaf_domain::{DocumentId, Failure, FailureCode, ProgressCell, Stage, Status};

use super::{batch_of, claim, finish_all, parsed, record};
use crate::{Store, WorkerState};

/// All that happened after the cursor, in pages of `limit`, and the cursor after it.
async fn all_after<S: Store>(
    store: &S,
    batch: sheaf_domain::BatchId,
    cursor: &str,
    limit: u32,
) -> (Vec<(DocumentId, Status, Stage)>, String) {
    let mut cursor = cursor.to_owned();
    let mut told = Vec::new();
    loop {
        let changes = store.changes(batch, Some(&cursor), limit).await.expect("read");
        told.extend(changes.documents.iter().map(|d| (d.id, d.status, d.stage)));
        cursor = changes.cursor;
        if !changes.more {
            return (told, cursor);
        }
    }
}

pub async fn every_change_is_told_once<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    let start = store.changes(batch, None, 10).await.expect("read");
    assert_eq!((start.documents.len(), start.more), (0, false), "it tells of what comes");
    assert_eq!(all_after(store, batch, &start.cursor, 10).await.0, []);

    let claims = claim(store, Stage::Parse, 3).await;
    let (told, cursor) = all_after(store, batch, &start.cursor, 1).await;
    assert_eq!(told.len(), 3, "also when they are read one by one");
    assert_eq!(told.iter().map(|t| t.0).collect::<HashSet<_>>(), documents.iter().copied().collect());
    assert!(told.iter().all(|t| t.1 == Status::Processing));

    let broken = Failure::new(FailureCode::CorruptFile, "broken");
    assert!(store.fail(&claims[0], &broken, None).await.expect("answered"));
    store.note_pages(&claims[1], 3, 9).await.expect("noted");
    assert!(parsed(store, &claims[2], record("c")).await);
    let changes = store.changes(batch, Some(&cursor), 10).await.expect("read");
    let told: Vec<_> = changes.documents.iter().map(|d| (Some(d.id), d.status, d.stage, d.pages)).collect();
    let expected = [
        (claims[0].document, Status::Failed, Stage::Parse, None),
        (claims[1].document, Status::Processing, Stage::Parse, Some((3, 9))),
        (claims[2].document, Status::Pending, Stage::Embed, None),
    ];
    assert_eq!(told, expected, "in the order in which it happened");
    assert_eq!(all_after(store, batch, &changes.cursor, 10).await.0, []);
    let odd = store.changes(batch, Some("what is this?"), 10).await.expect("read");
    assert_eq!(odd.documents, [], "a cursor of another kind is as none");
}

pub async fn changes_of_concurrent_writers_are_all_told<S: Store>(store: &S) {
    let paths: Vec<String> = (0..40).map(|i| format!("{i:02}.txt")).collect();
    let (batch, documents) = batch_of(store, &paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let start = store.changes(batch, None, 1).await.expect("read").cursor;
    let work = |worker: usize| async move {
        while let Some(claim) = claim(store, Stage::Parse, 1).await.pop() {
            assert!(parsed(store, &claim, record(&format!("{worker}-{}", claim.job))).await);
        }
    };
    let listen = async {
        let (mut cursor, mut read) = (start, HashSet::new());
        while read.len() < documents.len() {
            let (told, next) = all_after(store, batch, &cursor, 3).await;
            read.extend(told.into_iter().filter(|t| t.2 == Stage::Embed).map(|t| t.0));
            cursor = next;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    // A change that is left out makes the listener wait for ever.
    let all = async { tokio::join!(work(0), work(1), work(2), work(3), listen) };
    tokio::time::timeout(std::time::Duration::from_secs(60), all).await.expect("every change is told");
}

pub async fn counts_paces_and_the_grid_agree<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    let claims = claim(store, Stage::Parse, 3).await;
    assert!(parsed(store, &claims[0], record("a")).await);
    assert!(store.fail(&claims[1], &Failure::new(FailureCode::CorruptFile, "x"), None).await.expect("answered"));

    let progress = store.progress(batch).await.expect("read").expect("it is there");
    let of = |stage: Stage| {
        let found = progress.stages.iter().find(|s| s.stage == stage).expect("every stage is listed");
        (found.pending, found.processing, found.done)
    };
    assert_eq!((of(Stage::Parse), of(Stage::Embed), of(Stage::Analyse)), ((2, 1, 2), (1, 0, 0), (0, 0, 0)));
    assert_eq!(progress.documents.len(), 5);
    assert_eq!(progress.documents[0].status, Status::Processing, "what is in work comes first");
    assert_eq!(progress.documents[1].status, Status::Failed);

    let paces = store.pace(batch).await.expect("read");
    let parse = paces.iter().find(|p| p.stage == Stage::Parse).expect("it is measured");
    assert_eq!((parse.jobs, parse.bytes, parse.bytes_left), (1, 10, 30));
    let embed = paces.iter().find(|p| p.stage == Stage::Embed).expect("it is measured");
    assert_eq!((embed.jobs, embed.bytes_left), (0, 10));

    let grid = store.progress_grid(batch, 100).await.expect("read");
    assert_eq!((grid.per_cell, grid.cells.len()), (1, 5));
    assert_eq!(grid.cells[4], ProgressCell { documents: 1, ..ProgressCell::default() }, "the last that arrived waits");
    let coarse = store.progress_grid(batch, 2).await.expect("read");
    assert_eq!((coarse.per_cell, coarse.cells.len()), (3, 2));
    let all = coarse.cells.iter().fold(ProgressCell::default(), |sum, cell| ProgressCell {
        documents: sum.documents + cell.documents,
        parsed: sum.parsed + cell.parsed,
        completed: sum.completed + cell.completed,
        processing: sum.processing + cell.processing,
        failed: sum.failed + cell.failed,
        cancelled: sum.cancelled + cell.cancelled,
    });
    assert_eq!(all, ProgressCell { documents: 5, parsed: 1, processing: 1, failed: 1, ..ProgressCell::default() });
    finish_all(store).await;
}

pub async fn workers_are_known_by_their_signs_of_life<S: Store>(store: &S) {
    let worker = WorkerState {
        id: "host-1-abc".into(),
        host: "host".into(),
        stages: vec![Stage::Parse],
        cores: 2,
        busy: Some(0.5),
        recognition_full: true,
    };
    store.note_worker(&worker).await.expect("noted");
    let later = WorkerState { busy: None, stages: Stage::ALL.to_vec(), ..worker };
    store.note_worker(&later).await.expect("noted");
    assert_eq!(store.workers(60_000).await.expect("read"), [later]);
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    assert_eq!(store.workers(5).await.expect("read"), [], "it was silent for longer");
}
