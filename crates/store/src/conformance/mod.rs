//! The suite that every store has to pass: a store's tests call [`run`] with a way to open an empty one.

mod backlog;
mod batches;
mod columns;
mod compare;
mod explore;
mod families;
mod flows;
mod gallery;
mod identity;
mod imports;
mod levels;
mod operate;
mod progress;
mod queue;
mod removal;
mod results;
mod search;
mod steering;
mod text;
mod uploads;
mod webhooks;

use sheaf_domain::{
    BatchId, BatchParams, DocumentId, DocumentKind, DocumentMetadata, PageRecognition, Passwords, RunPolicy, Stage,
    WordBox,
};
use uuid::Uuid;

use crate::{Claim, EmbedOutcome, EmbedResult, NewBatch, NewDocument, ParseRecord, Room, Store, Vectored};

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
    levels::groups_of_clusters_are_kept_and_filter(&open().await).await;
    identity::what_lasts_is_kept_with_the_clustering(&open().await).await;
    identity::edits_are_added_and_taken_back(&open().await).await;
    gallery::clusterings_are_tried_one_after_the_other(&open().await).await;
    gallery::a_batch_is_grouped_anew_with_other_parameters(&open().await).await;
    families::a_fingerprint_is_remembered_by_content(&open().await).await;
    families::families_come_with_the_analysis_and_can_be_regrouped(&open().await).await;
    families::documents_are_filtered_by_their_families(&open().await).await;
    explore::facets_count_under_the_other_filters(&open().await).await;
    explore::a_selection_is_read_page_by_page_and_step_by_step(&open().await).await;
    explore::the_map_has_every_placed_document(&open().await).await;
    columns::columns_answer_like_the_tables(&open().await).await;
    columns::a_mark_changes_with_what_columns_read(&open().await).await;
    queue::batches_share_the_slots(&open().await).await;
    queue::the_heaviest_come_first_and_light_ones_share_a_slot(&open().await).await;
    text::every_character_is_kept(&open().await).await;
    search::words_are_found_in_texts(&open().await).await;
    search::a_deleted_batch_is_not_found(&open().await).await;
    search::a_word_that_is_frequent_elsewhere_is_found(&open().await).await;
    search::long_texts_are_found_to_their_end(&open().await).await;
    steering::cancelling_keeps_what_is_done_and_can_be_continued(&open().await).await;
    steering::a_batch_is_cancelled_while_it_is_grouped(&open().await).await;
    steering::what_failed_is_tried_again_with_its_history(&open().await).await;
    steering::one_failure_stops_a_batch_that_wants_so(&open().await).await;
    steering::batches_are_found_and_renamed(&open().await).await;
    imports::what_was_found_elsewhere_is_finished_as_it_comes(&open().await).await;
    backlog::records_come_read_and_once(&open().await).await;
    backlog::what_a_version_has_not_done_joins_its_run(&open().await).await;
    backlog::what_has_changed_takes_the_place_of_what_was(&open().await).await;
    uploads::what_arrived_is_known_and_its_end_is_waited_for(&open().await).await;
    uploads::a_path_is_given_once_and_the_same_bytes_are_no_double(&open().await).await;
    uploads::a_batch_that_is_done_gets_more(&open().await).await;
    uploads::adding_continues_what_was_stopped(&open().await).await;
    uploads::what_is_taken_back_leaves_the_batch_as_it_was(&open().await).await;
    uploads::uploads_without_a_sign_of_life_are_found(&open().await).await;
    removal::what_is_removed_is_gone_and_the_rest_is_grouped_anew(&open().await).await;
    removal::what_was_stopped_stays_so_without_what_is_removed(&open().await).await;
    compare::two_batches_are_compared_by_content(&open().await).await;
    progress::every_change_is_told_once(&open().await).await;
    progress::changes_of_concurrent_writers_are_all_told(&open().await).await;
    progress::counts_paces_and_the_grid_agree(&open().await).await;
    progress::workers_are_known_by_their_signs_of_life(&open().await).await;
    operate::the_queue_is_measured(&open().await).await;
    operate::concurrent_takers_hold_the_rate(&open().await).await;
    operate::a_bucket_gives_what_it_has(&open().await).await;
    webhooks::every_end_is_told_once_to_those_who_hear_of_it(&open().await).await;
    webhooks::a_delivery_is_leased_once_and_tried_until_it_ends(&open().await).await;
    webhooks::a_webhook_that_does_not_answer_holds_nobody_up(&open().await).await;
    flows::every_version_is_kept(&open().await).await;
    flows::a_document_of_a_run_is_leased_once_and_its_values_are_kept(&open().await).await;
    flows::a_run_is_stopped_and_goes_on(&open().await).await;
    flows::answers_are_remembered_and_counted_once(&open().await).await;
    flows::steps_see_the_pages_of_a_document(&open().await).await;
    flows::the_last_of_many_ends_the_run(&open().await).await;
}

const LEASE: u64 = 60_000;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

async fn batch_of<S: Store>(store: &S, paths: &[&str]) -> (BatchId, Vec<DocumentId>) {
    batch_with(store, paths, RunPolicy::default()).await
}

async fn batch_with<S: Store>(store: &S, paths: &[&str], policy: RunPolicy) -> (BatchId, Vec<DocumentId>) {
    let batch = BatchId(Uuid::now_v7());
    store
        .create_batch(&NewBatch {
            id: batch,
            name: "Letters".into(),
            params: BatchParams::default(),
            policy,
            passwords: Passwords::from_lines("hunter2"),
            trace: Some(TRACE.into()),
        })
        .await
        .expect("a batch can be made");
    let documents: Vec<NewDocument> = paths.iter().map(|path| new_document(path)).collect();
    store.add_documents(batch, &documents).await.expect("documents can be added");
    (batch, documents.into_iter().map(|d| d.id).collect())
}

fn new_document(path: &str) -> NewDocument {
    NewDocument {
        id: DocumentId(Uuid::now_v7()),
        path: path.into(),
        sha256: format!("{path:0>64}"),
        bytes: 10,
        kind: Some(DocumentKind::Pdf),
        failure: None,
    }
}

/// As many single jobs as that.
async fn claim<S: Store>(store: &S, stage: Stage, limit: u32) -> Vec<Claim> {
    claim_as(store, stage, "worker-1", limit, LEASE).await
}

async fn claim_as<S: Store>(store: &S, stage: Stage, worker: &str, slots: u32, lease_ms: u64) -> Vec<Claim> {
    let room = Room { stage, worker, slots, jobs_per_slot: 1, bytes_per_slot: 0, lease_ms };
    let groups = store.claim(&room).await.expect("jobs can be claimed");
    assert!(groups.iter().all(|group| group.len() == 1), "one job a slot");
    groups.into_iter().flatten().collect()
}

/// Completes one parse; `false` when its lease was lost.
async fn parsed<S: Store>(store: &S, claim: &Claim, record: ParseRecord) -> bool {
    let done = store.complete_parses(&[(claim.clone(), record)]).await.expect("answered");
    done == [claim.job]
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
        assert!(parsed(store, parse, record(&format!("parse-{i}"))).await, "a parse completes");
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

/// Carries the batch to its end, as if it had been analysed.
async fn analyse<S: Store>(store: &S) {
    finish_all(store).await;
    let claim = claim(store, Stage::Analyse, 1).await.pop().expect("the analysis is queued");
    assert!(store.complete_analysis(&steering::analysed(&claim)).await.expect("answered"));
}
