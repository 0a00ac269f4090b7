//! kill -9 at any moment: nothing is lost, nothing appears twice, and the work goes on.

mod support;

use std::collections::BTreeSet;
use std::time::Duration;

use support::{Server, files, pile};

#[tokio::test]
async fn a_killed_server_finishes_the_batch_after_its_restart() {
    let data = tempfile::tempdir().expect("a folder");
    // Many different documents from few: each gets a line of its own.
    let documents: Vec<(String, Vec<u8>)> = (0..10)
        .flat_map(|copy| {
            files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt") || path.ends_with(".md")).map(
                move |(path, mut bytes)| {
                    bytes.extend_from_slice(format!("\n\nCopy number {copy}.\n").as_bytes());
                    (format!("{copy}/{path}"), bytes)
                },
            )
        })
        .collect();
    let mut server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &documents).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();

    let mut killed_half_way = 0;
    for pause in [30, 120, 60, 200, 90] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        let (_, batch) = server.get(&format!("/api/batches/{id}")).await;
        killed_half_way += u32::from(batch["finished_at"].is_null());
        server.kill();
        server = Server::start(data.path(), &[]);
    }
    assert!(killed_half_way > 0, "at least one kill has to hit a running batch");
    let batch = server.finished(&id).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["counts"]["completed"], documents.len(), "{}", batch["counts"]);

    let (_, csv) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=jsonl")).await;
    let paths: Vec<String> = csv
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON")["path"].to_string())
        .collect();
    assert_eq!(paths.len(), documents.len());
    assert_eq!(paths.into_iter().collect::<BTreeSet<_>>().len(), documents.len(), "every document once");
}

#[tokio::test]
async fn an_upload_that_breaks_off_leaves_nothing() {
    use tokio::io::AsyncWriteExt;

    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let address = server.address.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("connected");
    let head = format!(
        "POST /api/batches HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100000\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n\
         --x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"a.txt\"\r\n\r\nthe beginning of a text"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(server.get("/api/batches").await.1["total"], 1, "it is being received");
    drop(stream);
    for _ in 0..100 {
        if server.get("/api/batches").await.1["total"] == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the broken-off upload is still listed");
}
