//! Work that nobody wants any more ends at once, in the middle of a document.

#[expect(dead_code, reason = "only the assembling is used here")]
#[path = "../../crates/parsing/tests/support/pdf.rs"]
mod made;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use made::assemble;
use support::Server;

/// A PDF that takes minutes: many pages that all draw the same long content.
fn endless() -> Vec<u8> {
    const PAGES: usize = 4000;
    let content = "BT /F1 9 Tf 72 760 Td (harbour) Tj 0 -1 Td (winter) Tj ET\n".repeat(4000);
    let kids: Vec<String> = (0..PAGES).map(|page| format!("{} 0 R", 5 + page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {PAGES} >>", kids.join(" ")),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
    ];
    let page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 3 0 R >> >> >>";
    objects.extend((0..PAGES).map(|_| page.to_owned()));
    assemble(&objects)
}

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
