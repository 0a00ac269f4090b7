//! Facets under each other's filters, pages of a selection, and what stands around a document.

use sheaf_domain::{
    ClusterFilter, ClusterId, ConfidenceLevel, Day, DocumentId, DocumentKind, DocumentMetadata, DocumentQuery, Facets,
    FamilyFilter, Likeness, SizeClass, SortKey, Stage, Status,
};

use super::{batch_of, claim, finish_all, new_document, parsed, record, steering};
use crate::{FamilyRecord, FoundFamilies, Placement, Store};

/// Of each document its path, bytes, kind, language and the date that it gives.
const PILE: [(&str, u64, DocumentKind, &str, Option<&str>); 5] = [
    ("a.pdf", 500, DocumentKind::Pdf, "eng", Some("2019-05-03T10:00:00Z")),
    ("b.pdf", 50_000, DocumentKind::Pdf, "deu", Some("2020-01-01")),
    ("c.txt", 500, DocumentKind::Text, "eng", Some("yesterday")),
    ("d.txt", 5_000_000, DocumentKind::Text, "eng", None),
    ("e.bin", 500, DocumentKind::Unknown, "", None),
];

/// The pile analysed: a and b in cluster 0, c an outlier; c a copy of a; e is not read yet.
pub(super) async fn pile<S: Store>(store: &S) -> (sheaf_domain::BatchId, Vec<DocumentId>) {
    let (batch, _) = batch_of(store, &[]).await;
    let mut documents = Vec::new();
    for (path, bytes, kind, language, created) in PILE {
        let mut document = new_document(path);
        document.bytes = bytes;
        document.kind = Some(kind);
        documents.push(document.id);
        store.add_documents(batch, &[document]).await.expect("added");
        if language.is_empty() {
            continue;
        }
        let parse = claim(store, Stage::Parse, 1).await.remove(0);
        let mut read = record(path);
        read.kind = kind;
        read.language = Some(language.into());
        read.metadata = DocumentMetadata { created: created.map(str::to_owned), ..DocumentMetadata::default() };
        assert!(parsed(store, &parse, read).await);
    }
    store.seal_batch(batch).await.expect("sealed");
    let last = claim(store, Stage::Parse, 1).await.remove(0);
    let failure = sheaf_domain::Failure::new(sheaf_domain::FailureCode::CorruptFile, "it is broken");
    assert!(store.fail(&last, &failure, None).await.expect("answered"));
    finish_all(store).await;
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let mut result = steering::analysed(&analyse);
    let place = |document: usize, cluster: Option<u32>, probability: f32| Placement {
        document: documents[document],
        cluster: cluster.map(ClusterId),
        probability,
        position: u32::try_from(document).expect("small"),
        neighbours: Vec::new(),
        found: None,
    };
    result.clustering.placements = vec![place(0, Some(0), 0.9), place(1, Some(0), 0.5), place(2, None, 0.1)];
    let member = |document: usize, place: u32| FamilyRecord {
        document: documents[document],
        family: Some(1),
        place,
        likeness: Likeness::Exact,
        jaccard: 1.0,
    };
    result.families = FoundFamilies {
        least: 0.5,
        lowest: 0.5,
        documents: vec![(member(0, 0), 0, 9), (member(2, 1), 0, 9)],
        pairs: Vec::new(),
    };
    assert!(store.complete_analysis(&result).await.expect("answered"));
    (batch, documents)
}

