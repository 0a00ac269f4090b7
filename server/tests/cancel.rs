//! Work that nobody wants any more ends at once, in the middle of a document.

#[path = "support/endless.rs"]
mod document;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use document::endless;
use support::Server;

/// The processes that read documents for the server with this process id.
fn parsers(server: u32) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for task in fs::read_dir(format!("/proc/{server}/task")).expect("it runs") {
        let Ok(task) = task else { continue };
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(children.split_whitespace().map(str::to_owned));
    }
    found
}

#[tokio::test]
async fn deleting_a_batch_stops_its_parsers_within_a_second() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &[("endless.pdf".into(), endless())]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();

    // It is at it: some pages are read, many are not.
    let started = Instant::now();
    loop {
        let (_, progress) = server.get(&format!("/api/batches/{id}/progress")).await;
        let pages = &progress["documents"][0]["pages"];
        if pages[0].as_u64().is_some_and(|done| done > 0) {
            assert_eq!(pages[1], 4000);
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is read: {progress}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let busy = parsers(server.id());
    assert!(!busy.is_empty());
    let deleted = Instant::now();
    let answer = server.client.delete(format!("{}/api/batches/{id}", server.address)).send().await.expect("answered");
    assert_eq!(answer.status(), 204);
    while parsers(server.id()).intersection(&busy).next().is_some() {
        assert!(deleted.elapsed() < Duration::from_secs(1), "a parser is still at it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
