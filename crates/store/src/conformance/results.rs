//! Results: remembered by content, read back as rows, filtered, sorted and paged.

use sheaf_domain::{
    Cluster, ClusterFilter, ClusterId, DocumentId, DocumentQuery, Failure, FailureCode, Heatmap, NamedBy, SortKey,
    Stage, Status,
};

use super::{batch_of, claim, finish_all, parsed, record};
use crate::{AnalysisResult, EmbedOutcome, EmbedResult, FoundFamilies, NewClustering, Placement, Store, VectorFile};

pub async fn the_last_document_queues_the_analysis<S: Store>(store: &S) {
    let (batch, _) = batch_of(store, &["a.txt", "b.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    let claims = claim(store, Stage::Parse, 2).await;
    assert!(parsed(store, &claims[0], record("p")).await);
    let embed = claim(store, Stage::Embed, 1).await.remove(0);
    let outcome = EmbedOutcome::Failed(Failure::new(FailureCode::NoText, "no words"));
    store.complete_embed(&[EmbedResult { claim: embed, key: "v".into(), outcome }]).await.expect("answered");
    assert_eq!(claim(store, Stage::Analyse, 1).await, [], "one is still in work");

    let failure = Failure::new(FailureCode::CorruptFile, "broken");
    assert!(store.fail(&claims[1], &failure, None).await.expect("answered"));
    let analyse = claim(store, Stage::Analyse, 5).await;
    assert_eq!(analyse.len(), 1, "queued exactly once");
    let result = AnalysisResult {
        claim: analyse[0].clone(),
        families: FoundFamilies::default(),
        clustering: NewClustering { manifest: "{}".into(), ..NewClustering::default() },
        report: None,
    };
    assert!(store.complete_analysis(&result).await.expect("answered"));
    let found = store.batch(batch).await.expect("read").expect("it is there");
    assert_eq!((found.status, found.finished_at.is_some()), (Status::Failed, true), "nothing in it could be used");
}

pub async fn a_result_is_remembered_by_content<S: Store>(store: &S) {
    let (_, documents) = batch_of(store, &["a.txt"]).await;
    finish_all(store).await;
    assert_eq!(store.remembered_parse("parse-0").await.expect("read"), Some(record("parse-0")));
    assert_eq!(store.remembered_parse("parse-9").await.expect("read"), None);
    let keys = ["vector-0".to_owned(), "vector-9".to_owned()];
    assert_eq!(store.remembered_vectors(&keys).await.expect("read"), ["vector-0"]);

    // The same content in another batch takes the vector that stands already.
    let (other, _) = batch_of(store, &["copy.txt"]).await;
    let parse = claim(store, Stage::Parse, 1).await.remove(0);
    assert!(parsed(store, &parse, record("parse-0")).await);
    let embed = claim(store, Stage::Embed, 1).await;
    let inputs = store.embed_inputs(&embed).await.expect("read");
    assert_eq!((inputs[0].parse_key.as_str(), inputs[0].text.as_str()), ("parse-0", "text of parse-0"));
    let result = EmbedResult { claim: embed[0].clone(), key: "vector-0".into(), outcome: EmbedOutcome::Remembered };
    store.complete_embed(&[result]).await.expect("answered");
    let analysed = store.analysed_documents(other).await.expect("read");
    assert_eq!(analysed.len(), 1);
    assert_eq!(analysed[0].vectored.vector, [1.0, 0.0]);
    assert_ne!(analysed[0].id, documents[0]);
}

/// A batch of four: two in cluster 0, one in cluster 1, one outlier.
async fn clustered<S: Store>(store: &S) -> (sheaf_domain::BatchId, Vec<DocumentId>) {
    let (batch, documents) = batch_of(store, &["Alpha.txt", "beta.txt", "gamma.txt", "delta.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let placement = |i: usize, cluster: Option<u32>, probability: f32, position: u32| Placement {
        document: documents[i],
        cluster: cluster.map(ClusterId),
        probability,
        position,
        neighbours: vec![(documents[(i + 1) % 4], 0.5)],
        found: None,
    };
    let cluster = |id: u32, size: u64, representative: DocumentId| Cluster {
        id: ClusterId(id),
        name: format!("words {id}"),
        keywords: vec!["words".into()],
        size,
        cohesion: 0.75,
        average_probability: 0.5,
        representative,
        representative_path: String::new(),
        named_by: NamedBy::Words,
        edited: false,
    };
    let result = AnalysisResult {
        claim: analyse,
        families: FoundFamilies::default(),
        clustering: NewClustering {
            placements: vec![
                placement(0, Some(0), 0.9, 1),
                placement(1, Some(0), 0.5, 0),
                placement(2, Some(1), 0.75, 2),
                placement(3, None, 0.25, 3),
            ],
            clusters: vec![cluster(0, 2, documents[1]), cluster(1, 1, documents[2])],
            silhouette: Some(0.5),
            vectors: Some(VectorFile { name: "v".into(), rows: 4, dimensions: 2 }),
            heatmap: Heatmap { documents: 4, ..Heatmap::default() },
            manifest: "{}".into(),
            ..NewClustering::default()
        },
        report: None,
    };
    assert!(store.complete_analysis(&result).await.expect("answered"));
    assert!(!store.complete_analysis(&result).await.expect("answered"), "a batch is analysed once");
    (batch, documents)
}

pub async fn the_table_filters_sorts_and_pages<S: Store>(store: &S) {
    let (batch, documents) = clustered(store).await;
    let ids = async |query: DocumentQuery| {
        let page = store.documents(batch, &query).await.expect("read");
        (page.items.iter().map(|d| d.id).collect::<Vec<_>>(), page.total, page.next_cursor)
    };
    let [alpha, beta, gamma, delta] = documents[..] else { panic!("four documents") };

    let query = DocumentQuery { cluster: Some(ClusterFilter::Cluster(ClusterId(0))), ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![alpha, beta], 2, None));
    let query = DocumentQuery { cluster: Some(ClusterFilter::Outliers), ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![delta], 1, None));
    let query = DocumentQuery { search: Some("ALPHA".into()), ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![alpha], 1, None));
    let query = DocumentQuery { status: Some(Status::Failed), ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![], 0, None));
    let query = DocumentQuery { confidence: Some(sheaf_domain::ConfidenceLevel::High), ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![alpha, gamma], 2, None));
    let query = DocumentQuery { sort: SortKey::Probability, descending: true, limit: 3, ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![alpha, gamma, beta], 4, Some("3".into())));
    let query = DocumentQuery { sort: SortKey::Cluster, offset: 3, limit: 3, ..DocumentQuery::default() };
    assert_eq!(ids(query).await, (vec![delta], 4, None), "what has no cluster comes last");

    let summary = store.summary(batch).await.expect("read");
    assert_eq!((summary.clusters, summary.outliers, summary.unclustered), (2, 1, 0));
    assert_eq!((summary.pages, summary.words, summary.bytes), (8, 28, 40));
    let average = summary.average_probability.expect("known");
    assert!((average - 0.716_67).abs() < 1e-4, "the mean over clustered documents is {average}");
}