pub async fn facets_count_under_the_other_filters<S: Store>(store: &S) {
    let (batch, documents) = pile(store).await;
    let facets = async |query: &DocumentQuery| {
        let facets = Facets::of(&store.facets(Some(batch), query).await.expect("read"), query);
        let total = store.documents(batch, query).await.expect("read").total;
        assert_eq!(facets.matching, total, "facets and table agree on {query:?}");
        facets
    };
    let of = |counts: &[sheaf_domain::FacetCount<DocumentKind>]| {
        counts.iter().map(|count| (count.value, count.documents)).collect::<Vec<_>>()
    };
    let all = facets(&DocumentQuery::default()).await;
    assert_eq!(of(&all.kinds), [(DocumentKind::Pdf, 2), (DocumentKind::Text, 2), (DocumentKind::Unknown, 1)]);
    let years: Vec<_> = all.years.iter().map(|count| (count.value.as_str(), count.documents)).collect();
    assert_eq!(years, [("2019", 1), ("2020", 1)], "what is no date is none");
    let sizes: Vec<_> = all.sizes.iter().map(|count| (count.value, count.documents)).collect();
    assert_eq!(sizes, [(SizeClass::Tiny, 3), (SizeClass::Small, 1), (SizeClass::Large, 1)]);
    let statuses: Vec<_> = all.statuses.iter().map(|count| (count.value, count.documents)).collect();
    assert_eq!(statuses, [(Status::Completed, 4), (Status::Failed, 1)]);
    let clusters: Vec<_> = all.clusters.iter().map(|count| (count.value, count.documents)).collect();
    assert_eq!(clusters, [(ClusterFilter::Cluster(ClusterId(0)), 2), (ClusterFilter::Outliers, 1)]);
    let levels: Vec<_> = all.confidences.iter().map(|count| (count.value, count.documents)).collect();
    assert_eq!(levels, [(ConfidenceLevel::High, 1), (ConfidenceLevel::Medium, 1), (ConfidenceLevel::Low, 1)]);
    assert_eq!((all.failures.len(), all.families.len()), (1, 3));

    let english =
        DocumentQuery { language: Some("eng".into()), kind: Some(DocumentKind::Text), ..DocumentQuery::default() };
    let found = facets(&english).await;
    assert_eq!(found.matching, 2);
    assert_eq!(of(&found.kinds), [(DocumentKind::Text, 2), (DocumentKind::Pdf, 1)]);
    let date = |text: &str| text.parse::<Day>().ok();
    let check = async |query: DocumentQuery, expect: &[usize]| {
        facets(&query).await;
        let page = store.documents(batch, &query).await.expect("read");
        let found: Vec<DocumentId> = page.items.iter().map(|d| d.id).collect();
        assert_eq!(found, expect.iter().map(|&index| documents[index]).collect::<Vec<_>>(), "{query:?}");
    };
    let any = DocumentQuery::default;
    check(DocumentQuery { from: date("2019-05"), to: date("2019"), ..any() }, &[0]).await;
    check(DocumentQuery { from: date("2019-05-04"), ..any() }, &[1]).await;
    check(DocumentQuery { to: date("2020-01-01"), ..any() }, &[0, 1]).await;
    check(DocumentQuery { size: Some(SizeClass::Large), ..any() }, &[3]).await;
    check(DocumentQuery { cluster: Some(ClusterFilter::Outliers), ..any() }, &[2]).await;
    check(DocumentQuery { cluster: Some(ClusterFilter::Cluster(ClusterId(0))), ..any() }, &[0, 1]).await;
    check(DocumentQuery { family: Some(FamilyFilter::Family(1)), ..any() }, &[0, 2]).await;
    check(DocumentQuery { documents: vec![documents[1], documents[4]], ..any() }, &[1, 4]).await;
    check(DocumentQuery { search: Some("a.pdf".into()), ..any() }, &[0]).await;
    let everywhere = store.facets(None, &any()).await.expect("read");
    assert_eq!(Facets::of(&everywhere, &any()), all, "there is no other batch");
}

pub async fn a_selection_is_read_page_by_page_and_step_by_step<S: Store>(store: &S) {
    let (batch, documents) = pile(store).await;
    let query = DocumentQuery { language: Some("eng".into()), ..DocumentQuery::default() };
    let first = store.matching_after(batch, &query, None, 2).await.expect("read");
    assert_eq!(first.iter().map(|d| d.id).collect::<Vec<_>>(), [documents[0], documents[2]]);
    let rest = store.matching_after(batch, &query, Some(("c.txt", documents[2])), 2).await.expect("read");
    assert_eq!(rest.iter().map(|d| d.id).collect::<Vec<_>>(), [documents[3]]);

    let sorted = DocumentQuery { sort: SortKey::Path, descending: true, ..query };
    let around = async |document: usize| {
        let around = store.around(batch, &sorted, documents[document]).await.expect("read")?;
        Some((around.previous, around.next, around.place, around.total))
    };
    assert_eq!(around(3).await, Some((None, Some(documents[2]), 1, 3)));
    assert_eq!(around(2).await, Some((Some(documents[3]), Some(documents[0]), 2, 3)));
    assert_eq!(around(0).await, Some((Some(documents[2]), None, 3, 3)));
    assert_eq!(around(1).await, None, "it is in German");
}

pub async fn the_map_has_every_placed_document<S: Store>(store: &S) {
    let (batch, documents) = pile(store).await;
    let placed = store.placed(batch).await.expect("read");
    let found: Vec<_> = placed.iter().map(|d| (d.id, d.path.as_str(), d.cluster)).collect();
    let in_cluster = Some(ClusterId(0));
    let expect =
        [(documents[0], "a.pdf", in_cluster), (documents[1], "b.pdf", in_cluster), (documents[2], "c.txt", None)];
    assert_eq!(found, expect, "d and e have no place");
}
