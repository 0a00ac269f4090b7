//! Batches are stopped, continued, retried and listened to, through the built binary.

#[path = "support/endless.rs"]
mod document;
#[path = "support/events.rs"]
mod events;
mod support;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use document::endless;
use events::Listener;
use serde_json::{Value, json};
use support::{Server, files, pile};

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

/// Waits until the batch's counts are as wanted.
async fn until(server: &Server, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let (_, progress) = server.get(&format!("/api/batches/{id}/progress")).await;
        if wanted(&progress) {
            return progress;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come to that: {}", progress["counts"]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_batch_is_cancelled_in_the_middle_of_a_document_and_goes_on_later() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut sent = files(&pile());
    let small = sent.len();
    sent.push(("endless.pdf".into(), endless()));
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    until(&server, &id, |p| p["counts"]["completed"] == small && p["counts"]["processing"] == 1).await;

    let started = Instant::now();
    let (status, cancelled) = post(&server, &format!("/api/batches/{id}/cancel"), &Value::Null).await;
    assert_eq!((status, &cancelled["status"]), (200, &json!("cancelled")));
    assert_eq!((&cancelled["counts"]["completed"], &cancelled["counts"]["cancelled"]), (&json!(small), &json!(1)));
    assert!(started.elapsed() < Duration::from_secs(5), "it waited for the document");
    let (status, again) = post(&server, &format!("/api/batches/{id}/cancel"), &Value::Null).await;
    assert_eq!((status, &again["code"]), (409, &json!("not_running")));
    let (_, documents) = server.get(&format!("/api/batches/{id}/documents?status=completed")).await;
    assert_eq!(documents["total"], small, "what is done stays");

    // It goes on, also after a restart; now such a document is refused, so that this ends.
    drop(server);
    let server = Server::start(data.path(), &["--max-pages", "100"]);
    let (status, restarted) = post(&server, &format!("/api/batches/{id}/restart"), &json!("cancelled")).await;
    assert_eq!((status, &restarted["documents"]), (200, &json!(1)));
    let done = server.finished(&id).await;
    assert_eq!((&done["status"], &done["counts"]["failed"]), (&json!("completed"), &json!(1)), "{done}");
    assert_eq!(done["summary"]["clusters"].as_u64().map(|n| n > 0), Some(true), "the others are grouped");
}

#[tokio::test]
async fn what_failed_is_tried_again_by_its_kind() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--parse-seconds", "1"]);
    let mut sent = files(&pile());
    sent.push(("endless.pdf".into(), endless()));
    sent.push(("broken.pdf".into(), b"%PDF-1.7\nthere is nothing in it".to_vec()));
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let done = server.finished(&id).await;
    let failures = done["failures"].as_array().expect("failures");
    let codes: Vec<(&Value, &Value)> = failures.iter().map(|f| (&f["code"], &f["retryable"])).collect();
    assert_eq!(codes, [(&json!("corrupt_file"), &json!(1)), (&json!("timed_out"), &json!(1))]);
    drop(server);

    let server = Server::start(data.path(), &["--parse-seconds", "1"]);
    let (status, restarted) =
        post(&server, &format!("/api/batches/{id}/restart"), &json!({"failed_with": "timed_out"})).await;
    assert_eq!((status, &restarted["documents"]), (200, &json!(1)));
    let done = server.finished(&id).await;
    assert_eq!(done["counts"]["failed"], 2);
    let (_, slow) = server.get(&format!("/api/batches/{id}/documents?failure=timed_out")).await;
    let document = slow["items"][0]["id"].as_str().expect("an id");
    let (_, attempts) = server.get(&format!("/api/batches/{id}/documents/{document}/attempts")).await;
    let listed: Vec<&Value> = attempts.as_array().expect("attempts").iter().map(|a| &a["failure"]["code"]).collect();
    assert_eq!(listed, ["timed_out", "timed_out"]);

    let (status, nothing) =
        post(&server, &format!("/api/batches/{id}/restart"), &json!({"failed_with": "no_text"})).await;
    assert_eq!((status, &nothing["code"]), (409, &json!("nothing_to_restart")));
    let (status, odd) = post(&server, &format!("/api/batches/{id}/restart"), &json!("everything")).await;
    assert_eq!((status, &odd["code"]), (400, &json!("invalid_request")));
}

#[tokio::test]
async fn one_failure_stops_a_batch_that_wants_so() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--max-concurrent-documents", "1"]);
    // The heaviest comes first.
    let broken = [b"%PDF-1.7\n".as_slice(), &[b'x'; 100_000]].concat();
    let mut sent = files(&pile());
    sent.insert(0, ("broken.pdf".into(), broken));
    let (_, batch) = server.upload(&[("model", "fast"), ("on_error", "fail_all")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let done = server.finished(&id).await;
    assert_eq!(done["status"], "failed");
    let message = done["failure"]["message"].as_str().expect("it says why");
    assert!(message.contains("broken.pdf"), "{message}");
    assert_eq!(done["counts"]["failed"], 1);
    assert_eq!(done["counts"]["pending"], 0);
}

#[tokio::test]
async fn listeners_hear_everything_without_a_gap() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut sent = files(&pile());
    for copy in 0..40 {
        sent.push((
            format!("more/{copy}.txt"),
            format!("Harbour letter number {copy} about winter and ships.").into_bytes(),
        ));
    }
    // Held up by a document that takes long, so that there is time to listen.
    sent.push(("endless.pdf".into(), endless()));
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let path = format!("/api/batches/{id}/events");

    let mut first = Listener::open(&server, &path, None).await;
    let (name, _) = first.next().await.expect("an event");
    assert_eq!(name, "progress", "how far it is comes first");
    let cursor = first.cursor().expect("every event has an id");
    drop(first); // A connection that is lost.

    let mut listeners = Vec::new();
    for _ in 0..20 {
        listeners.push(Listener::open(&server, &path, Some(&cursor)).await);
    }
    until(&server, &id, |p| p["counts"]["completed"] == sent.len() - 1).await;
    let (status, _) = post(&server, &format!("/api/batches/{id}/cancel"), &Value::Null).await;
    assert_eq!(status, 200);
    // One that was away the whole time.
    listeners.push(Listener::open(&server, &path, Some(&cursor)).await);

    let (_, table) = server.get(&format!("/api/batches/{id}/documents?limit=500")).await;
    let is: HashMap<String, String> = rows(&table["items"]);
    for mut listener in listeners {
        let mut heard: HashMap<String, String> = HashMap::new();
        let mut ended = None;
        while let Some((name, data)) = listener.next().await {
            match name.as_str() {
                "documents" => heard.extend(rows(&data)),
                "end" => ended = Some(data),
                other => assert_eq!(other, "progress"),
            }
        }
        assert_eq!(ended, Some(json!("cancelled")));
        for (document, status) in &heard {
            assert_eq!(is.get(document), Some(status), "the last word on a document is its state");
        }
        assert!(heard.values().any(|status| status == "cancelled"), "the document that was in work");
    }
}

/// Status by id.
fn rows(documents: &Value) -> HashMap<String, String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    documents.as_array().expect("documents").iter().map(|d| (text(&d["id"]), text(&d["status"]))).collect()
}
