//! Families: fingerprints by content, families with the analysis, another threshold, and filters by them.

use sheaf_domain::{BatchId, DocumentId, DocumentQuery, FamilyFilter, FamilyQuery, FamilySummary, Likeness, Stage};

use super::{batch_of, claim, finish_all, steering};
use crate::{FamilyRecord, FoundFamilies, Store};

pub async fn a_fingerprint_is_remembered_by_content<S: Store>(store: &S) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    assert_eq!(store.unprinted(batch, 3).await.expect("read"), ["parse-0", "parse-1"]);
    let asked = ["parse-1", "parse-9", "parse-0"].map(str::to_owned);
    let expect = [("parse-0", "text of parse-0"), ("parse-1", "text of parse-1")];
    assert_eq!(store.texts(&asked).await.expect("read"), expect.map(|(key, text)| (key.to_owned(), text.to_owned())));
    let kept = [("parse-1".to_owned(), vec![0, 1, 255]), ("parse-9".to_owned(), vec![9])];
    store.keep_fingerprints(3, &kept).await.expect("kept; of what is not there, nothing");
    assert_eq!(store.unprinted(batch, 3).await.expect("read"), ["parse-0"]);
    assert_eq!(store.unprinted(batch, 4).await.expect("read").len(), 2, "those of a version are no other's");
    let keys = ["parse-0", "parse-9", "parse-1"].map(str::to_owned);
    assert_eq!(store.fingerprints(&keys).await.expect("read"), [vec![], vec![], vec![0, 1, 255]]);
    let printed = store.printed_documents(batch, 3).await.expect("read");
    let found: Vec<_> = printed.iter().map(|d| (d.id, d.path.as_str(), d.key.as_deref())).collect();
    let keys: Vec<Option<&str>> = found.iter().map(|(_, _, key)| *key).collect();
    assert_eq!(
        found.iter().map(|(id, path, _)| (*id, *path)).collect::<Vec<_>>(),
        [(documents[0], "a.txt"), (documents[1], "b.txt")]
    );
    assert!(keys.contains(&Some("parse-1")) && keys.contains(&None), "{keys:?}");
    store.keep_fingerprints(4, &[("parse-1".to_owned(), vec![7])]).await.expect("replaced");
    assert_eq!(store.fingerprints(&["parse-1".to_owned()]).await.expect("read"), [vec![7]]);
}

fn place(document: DocumentId, family: Option<u32>, place: u32, likeness: Likeness, jaccard: f32) -> FamilyRecord {
    FamilyRecord { document, family, place, likeness, jaccard }
}

/// Five documents: the first three in family 1, the fourth alike only at a lower threshold, the last alone.
async fn with_families<S: Store>(store: &S) -> (BatchId, Vec<DocumentId>) {
    let (batch, documents) = batch_of(store, &["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]).await;
    store.seal_batch(batch).await.expect("sealed");
    finish_all(store).await;
    assert_eq!(store.family_summary(batch).await.expect("read"), None, "it is not analysed yet");
    assert_eq!(store.alike(batch).await.expect("read"), None);
    let analyse = claim(store, Stage::Analyse, 1).await.remove(0);
    let mut result = steering::analysed(&analyse);
    result.families = FoundFamilies {
        least: 0.5,
        lowest: 0.25,
        documents: vec![
            (place(documents[1], Some(1), 0, Likeness::Exact, 1.0), 1, 100),
            (place(documents[0], Some(1), 1, Likeness::SameText, 1.0), 1, 100),
            (place(documents[2], Some(1), 2, Likeness::Near, 0.75), 2, 90),
            (place(documents[3], None, 0, Likeness::Near, 0.0), 3, 80),
        ],
        pairs: vec![(1, 2, 0.75), (1, 3, 0.25)],
    };
    assert!(store.complete_analysis(&result).await.expect("answered"));
    (batch, documents)
}

pub async fn families_come_with_the_analysis_and_can_be_regrouped<S: Store>(store: &S) {
    let (batch, documents) = with_families(store).await;
    let summary = FamilySummary { families: 1, documents: 3, least: 0.5, lowest: 0.25 };
    assert_eq!(store.family_summary(batch).await.expect("read"), Some(summary));
    assert_eq!(summary.spare(), 2);
    let page = store.families(batch, &FamilyQuery::default()).await.expect("read");
    let members =
        |family: &sheaf_domain::Family| family.members.iter().map(|m| (m.id, m.kind, m.jaccard)).collect::<Vec<_>>();
    let expect = [
        (documents[1], Likeness::Exact, 1.0),
        (documents[0], Likeness::SameText, 1.0),
        (documents[2], Likeness::Near, 0.75),
    ];
    assert_eq!((page.total, page.items[0].id, page.items[0].size), (1, 1, 3));
    assert_eq!(members(&page.items[0]), expect);
    let family = store.family(batch, 1).await.expect("read").expect("it is there");
    assert_eq!(family, page.items[0]);
    assert_eq!(store.family(batch, 2).await.expect("read"), None);

    let kept = store.alike(batch).await.expect("read").expect("it is analysed");
    assert_eq!((kept.documents.len(), kept.summary), (4, summary));
    assert_eq!(kept.documents[0].path, "a.txt");
    assert_eq!((kept.documents[3].document, kept.documents[3].text, kept.documents[3].words), (documents[3], 3, 80));
    assert_eq!(kept.pairs, [(1, 2, 0.75), (1, 3, 0.25)]);

    let places = [
        place(documents[1], Some(1), 0, Likeness::Exact, 1.0),
        place(documents[0], Some(1), 1, Likeness::SameText, 1.0),
        place(documents[2], None, 0, Likeness::Near, 0.0),
        place(documents[3], None, 0, Likeness::Near, 0.0),
    ];
    assert!(store.regroup(batch, kept.round, 0.8, &places).await.expect("answered"));
    let summary = FamilySummary { families: 1, documents: 2, least: 0.8, lowest: 0.25 };
    assert_eq!(store.family_summary(batch).await.expect("read"), Some(summary));
    assert!(!store.regroup(batch, kept.round + 1, 0.9, &places).await.expect("answered"), "of another analysis");
    assert_eq!(store.family_summary(batch).await.expect("read"), Some(summary));
}

pub async fn documents_are_filtered_by_their_families<S: Store>(store: &S) {
    let (batch, documents) = with_families(store).await;
    let check = async |family: FamilyFilter, expect: &[usize]| {
        let query = DocumentQuery { family: Some(family), ..DocumentQuery::default() };
        let page = store.documents(batch, &query).await.expect("read");
        let found: Vec<DocumentId> = page.items.iter().map(|d| d.id).collect();
        assert_eq!(found, expect.iter().map(|&index| documents[index]).collect::<Vec<_>>(), "{family}");
    };
    check(FamilyFilter::Any, &[0, 1, 2]).await;
    check(FamilyFilter::Spare, &[0, 2]).await;
    check(FamilyFilter::Collapsed, &[1, 3, 4]).await;
    check(FamilyFilter::Family(1), &[0, 1, 2]).await;
    check(FamilyFilter::Family(2), &[]).await;
    let rows = store.documents(batch, &DocumentQuery::default()).await.expect("read").items;
    let places: Vec<_> = rows.iter().map(|row| row.family.map(|family| (family.id, family.principal))).collect();
    assert_eq!(places, [Some((1, false)), Some((1, true)), Some((1, false)), None, None]);
}
