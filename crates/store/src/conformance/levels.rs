//! Groups of clusters: kept in their order, and a filter like clusters.

use sheaf_domain::{Cluster, ClusterFilter, ClusterId, DocumentId, DocumentQuery, Merge, NamedBy, Stage};

use super::{batch_of, claim, finish_all, steering};
use crate::{Placement, Store};

fn cluster(id: u32, size: u64, representative: DocumentId) -> Cluster {
    Cluster {
        id: ClusterId(id),
        name: format!("words {id}"),
        keywords: vec!["words\u{0}".into()],
        size,
        cohesion: 0.75,
        average_probability: 0.5,
        representative,
        representative_path: "a.txt".into(),
        named_by: NamedBy::Words,
        edited: false,
    }
}

/// Four documents, each a cluster but the last, which is an outlier; 1 and 2 join first, then both with 0.
pub async fn groups_of_clusters_are_kept_and_filter<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt", "d.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let merge = |index: u32, size: u64, parts: [u32; 2], start: u32| Merge {
        group: cluster(Merge::FIRST + index, size, documents[0]),
        parts: parts.map(ClusterId),
        similarity: 0.5,
        start,
    };
    let merges = vec![merge(0, 2, [1, 2], 1), merge(1, 3, [0, Merge::FIRST], 0)];
    let mut result = steering::analysed(&analyse);
    result.clustering.placements = documents
        .iter()
        .zip(0..)
        .map(|(&document, position)| Placement {
            document,
            cluster: (position < 3).then_some(ClusterId(position)),
            probability: 1.0,
            position,
            neighbours: Vec::new(),
            found: None,
        })
        .collect();
    result.clustering.clusters =
        vec![cluster(0, 1, documents[0]), cluster(1, 1, documents[1]), cluster(2, 1, documents[2])];
    result.clustering.merges.clone_from(&merges);
    assert!(store.complete_analysis(&result).await.expect("answered"));

    assert_eq!(store.merges(batch).await.expect("read"), merges);
    let in_group = async |id: u32| {
        let cluster = Some(ClusterFilter::Cluster(ClusterId(id)));
        let page = store.documents(batch, &DocumentQuery { cluster, ..DocumentQuery::default() }).await.expect("read");
        page.items.iter().map(|d| d.id).collect::<Vec<_>>()
    };
    assert_eq!(in_group(Merge::FIRST).await, documents[1..3]);
    assert_eq!(in_group(Merge::FIRST + 1).await, documents[..3], "outliers are in no group");
    assert_eq!(in_group(2).await, documents[2..3]);
    assert_eq!(in_group(Merge::FIRST + 2).await, []);
    let (other, _) = batch_of(store, &["e.txt"]).await;
    assert_eq!(store.merges(other).await.expect("read"), []);
}
