//! Tried clusterings: leased, fenced, kept, removed; and a batch that gets other parameters.

use sheaf_domain::{
    BatchId, BatchParams, ClusterId, ClusteringId, DocumentId, Failure, FailureCode, MethodName, Stage, Status,
    TriedCluster,
};
use uuid::Uuid;

use super::{LEASE, batch_of, claim, finish_all, steering};
use crate::{FoundTried, Placement, Store, TriedPlaces};

fn params(clusters: u32) -> BatchParams {
    BatchParams { method: Some(MethodName::KMeans), clusters: Some(clusters), ..BatchParams::default() }
}

fn found(documents: &[DocumentId]) -> FoundTried {
    let clusters = vec![TriedCluster {
        name: "words\u{0}".into(),
        size: documents.len() as u64 - 1,
        representative: documents[0],
        representative_path: "a\u{0}.txt".into(),
    }];
    let places = documents.iter().enumerate().map(|(i, &document)| (document, (i > 0).then_some(0))).collect();
    FoundTried { seconds: 1.5, silhouette: Some(0.25), clusters, places: TriedPlaces(places) }
}

pub async fn clusterings_are_tried_one_after_the_other<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    let [first, second] = [ClusteringId(Uuid::from_u128(1)), ClusteringId(Uuid::from_u128(2))];
    assert!(store.add_tried(first, batch, &params(2)).await.expect("answered"));
    assert!(store.add_tried(second, batch, &params(3)).await.expect("answered"));
    let nowhere = BatchId(Uuid::now_v7());
    assert!(!store.add_tried(ClusteringId(Uuid::from_u128(3)), nowhere, &params(3)).await.expect("answered"));

    // Leased once; a lease of no time is lost at once, and then the earlier attempt changes nothing.
    let lost = store.claim_tried(0, 5).await.expect("answered").expect("the first");
    assert_eq!((lost.id, lost.batch, &lost.params, lost.attempt), (first, batch, &params(2), 1));
    let held = store.claim_tried(LEASE, 5).await.expect("answered").expect("the first again");
    assert_eq!((held.id, held.attempt), (first, 2));
    assert!(!store.finish_tried(&lost, &Ok(found(&documents))).await.expect("answered"));
    assert!(!store.keep_tried(&lost, LEASE).await.expect("answered"));
    assert!(store.keep_tried(&held, LEASE).await.expect("answered"));
    let other = store.claim_tried(LEASE, 5).await.expect("answered").expect("the second");
    assert_eq!((other.id, store.claim_tried(LEASE, 5).await.expect("answered")), (second, None));
    assert_eq!(store.tried_places(first).await.expect("read"), TriedPlaces::default());

    assert!(store.finish_tried(&held, &Ok(found(&documents))).await.expect("answered"));
    let failure = Failure::new(FailureCode::InvalidRequest, "too many");
    assert!(store.finish_tried(&other, &Err(failure.clone())).await.expect("answered"));
    let kept = store.tried(batch).await.expect("read");
    assert_eq!(kept.iter().map(|tried| tried.id).collect::<Vec<_>>(), [first, second]);
    let [done, failed] = [&kept[0], &kept[1]];
    assert_eq!((done.status, done.documents, done.outliers), (Status::Completed, 2, 1));
    assert_eq!((done.seconds, done.silhouette, &done.clusters), (Some(1.5), Some(0.25), &found(&documents).clusters));
    assert_eq!((failed.status, &failed.failure, failed.seconds), (Status::Failed, &Some(failure), None));
    assert_eq!(store.tried_places(first).await.expect("read"), found(&documents).places);

    // A process that is alone takes back what an earlier one had.
    let fourth = ClusteringId(Uuid::from_u128(5));
    assert!(store.add_tried(fourth, batch, &params(5)).await.expect("answered"));
    let earlier = store.claim_tried(LEASE, 5).await.expect("answered").expect("leased");
    store.free_tried().await.expect("taken back");
    assert_eq!(store.claim_tried(LEASE, 5).await.expect("answered").map(|claim| claim.attempt), Some(2));
    assert!(!store.finish_tried(&earlier, &Ok(found(&documents))).await.expect("answered"));
    assert!(store.delete_tried(batch, fourth).await.expect("answered"));

    // Whoever takes five processes along is not tried a sixth time.
    let third = ClusteringId(Uuid::from_u128(4));
    assert!(store.add_tried(third, batch, &params(4)).await.expect("answered"));
    for attempt in 1..=5 {
        assert_eq!(store.claim_tried(0, 5).await.expect("answered").map(|claim| claim.attempt), Some(attempt));
    }
    assert_eq!(store.claim_tried(0, 5).await.expect("answered"), None);
    assert_eq!(store.tried(batch).await.expect("read")[2].status, Status::Failed);

    assert!(!store.delete_tried(nowhere, first).await.expect("answered"), "it is of another batch");
    assert!(store.delete_tried(batch, first).await.expect("answered"));
    assert!(!store.delete_tried(batch, first).await.expect("answered"));
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert_eq!(store.tried(batch).await.expect("read"), []);
}

pub async fn a_batch_is_grouped_anew_with_other_parameters<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    assert!(!store.regroup_by(batch, &params(2)).await.expect("answered"), "it runs");
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let mut result = steering::analysed(&analyse);
    result.clustering.placements = documents
        .iter()
        .zip(0..)
        .map(|(&document, position)| Placement {
            document,
            cluster: (position > 0).then_some(ClusterId(0)),
            probability: 1.0,
            position,
            neighbours: Vec::new(),
            found: None,
        })
        .collect();
    assert!(store.complete_analysis(&result).await.expect("answered"));
    let mut expect = vec![(documents[0], None), (documents[1], Some(ClusterId(0)))];
    expect.sort_unstable_by_key(|(document, _)| *document);
    assert_eq!(store.grouped_documents(batch).await.expect("read"), expect);

    assert!(store.regroup_by(batch, &params(2)).await.expect("answered"));
    let now = store.batch(batch).await.expect("read").expect("there");
    assert_eq!((now.params, now.status), (params(2), Status::Pending));
    assert_eq!(claim(store, Stage::Parse, 5).await, [], "nothing is read again");
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&steering::analysed(&analyse)).await.expect("answered"));
    let now = store.batch(batch).await.expect("read").expect("there");
    assert_eq!(now.status, Status::Completed);
    assert!(!store.regroup_by(BatchId(Uuid::now_v7()), &params(2)).await.expect("answered"));
}
