//! Work that nobody wants any more ends at once, in the middle of a document; so does work that nobody waits for any more.

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

/// The batch of a document that takes minutes, some pages of which are read by now.
async fn at_it(server: &Server) -> String {
    let (status, batch) = server.upload(&[("model", "fast")], &[("endless.pdf".into(), endless())]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    let started = Instant::now();
    loop {
        let (_, progress) = server.get(&format!("/api/batches/{id}/progress")).await;
        let pages = &progress["documents"][0]["pages"];
        if pages[0].as_u64().is_some_and(|done| done > 0) {
            assert_eq!(pages[1], 4000);
            return id;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is read: {progress}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn deleting_a_batch_stops_its_parsers_within_a_second() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let id = at_it(&server).await;
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

#[tokio::test]
async fn a_server_that_is_killed_takes_its_parsers_with_it() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    at_it(&server).await;
    let busy = parsers(server.id());
    assert!(!busy.is_empty());
    server.kill();
    let killed = Instant::now();
    // What is gone and only waits for somebody to look at how it ended is a `Z`.
    let runs = |id: &String| {
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
    };
    while busy.iter().any(runs) {
        assert!(killed.elapsed() < Duration::from_secs(1), "a parser is still at it");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
