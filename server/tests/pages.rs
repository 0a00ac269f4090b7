//! The look of pages by the real server: small pictures that are there before anybody asks, and quotes that are found on
//! the page.

mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::Server;

/// Three pages in Courier that say where their words are; see `fixtures/README.md`.
fn quotes() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/pages/quotes.pdf")).expect("a fixture")
}

/// Uploads one file, waits until it is read, and gives the path of its document in the API.
async fn read(server: &Server, name: &str, bytes: Vec<u8>) -> String {
    let (status, batch) = server.upload(&[("model", "fast")], &[(name.to_owned(), bytes)]).await;
    assert_eq!(status, 201, "{batch}");
    let batch = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&batch).await;
    let (_, found) = server.get(&format!("/api/batches/{batch}/documents")).await;
    assert_eq!(found["items"][0]["status"], "completed", "{found}");
    format!("/api/batches/{batch}/documents/{}", found["items"][0]["id"].as_str().expect("an id"))
}

/// Asks where the first occurrence of some words on a page is.
async fn boxes(server: &Server, document: &str, page: u32, words: &str) -> Value {
    let (_, view) = server.get(&format!("{document}/pages/{page}")).await;
    let text = view["text"].as_str().expect("a text");
    let start = text.find(words).unwrap_or_else(|| panic!("{words:?} in {text:?}"));
    let end = start + words.len();
    let (status, found) = server.get(&format!("{document}/pages/{page}/boxes?start={start}&end={end}")).await;
    assert_eq!(status, 200, "{found}");
    assert_eq!((found["text"].as_str(), found["page"].as_u64()), (Some(words), Some(page.into())));
    found["boxes"].clone()
}

fn side(found: &Value, name: &str) -> f64 {
    found[name].as_f64().unwrap_or_else(|| panic!("{name} in {found}"))
}

fn near(found: f64, expect: f64, within: f64) -> bool {
    (found - expect).abs() < within
}

#[tokio::test]
async fn a_quote_is_found_on_the_page() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let document = read(&server, "quotes.pdf", quotes()).await;

    let found = boxes(&server, &document, 1, "closes").await;
    assert_eq!(found.as_array().map(Vec::len), Some(1), "{found}");
    let first = &found[0];
    // Letters 12 points wide on a page of 595 by 842: the twelfth to the seventeenth of a line that begins at 100.
    assert!(
        near(side(first, "left"), 232.0 / 595.0, 0.002) && near(side(first, "width"), 72.0 / 595.0, 0.002),
        "{first}"
    );
    let line = (842.0 - 700.0) / 842.0;
    assert!(side(first, "top") < line && side(first, "top") + side(first, "height") > line, "{first}");
    let found = boxes(&server, &document, 1, "14 March.\nBids").await;
    assert_eq!(found.as_array().map(Vec::len), Some(2), "a box for each line: {found}");
    // A page that is turned is boxed as it is shown: its lines run down.
    let found = boxes(&server, &document, 2, "seven").await;
    assert!(near(side(&found[0], "top"), 148.0 / 600.0, 0.002), "{found}");
    assert!(near(side(&found[0], "height"), 60.0 / 600.0, 0.002), "{found}");

    for (query, expect) in [
        ("start=0", 400),
        ("start=5&end=5", 400),
        ("start=7&end=3", 400),
        ("start=0&end=99999", 400),
        ("start=-1&end=3", 400),
        ("start=0&end=10", 200),
    ] {
        let (status, answer) = server.get(&format!("{document}/pages/1/boxes?{query}")).await;
        assert_eq!(status, expect, "{query}: {answer}");
    }
    assert_eq!(server.get(&format!("{document}/pages/4/boxes?start=0&end=3")).await.0, 404);
    let text = read(&server, "a.txt", b"The tender closes.".to_vec()).await;
    let (status, answer) = server.get(&format!("{text}/pages/1/boxes?start=0&end=3")).await;
    assert_eq!((status, answer["code"].as_str()), (422, Some("unsupported_kind")), "{answer}");
}

#[tokio::test]
async fn what_was_recognised_is_found_where_the_original_has_it() {
    if sheaf_parsing::find_tesseract().is_none() {
        eprintln!("SKIPPED: there is no Tesseract");
        return;
    }
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let original = read(&server, "quotes.pdf", quotes()).await;
    let address = format!("{}{original}/pages/1/picture?width=1600", server.address);
    let picture = server.client.get(address).send().await.expect("an answer").bytes().await.expect("a picture");
    let recognised = read(&server, "quotes.webp", picture.to_vec()).await;

    let (there, here) = (boxes(&server, &original, 1, "closes").await, boxes(&server, &recognised, 1, "closes").await);
    assert_eq!(here.as_array().map(Vec::len), Some(1), "{here}");
    let (there, here) = (&there[0], &here[0]);
    // The engine boxes ink, which is less than the letters' whole width and height.
    assert!(near(side(here, "left"), side(there, "left"), 0.01), "{here} and {there}");
    assert!(near(side(here, "width"), side(there, "width"), 0.02), "{here} and {there}");
    assert!(side(here, "top") >= side(there, "top") - 0.005, "{here} and {there}");
    let bottom = |it: &Value| side(it, "top") + side(it, "height");
    assert!(bottom(here) <= bottom(there) + 0.005, "{here} and {there}");
}

#[tokio::test]
async fn the_first_page_has_a_small_picture_before_anybody_looks() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    read(&server, "a.txt", b"It has no pages to look at.".to_vec()).await;
    let document = read(&server, "quotes.pdf", quotes()).await;

    let pictures = || fs::read_dir(data.path().join("pictures")).expect("there").flatten().map(|entry| entry.path());
    let started = Instant::now();
    let kept = loop {
        let is_small = |path: &std::path::PathBuf| path.to_string_lossy().ends_with("-1-160-.webp");
        if let Some(kept) = pictures().find(is_small) {
            break kept;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "nothing is drawn");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(pictures().count(), 1, "one page of one document");
    let kept = fs::read(kept).expect("readable");
    let address = format!("{}{document}/pages/1/picture?width=160", server.address);
    let shown = server.client.get(address).send().await.expect("an answer").bytes().await.expect("a picture");
    assert!(kept.starts_with(b"RIFF") && kept == shown);

    // It goes with its document.
    let batch = document.split("/documents/").next().expect("a batch");
    server.client.delete(format!("{}{batch}", server.address)).send().await.expect("an answer");
    assert_eq!(pictures().count(), 0);
}
