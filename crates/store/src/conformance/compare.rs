//! Two batches side by side.

use sheaf_domain::{
    BatchId, Cluster, ClusterId, CompareCounts, ComparePart, CompareQuery, ComparedDocument, ComparedSide, DocumentId,
    Failure, FailureCode, NamedBy, Stage, Status,
};
use uuid::Uuid;

use super::{batch_of, claim, finish_all};
use crate::{AnalysisResult, FoundFamilies, NewClustering, NewDocument, Placement, Store};

fn refused(path: &str) -> NewDocument {
    NewDocument {
        id: DocumentId(Uuid::now_v7()),
        path: path.into(),
        sha256: String::new(),
        bytes: 1,
        kind: None,
        failure: Some(Failure::new(FailureCode::ArchiveLimit, "too large")),
    }
}

/// Groups a batch: the first document in a cluster of this name, the others outliers.
async fn group<S: Store>(store: &S, documents: &[DocumentId], name: &str) {
    let claim = claim(store, Stage::Analyse, 1).await.remove(0);
    let placements = documents.iter().enumerate().map(|(at, document)| Placement {
        document: *document,
        cluster: (at == 0).then_some(ClusterId(0)),
        probability: 0.5,
        position: at as u32,
        neighbours: Vec::new(),
        found: None,
    });
    let cluster = Cluster {
        id: ClusterId(0),
        name: name.into(),
        keywords: Vec::new(),
        size: 1,
        cohesion: 1.0,
        average_probability: 0.5,
        representative: documents[0],
        representative_path: String::new(),
        named_by: NamedBy::Words,
        edited: false,
    };
    let result = AnalysisResult {
        claim,
        families: FoundFamilies::default(),
        clustering: NewClustering {
            placements: placements.collect(),
            clusters: vec![cluster],
            manifest: "{}".into(),
            ..NewClustering::default()
        },
        report: None,
    };
    assert!(store.complete_analysis(&result).await.expect("answered"));
}

async fn compared<S: Store>(
    store: &S,
    batches: (BatchId, BatchId),
    part: ComparePart,
) -> (CompareCounts, Vec<ComparedDocument>) {
    let query = CompareQuery { first: batches.0, second: batches.1, part, offset: 0, limit: 0 };
    store.compare(&query).await.expect("read")
}

/// The paths of both sides.
fn paths(documents: &[ComparedDocument]) -> Vec<(&str, &str)> {
    fn path(side: &Option<ComparedSide>) -> &str {
        side.as_ref().map_or("", |side| &side.path)
    }
    documents.iter().map(|document| (path(&document.first), path(&document.second))).collect()
}

pub async fn two_batches_are_compared_by_content<S: Store>(store: &S) {
    // The bytes follow from the path here, so a copy is added by hand.
    let (first, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt", "only.txt"]).await;
    let copy = NewDocument { failure: None, sha256: format!("{:0>64}", "a.txt"), ..refused("z/copy of a.txt") };
    store.add_documents(first, &[copy, refused("evil.zip"), refused("bad.zip")]).await.expect("added");
    store.seal_batch(first).await.expect("sealed");
    finish_all(store).await;
    group(store, &documents, "letters").await;

    let (second, others) = batch_of(store, &["b.txt", "new.txt"]).await;
    let renamed = NewDocument { failure: None, sha256: format!("{:0>64}", "a.txt"), ..refused("renamed.txt") };
    store.add_documents(second, &[renamed, refused("evil.zip")]).await.expect("added");
    store.seal_batch(second).await.expect("sealed");
    for claim in claim(store, Stage::Parse, 5).await {
        let failure = Failure::new(FailureCode::TimedOut, "slow");
        if claim.document == Some(others[0]) {
            assert!(store.fail(&claim, &failure, None).await.expect("answered"));
        }
    }

    let both = (first, second);
    let (counts, found) = compared(store, both, ComparePart::Both).await;
    assert_eq!(counts, CompareCounts { both: 3, changed: 2, only_first: 3, only_second: 1 }, "copies count once");
    assert_eq!(paths(&found), [("a.txt", "renamed.txt"), ("b.txt", "b.txt"), ("evil.zip", "evil.zip")], "by path");
    let [a, b, evil] = &found[..] else { panic!("three of them") };
    let side = a.first.as_ref().expect("it is there");
    assert_eq!(
        (side.id, side.cluster, side.cluster_name.as_deref()),
        (documents[0], Some(ClusterId(0)), Some("letters"))
    );
    assert!(b.first.as_ref().is_some_and(|side| side.outlier && side.status == Status::Completed));
    let failed = b.second.as_ref().and_then(|side| side.failure.as_ref());
    assert_eq!(failed.map(|failure| failure.code), Some(FailureCode::TimedOut));
    assert!(evil.second.as_ref().is_some_and(|side| side.status == Status::Failed && !side.outlier));

    let (_, found) = compared(store, both, ComparePart::Changed).await;
    assert_eq!(paths(&found), [("a.txt", "renamed.txt"), ("b.txt", "b.txt")], "one is read, the other waits or failed");
    let (_, found) = compared(store, both, ComparePart::OnlyFirst).await;
    assert_eq!(paths(&found), [("bad.zip", ""), ("c.txt", ""), ("only.txt", "")]);
    let (_, found) = compared(store, both, ComparePart::OnlySecond).await;
    assert_eq!(paths(&found), [("", "new.txt")]);

    let query = CompareQuery { first, second, part: ComparePart::OnlyFirst, offset: 1, limit: 1 };
    let (_, page) = store.compare(&query).await.expect("read");
    assert_eq!(paths(&page), [("c.txt", "")]);
    let (counts, found) = compared(store, (first, first), ComparePart::Changed).await;
    assert_eq!((counts.both, counts.only_first, found.len()), (6, 0, 0), "a batch is like itself");
}