pub async fn neighbours_and_positions_are_kept<S: Store>(store: &S) {
    let (batch, documents) = clustered(store).await;
    let neighbours = store.neighbours(batch, documents[3]).await.expect("read");
    assert_eq!((neighbours.len(), neighbours[0].id, neighbours[0].cluster), (1, documents[0], Some(ClusterId(0))));
    let placed = store.placed(batch).await.expect("read");
    assert_eq!(placed[1..3].iter().map(|d| d.id).collect::<Vec<_>>(), [documents[0], documents[2]]);
    let by_position = store.clusters_by_position(batch).await.expect("read");
    assert_eq!(by_position, [Some(ClusterId(0)), Some(ClusterId(0)), Some(ClusterId(1)), None]);
    let clusters = store.clusters(batch).await.expect("read");
    assert_eq!((clusters.len(), clusters[0].representative_path.as_str()), (2, "beta.txt"));

    let mut after: Option<(String, DocumentId)> = None;
    let mut paths = Vec::new();
    loop {
        let from = after.as_ref().map(|(path, id)| (path.as_str(), *id));
        let rows = store.documents_after(batch, from, 3).await.expect("read");
        let Some(last) = rows.last() else { break };
        after = Some((last.path.clone(), last.id));
        paths.extend(rows.into_iter().map(|r| r.path));
    }
    assert_eq!(paths, ["Alpha.txt", "beta.txt", "delta.txt", "gamma.txt"]);
    let clustering = store.clustering(batch).await.expect("read").expect("it has one");
    assert_eq!((clustering.heatmap.documents, clustering.vectors.expect("kept").rows), (4, 4));
}
