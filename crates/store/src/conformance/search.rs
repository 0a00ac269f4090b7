//! Words are found in texts and names, with every part of the language of searches, and go with their batch.

use sheaf_domain::{BatchId, DocumentId, DocumentKind, DocumentQuery, Stage, TextQuery};

use super::{batch_of, claim, parsed, record};
use crate::{Claim, ParseRecord, SearchScope, Store};

const TEXTS: [&str; 4] = [
    "The annual report of the Café Zürich. Milk and sugar.",
    "A report, annual or not, of milk prices; prices of milk",
    "東京 is a city. Budgeting for travel.",
    "",
];

/// A batch with these texts, in their order.
async fn batch_with_texts<S: Store>(store: &S) -> (BatchId, Vec<DocumentId>) {
    let (batch, documents) = batch_of(store, &["a/cafe.txt", "b/milk.txt", "c/Tokyo.txt", "d/none.txt"]).await;
    for parse in claim(store, Stage::Parse, 4).await {
        let at = documents.iter().position(|d| Some(*d) == parse.document).expect("it is of this batch");
        let language = (at == 2).then(|| "jpn".to_owned());
        let kind = if at == 1 { DocumentKind::Html } else { DocumentKind::Text };
        let text = ParseRecord { text: TEXTS[at].into(), kind, language, ..record(&format!("text-{at}")) };
        assert!(parsed(store, &parse, text).await);
    }
    (batch, documents)
}

async fn find<S: Store>(store: &S, text: &str, batch: Option<BatchId>, filter: &DocumentQuery) -> Vec<DocumentId> {
    let scope = SearchScope { batch, filter };
    store.search_texts(&TextQuery::parse(text), scope, 10).await.expect("searched")
}

pub async fn words_are_found_in_texts<S: Store>(store: &S) {
    let (batch, documents) = batch_with_texts(store).await;
    let all = DocumentQuery::default();
    for (text, expect) in [
        ("report", &[0, 1][..]),
        ("ZURICH cafe", &[0]),
        ("\"annual report\"", &[0]),
        ("report -\"annual report\"", &[1]),
        ("budget*", &[2]),
        ("budget", &[]),
        ("zurich OR travel", &[0, 2]),
        ("京", &[2]),
        ("\"東京\"", &[2]),
        ("', ) (", &[]),
    ] {
        let mut expect: Vec<DocumentId> = expect.iter().map(|at| documents[*at]).collect();
        expect.sort();
        for scope in [None, Some(batch)] {
            let mut found = find(store, text, scope, &all).await;
            found.sort();
            assert_eq!(found, expect, "{text}");
        }
    }
    assert_eq!(find(store, "milk", None, &all).await[0], documents[1], "who says it more often comes first");
    let html = DocumentQuery { kind: Some(DocumentKind::Html), ..DocumentQuery::default() };
    assert_eq!(find(store, "report", None, &html).await, [documents[1]]);
    let japanese = DocumentQuery { language: Some("jpn".into()), ..DocumentQuery::default() };
    assert_eq!(find(store, "travel", Some(batch), &japanese).await, [documents[2]]);

    // The table finds names and texts.
    let table = async |text: &str| {
        let query = DocumentQuery { search: Some(text.into()), ..DocumentQuery::default() };
        store.documents(batch, &query).await.expect("read").items.iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(table("milk").await, [documents[0], documents[1]]);
    assert_eq!(table("tokyo.t").await, [documents[2]]);
    let names = store.search_names("TOKYO", SearchScope { batch: None, filter: &all }, 10).await.expect("searched");
    assert_eq!(names, [documents[2]]);

    let found = store.found(&[documents[0], DocumentId(uuid::Uuid::nil())]).await.expect("read");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].batch, found[0].text.as_deref(), found[0].page_starts.len()), (batch, Some(TEXTS[0]), 2));
    assert_eq!(store.index_texts(10).await.expect("answered"), 0, "all are indexed, the empty one too");
}

pub async fn a_deleted_batch_is_not_found<S: Store>(store: &S) {
    let (batch, documents) = batch_with_texts(store).await;
    let all = DocumentQuery::default();
    assert_eq!(find(store, "sugar", None, &all).await, [documents[0]]);
    assert!(store.delete_batch(batch).await.expect("deleted"));
    assert!(find(store, "sugar", None, &all).await.is_empty());
    let (_, documents) = batch_with_texts(store).await;
    assert_eq!(find(store, "sugar", None, &all).await, [documents[0]], "the same text again is indexed again");
}

pub async fn long_texts_are_found_to_their_end<S: Store>(store: &S) {
    let (_, documents) = batch_of(store, &["long.txt"]).await;
    let mut text = String::from("beginning ");
    for number in 0..40_000 {
        text.push_str(&format!("w{number} "));
    }
    text.push_str("the very end");
    let parse = claim(store, Stage::Parse, 1).await.remove(0);
    assert!(parsed(store, &parse, ParseRecord { text, ..record("long") }).await);
    let all = DocumentQuery::default();
    for query in ["beginning \"very end\"", "\"w7999 w8000\"", "\"w15960 w15961 w15962\"", "w39999"] {
        assert_eq!(find(store, query, None, &all).await, [documents[0]], "{query}");
    }
    assert!(find(store, "\"end beginning\"", None, &all).await.is_empty());
}

pub async fn a_word_that_is_frequent_elsewhere_is_found<S: Store>(store: &S) {
    let paths: Vec<String> = (0..1050).map(|n| format!("{n:04}.txt")).collect();
    let (large, _) = batch_of(store, &paths.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let (small, documents) = batch_of(store, &["one.txt"]).await;
    let mut read = 0;
    loop {
        let parses = claim(store, Stage::Parse, 500).await;
        if parses.is_empty() {
            break;
        }
        let result = |(i, parse): (usize, Claim)| {
            let is_small = parse.document == Some(documents[0]);
            let text =
                if is_small { "common, said once among a good many other words" } else { "common common common" };
            let key = format!("text-{}", read + i);
            let text = format!("{text} {key}");
            (parse, ParseRecord { text, ..record(&key) })
        };
        let results: Vec<(Claim, ParseRecord)> = parses.into_iter().enumerate().map(result).collect();
        read += store.complete_parses(&results).await.expect("answered").len();
    }
    assert_eq!(read, 1051);
    let all = DocumentQuery::default();
    assert_eq!(find(store, "common", Some(small), &all).await, documents);
    assert_eq!(find(store, "common", Some(large), &all).await.len(), 10);
    assert_eq!(find(store, "said", Some(large), &all).await, []);
}
