//! What lasts of clusters: numbers, names, and the list of edits.

use sheaf_domain::{
    BatchId, Cluster, ClusterChange, ClusterId, ClusterReport, DocumentId, Heatmap, NamedBy, NamedCluster, Stage,
};

use super::{batch_of, claim, finish_all, new_document, steering};
use crate::{NewClustering, NewEdit, NewName, PastDocument, Placement, Store};

fn cluster(id: u32, name: &str, representative: DocumentId) -> Cluster {
    Cluster {
        id: ClusterId(id),
        name: name.into(),
        keywords: Vec::new(),
        size: u64::from(id) + 1,
        cohesion: 0.5,
        average_probability: 0.5,
        representative,
        representative_path: String::new(),
        named_by: if id == 4 { NamedBy::Person } else { NamedBy::Words },
        edited: id == 4,
    }
}

/// The first document in cluster 1, the second in cluster 4, the third an outlier of 4; as the analysis found them, 1, 1 and 4.
fn clustering(documents: &[DocumentId]) -> NewClustering {
    let places = [(Some(1), 1), (Some(4), 1), (None, 4)];
    let placements = documents.iter().zip(places).zip(0..).map(|((document, (cluster, found)), position)| Placement {
        document: *document,
        cluster: cluster.map(ClusterId),
        found: Some(ClusterId(found)),
        probability: 0.5,
        position,
        neighbours: Vec::new(),
    });
    NewClustering {
        placements: placements.collect(),
        clusters: vec![cluster(4, "letters\u{0}", documents[1]), cluster(1, "bills", documents[0])],
        manifest: "{}".into(),
        found: vec![(ClusterId(1), "bills".into()), (ClusterId(4), "notes\u{0}".into())],
        next: 6,
        ..NewClustering::default()
    }
}

async fn order<S: Store>(store: &S, batch: BatchId) -> Vec<DocumentId> {
    store.placed(batch).await.expect("read").into_iter().map(|document| document.id).collect()
}

async fn analysed<S: Store>(store: &S) -> (BatchId, Vec<DocumentId>) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let mut result = steering::analysed(&analyse);
    result.clustering = clustering(&documents);
    assert!(store.complete_analysis(&result).await.expect("answered"));
    (batch, documents)
}

pub async fn what_lasts_is_kept_with_the_clustering<S: Store>(store: &S) {
    let (batch, documents) = analysed(store).await;
    let past = store.cluster_past(batch).await.expect("read");
    assert_eq!((past.round, past.next), (1, 6));
    assert_eq!(past.found, clustering(&documents).found);
    assert_eq!(past.clusters, [(ClusterId(1), "bills".to_owned()), (ClusterId(4), "letters\u{0}".to_owned())]);
    let mut places = past.documents;
    places.sort_by_key(|was| documents.iter().position(|document| *document == was.document));
    let place = |document: usize, cluster: Option<u32>, found: u32| PastDocument {
        document: documents[document],
        cluster: cluster.map(ClusterId),
        found: Some(ClusterId(found)),
    };
    assert_eq!(places, [place(0, Some(1), 1), place(1, Some(4), 1), place(2, None, 4)]);
    let clusters = store.clusters(batch).await.expect("read");
    let read: Vec<_> = clusters.iter().map(|c| (c.id.0, c.named_by, c.edited)).collect();
    assert_eq!(read, [(4, NamedBy::Person, true), (1, NamedBy::Words, false)], "the largest first");
    let edits = store.cluster_edits(batch).await.expect("read");
    assert_eq!((edits.edits.len(), edits.report), (0, None));

    // Another analysis says what it changed; no number is given twice, even if it knows of none.
    store.extend_batch(batch, &[new_document("d.txt")]).await.expect("answered");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let mut result = steering::analysed(&analyse);
    result.clustering = NewClustering { next: 2, ..clustering(&documents) };
    let new = vec![NamedCluster { id: ClusterId(4), name: "letters\u{0}".into() }];
    result.report = Some(ClusterReport { moved: 3, new, ..ClusterReport::default() });
    assert!(store.complete_analysis(&result).await.expect("answered"));
    let past = store.cluster_past(batch).await.expect("read");
    assert_eq!((past.round, past.next), (2, 6));
    assert_eq!(store.cluster_edits(batch).await.expect("read").report, result.report);
    let (other, _) = batch_of(store, &["e.txt"]).await;
    let past = store.cluster_past(other).await.expect("read");
    assert_eq!((past.round, past.next, past.documents.len()), (0, 0, 0));
}

