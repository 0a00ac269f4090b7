//! Columns answer like the tables that they were read from, and their mark tells when they no longer do.

use sheaf_domain::{
    ClusterFilter, ClusterId, ConfidenceLevel, DocumentKind, DocumentQuery, Facets, FailureCode, FamilyFilter, Restart,
    SizeClass, SortKey, Stage, Status, TextQuery,
};

use super::explore::pile;
use super::{claim, new_document, parsed, record};
use crate::Store;

/// Queries of every filter, alone and together.
fn queries() -> Vec<DocumentQuery> {
    let any = DocumentQuery::default;
    let mut queries = vec![
        any(),
        DocumentQuery { cluster: Some(ClusterFilter::Cluster(ClusterId(0))), ..any() },
        DocumentQuery { cluster: Some(ClusterFilter::Cluster(ClusterId(9))), ..any() },
        DocumentQuery { cluster: Some(ClusterFilter::Outliers), ..any() },
        DocumentQuery { status: Some(Status::Failed), ..any() },
        DocumentQuery { kind: Some(DocumentKind::Text), ..any() },
        DocumentQuery { failure: Some(FailureCode::CorruptFile), ..any() },
        DocumentQuery { language: Some("eng".into()), ..any() },
        DocumentQuery { language: Some("xxx".into()), ..any() },
        DocumentQuery { from: "2019-05".parse().ok(), ..any() },
        DocumentQuery { from: "2019-05-04".parse().ok(), to: "2020".parse().ok(), ..any() },
        DocumentQuery { to: "2019".parse().ok(), ..any() },
        DocumentQuery { search: Some("A.PDF".into()), ..any() },
        DocumentQuery { search: Some("text".into()), ..any() },
        DocumentQuery { search: Some("text -\"a.pdf\"".into()), ..any() },
        DocumentQuery { search: Some("%".into()), ..any() },
        DocumentQuery { kind: Some(DocumentKind::Pdf), language: Some("eng".into()), ..any() },
        DocumentQuery { search: Some("text".into()), kind: Some(DocumentKind::Text), ..any() },
    ];
    let levels = [ConfidenceLevel::High, ConfidenceLevel::Medium, ConfidenceLevel::Low];
    queries.extend(levels.map(|level| DocumentQuery { confidence: Some(level), ..any() }));
    queries.extend(SizeClass::ALL.map(|size| DocumentQuery { size: Some(size), ..any() }));
    let families = [FamilyFilter::Any, FamilyFilter::Spare, FamilyFilter::Collapsed, FamilyFilter::Family(1)];
    queries.extend(families.map(|family| DocumentQuery { family: Some(family), ..any() }));
    queries
}

pub async fn columns_answer_like_the_tables<S: Store>(store: &S) {
    let (batch, documents) = pile(store).await;
    let columns = store.columns(batch).await.expect("read");
    assert_eq!(columns.len(), documents.len());
    let counts = store.batch(batch).await.expect("read").expect("it is there").counts;
    assert_eq!(columns.summary(counts), store.summary(batch).await.expect("read"));
    let listed = DocumentQuery { documents: vec![documents[1], documents[4]], ..DocumentQuery::default() };
    let both = DocumentQuery { search: Some("b.pdf".into()), ..listed.clone() };
    for mut query in queries().into_iter().chain([listed, both]) {
        let words = TextQuery::parse(query.search.as_deref().unwrap_or_default());
        let worded = store.worded(batch, &words).await.expect("read");
        let by_tables = Facets::of(&store.facets(Some(batch), &query).await.expect("read"), &query);
        assert_eq!(columns.select(&query, &worded).facets(), by_tables, "{query:?}");
        let placed = columns.select(&query, &worded).placed();
        let placed: Vec<_> = placed.into_iter().map(|line| columns.id(line).expect("it is there")).collect();
        let positions = store.positions(batch, &query).await.expect("read");
        assert_eq!(placed, positions.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), "{query:?}");
        for (sort, descending) in SortKey::ALL.into_iter().flat_map(|sort| [(sort, false), (sort, true)]) {
            query = DocumentQuery { sort, descending, ..query };
            for (offset, limit) in [(0, 0), (0, 2), (1, 2), (3, 9)] {
                query = DocumentQuery { offset, limit, ..query };
                let (ids, total) = columns.select(&query, &worded).page();
                let page = store.documents(batch, &query).await.expect("read");
                assert_eq!(total, page.total, "{query:?}");
                assert_eq!(store.rows_of(batch, &ids).await.expect("read"), page.items, "{query:?}");
            }
            for &document in &documents {
                let around = store.around(batch, &query, document).await.expect("read");
                assert_eq!(columns.select(&query, &worded).around(document), around, "{query:?}");
            }
        }
    }
    let nearest = store.nearest(batch, 5).await.expect("read");
    assert_eq!(nearest, vec![Vec::new(); 3], "three are placed, and the pile has no neighbours");
}

pub async fn a_mark_changes_with_what_columns_read<S: Store>(store: &S) {
    let unknown = sheaf_domain::BatchId(uuid::Uuid::now_v7());
    assert_eq!(store.columns_mark(unknown).await.expect("read"), None);
    let (batch, _) = pile(store).await;
    let mark = async || store.columns_mark(batch).await.expect("read").expect("there is one");
    let mut seen = vec![mark().await];
    assert_eq!(mark().await, seen[0], "nothing happened");
    let mut changed = async |what: &str| {
        let now = mark().await;
        assert!(!seen.contains(&now), "{what} changes it");
        seen.push(now);
    };
    let kept = store.alike(batch).await.expect("read").expect("there are families");
    let places: Vec<_> = kept
        .documents
        .iter()
        .map(|alike| crate::FamilyRecord {
            document: alike.document,
            family: None,
            place: 0,
            likeness: sheaf_domain::Likeness::Exact,
            jaccard: 1.0,
        })
        .collect();
    assert!(store.regroup(batch, kept.round, 0.6, &places).await.expect("answered"));
    changed("another threshold of families").await;
    assert!(
        store.columns(batch).await.expect("read").select(&DocumentQuery::default(), &[]).facets().families.is_empty()
    );
    store.restart(batch, &Restart::Failed).await.expect("answered");
    changed("a restart").await;
    let parse = claim(store, Stage::Parse, 1).await.remove(0);
    changed("a claim").await;
    assert!(parsed(store, &parse, record("e.bin")).await);
    changed("a result").await;
    super::finish_all(store).await;
    changed("a vector").await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    assert!(store.complete_analysis(&super::steering::analysed(&analyse)).await.expect("answered"));
    changed("an analysis").await;
    store.extend_batch(batch, &[new_document("f.txt")]).await.expect("answered");
    changed("another document").await;
}
