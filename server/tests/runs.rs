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
    let server = Server::start(data.path(), &["--max-pages", "100"]);
    let mut sent = files(&pile());
    sent.push(("endless.pdf".into(), endless()));
    sent.push(("broken.pdf".into(), b"%PDF-1.7\nthere is nothing in it".to_vec()));
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let done = server.finished(&id).await;
    let failures = done["failures"].as_array().expect("failures");
    let codes: Vec<(&Value, &Value)> = failures.iter().map(|f| (&f["code"], &f["retryable"])).collect();
    assert_eq!(codes, [(&json!("corrupt_file"), &json!(1)), (&json!("too_many_pages"), &json!(1))]);
    drop(server);

    let server = Server::start(data.path(), &["--max-pages", "100"]);
    let (status, restarted) =
        post(&server, &format!("/api/batches/{id}/restart"), &json!({"failed_with": "too_many_pages"})).await;
    assert_eq!((status, &restarted["documents"]), (200, &json!(1)));
    let done = server.finished(&id).await;
    assert_eq!(done["counts"]["failed"], 2);
    let (_, slow) = server.get(&format!("/api/batches/{id}/documents?failure=too_many_pages")).await;
    let document = slow["items"][0]["id"].as_str().expect("an id");
    let (_, attempts) = server.get(&format!("/api/batches/{id}/documents/{document}/attempts")).await;
    let listed: Vec<&Value> = attempts.as_array().expect("attempts").iter().map(|a| &a["failure"]["code"]).collect();
    assert_eq!(listed, ["too_many_pages", "too_many_pages"]);

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

/// Sends a form from a page as a browser does; the address at which it ends up.
async fn send_form(server: &Server, from: &str, path: &str, body: &str) -> (u16, String) {
    let address = &server.address;
    let request = server.client.post(format!("{address}{path}")).body(body.to_owned());
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin");
    let answer = request.header("referer", format!("{address}{from}")).send().await.expect("an answer");
    let end = answer.url().as_str().strip_prefix(address.as_str()).expect("this server").to_owned();
    (answer.status().as_u16(), end)
}

#[tokio::test]
async fn forms_steer_a_batch_and_lead_on_to_pages() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut sent = files(&pile());
    sent.push(("endless.pdf".into(), endless()));
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let id = batch["id"].as_str().expect("an id");
    let page = format!("/batches/{id}");
    until(&server, id, |progress| progress["counts"]["processing"] == 1).await;

    let form =
        async |from: &str, path: &str, body: &str| send_form(&server, from, &format!("{page}/{path}"), body).await;
    let renamed = form("/?q=old&status=processing", "change", "name=Odds+%26+ends&priority=high").await;
    assert_eq!(renamed, (200, "/?q=old&status=processing".to_owned()), "back to where it was sent from");
    let (_, batch) = server.get(&format!("/api{page}")).await;
    assert_eq!((&batch["name"], &batch["priority"]), (&json!("Odds & ends"), &json!("high")));
    assert_eq!(form(&page, "change", "name=+").await.0, 400);
    assert_eq!(form(&page, "change", "priority=urgent").await.0, 400);

    for _ in 0..2 {
        // The second comes too late, and the page tells.
        assert_eq!(form(&format!("{page}/cancel"), "cancel", "").await, (200, page.clone()));
    }
    let (_, batch) = server.get(&format!("/api{page}")).await;
    assert_eq!(batch["status"], "cancelled");
    let (_, stopped) = server.get(&format!("/api{page}/documents?status=cancelled")).await;
    let document = stopped["items"][0]["id"].as_str().expect("an id");
    let again = form(&page, "restart", &format!("document={document}")).await;
    assert_eq!(again, (200, format!("{page}/documents/{document}")));
    assert_eq!(form(&page, "cancel", "").await, (200, page.clone()));
    assert_eq!(form(&page, "restart", "which=failed&code=timed_out").await, (200, page.clone()), "there is none");
    assert_eq!(form(&page, "restart", "which=everything").await.0, 400);
    assert_eq!(form(&page, "restart", "which=cancelled").await, (200, page.clone()));
    until(&server, id, |progress| progress["counts"]["processing"] == 1).await;
    assert_eq!(form(&page, "delete", "").await, (200, "/".to_owned()));

    let nobody = "018f0000-0000-7000-8000-000000000000";
    for path in ["cancel", "restart", "change"] {
        assert_eq!(
            send_form(&server, "/", &format!("/batches/{nobody}/{path}"), "which=failed").await.0,
            404,
            "{path}"
        );
    }
}

#[tokio::test]
async fn two_batches_are_compared() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let first = files(&pile());
    let mut second = first.clone();
    second[0].1.extend_from_slice(b"One sentence more.");
    second[1].0 = "moved.txt".into();
    let mut ids = Vec::new();
    for documents in [&first, &second] {
        let (_, batch) = server.upload(&[("model", "fast")], documents).await;
        let id = batch["id"].as_str().expect("an id").to_owned();
        server.finished(&id).await;
        ids.push(id);
    }
    let (a, b) = (&ids[0], &ids[1]);
    let (status, compared) = server.get(&format!("/api/compare?a={a}&b={b}&limit=2")).await;
    assert_eq!(status, 200, "{compared}");
    let both = first.len() - 1;
    assert_eq!(compared["counts"], json!({"both": both, "changed": 0, "only_first": 1, "only_second": 1}));
    assert_eq!((&compared["documents"]["total"], &compared["documents"]["next_cursor"]), (&json!(both), &json!("2")));
    assert_eq!(compared["first"]["summary"]["counts"]["completed"], first.len());
    let (_, only) = server.get(&format!("/api/compare?a={a}&b={b}&part=only_second")).await;
    let rows = only["documents"]["items"].as_array().expect("rows");
    assert_eq!((rows.len(), &rows[0]["first"]), (1, &Value::Null));
    assert_eq!(rows[0]["second"]["path"], second[0].0.as_str());

    let nobody = "018f0000-0000-7000-8000-000000000000";
    for (query, status) in [
        (format!("a={a}&b={a}"), 400),
        (format!("a={a}"), 400),
        (format!("a={a}&b={b}&part=some"), 400),
        (format!("a={a}&b={nobody}"), 404),
        (format!("a={a}&b=x"), 404),
    ] {
        assert_eq!(server.get(&format!("/api/compare?{query}")).await.0, status, "{query}");
    }
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