pub async fn edits_are_added_and_taken_back<S: Store>(store: &S) {
    let (batch, documents) = analysed(store).await;
    let new = clustering(&documents);
    let rename = ClusterChange::Rename { cluster: ClusterId(1), name: "Bills\u{0} of \u{201c}May\u{201d}".into() };
    let renamed = NewEdit::Add { change: rename.clone(), stay: Vec::new() };
    assert_eq!(store.keep_cluster_edit(batch, 0, &renamed, &new).await.expect("answered"), None, "of another round");
    assert_eq!(store.keep_cluster_edit(batch, 1, &renamed, &new).await.expect("answered"), Some(1));
    assert_eq!(store.keep_cluster_edit(batch, 1, &renamed, &new).await.expect("answered"), None, "the round is over");
    let stay = vec![(documents[0], Some(ClusterId(4))), (documents[1], None)];
    let moved = NewEdit::Add { change: ClusterChange::Move { to: Some(ClusterId(4)) }, stay: stay.clone() };
    let mut later = NewClustering { next: 9, ..new.clone() };
    // One stands where it stood, two change places.
    (later.placements[0].position, later.placements[2].position) = (2, 0);
    later.placements[2].neighbours = vec![(documents[0], 0.25)];
    assert_eq!(store.keep_cluster_edit(batch, 2, &moved, &later).await.expect("answered"), Some(2));
    assert_eq!(order(store, batch).await, [documents[2], documents[1], documents[0]]);
    let near = store.neighbours(batch, documents[2]).await.expect("read");
    assert_eq!(near.iter().map(|near| (near.id, near.similarity)).collect::<Vec<_>>(), [(documents[0], 0.25)]);

    let past = store.cluster_past(batch).await.expect("read");
    assert_eq!((past.round, past.next), (3, 9));
    let changes: Vec<_> = past.edits.iter().map(|past| past.edit.change.clone()).collect();
    assert_eq!(changes, [rename, ClusterChange::Move { to: Some(ClusterId(4)) }]);
    let mut expect = stay;
    expect.sort_by_key(|(document, _)| *document);
    assert_eq!(past.edits[1].stay, expect);

    assert_eq!(store.keep_cluster_edit(batch, 3, &NewEdit::TakeBack(7), &new).await.expect("answered"), None);
    assert_eq!(store.keep_cluster_edit(batch, 3, &NewEdit::TakeBack(1), &new).await.expect("answered"), Some(1));
    assert_eq!(order(store, batch).await, documents);
    assert_eq!(store.neighbours(batch, documents[2]).await.expect("read").len(), 0);
    assert_eq!(store.keep_cluster_edit(batch, 4, &NewEdit::TakeBack(1), &new).await.expect("answered"), None);
    let listed = store.cluster_edits(batch).await.expect("read").edits;
    let listed: Vec<_> = listed.iter().map(|edit| (edit.id, edit.taken_back, edit.documents)).collect();
    assert_eq!(listed, [(1, true, 0), (2, false, 2)], "nothing is forgotten");
    let past = store.cluster_past(batch).await.expect("read");
    assert_eq!((past.edits.len(), past.next), (1, 9));

    // A name alone changes nothing else.
    let name = NewName {
        cluster: ClusterId(1),
        name: "bills\u{0} again".into(),
        named_by: NamedBy::Person,
        heatmap: Heatmap { documents: 3, ..Heatmap::default() },
        manifest: "{\"name\": 1}".into(),
    };
    let rename = ClusterChange::Rename { cluster: ClusterId(1), name: name.name.clone() };
    let renamed = NewEdit::Add { change: rename, stay: Vec::new() };
    assert_eq!(store.keep_cluster_name(batch, 3, &renamed, &name).await.expect("answered"), None, "of another round");
    assert_eq!(store.keep_cluster_name(batch, 4, &renamed, &name).await.expect("answered"), Some(3));
    let clusters = store.clusters(batch).await.expect("read");
    let read: Vec<_> = clusters.iter().map(|c| (c.id.0, c.name.as_str(), c.named_by, c.size)).collect();
    let other = (4, "letters\u{0}", NamedBy::Person, 5);
    assert_eq!(read, [other, (1, name.name.as_str(), NamedBy::Person, 2)]);
    assert_eq!(store.heatmap(batch).await.expect("read"), Some(name.heatmap.clone()));
    assert_eq!(store.clustering(batch).await.expect("read").map(|c| c.manifest), Some(name.manifest.clone()));
    let after = store.cluster_past(batch).await.expect("read");
    assert_eq!((after.round, after.next, after.edits.len()), (5, 9, 2));
    assert_eq!((&after.documents, &after.found), (&past.documents, &past.found), "no document is touched");
    let back = NewName { name: "bills".into(), named_by: NamedBy::Words, ..name };
    assert_eq!(store.keep_cluster_name(batch, 5, &NewEdit::TakeBack(7), &back).await.expect("answered"), None);
    assert_eq!(store.keep_cluster_name(batch, 5, &NewEdit::TakeBack(3), &back).await.expect("answered"), Some(3));
    let past = store.cluster_past(batch).await.expect("read");
    assert_eq!((past.round, past.edits.len()), (6, 1));
    assert!(past.clusters.contains(&(ClusterId(1), "bills".to_owned())));

    // A batch that is at work is not edited.
    let more = new_document("d.txt");
    store.extend_batch(batch, &[more]).await.expect("added");
    assert_eq!(store.keep_cluster_edit(batch, past.round, &moved, &new).await.expect("answered"), None);
    assert!(store.delete_batch(batch).await.expect("answered"));
    assert_eq!(store.cluster_edits(batch).await.expect("read").edits, []);
}
