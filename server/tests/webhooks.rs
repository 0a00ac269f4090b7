//! Webhooks are told of every end, signed, and reach nothing that the operator has not allowed.

#[path = "support/receiver.rs"]
mod receiver;
mod support;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hmac::{Hmac, Mac};
use receiver::{Message, Receiver};
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use sha2::Sha256;
use support::Server;

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// As the documentation tells receivers to.
fn is_genuine(message: &Message, secret: &str) -> bool {
    let signed = message.header("sheaf-signature");
    let (time, signature) = signed.split_once(",v1=").expect("two parts");
    let seconds = time.strip_prefix("t=").expect("a time");
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(format!("{seconds}.{}", message.body).as_bytes());
    hex::encode(mac.finalize().into_bytes()) == signature
}

fn letters() -> Vec<(String, Vec<u8>)> {
    let line = "The harbour was frozen in winter and the ships waited for the spring. ";
    vec![("secret-name.txt".into(), line.repeat(20).into_bytes())]
}

#[tokio::test]
async fn every_end_is_told_once_and_signed() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--webhook-allow", "127.0.0.1"]);
    let (mut all, mut one) = (Receiver::start().await, Receiver::start().await);
    let (status, webhook) = post(&server, "/api/webhooks", &json!({"url": all.url()})).await;
    assert_eq!(status, 201, "{webhook}");
    let secret = webhook["secret"].as_str().expect("it is shown once").to_owned();
    let (_, listed) = server.get("/api/webhooks").await;
    assert_eq!(listed[0]["url"], all.url());
    assert!(!listed.to_string().contains(&secret), "and never again");

    // The first attempt at it fails.
    all.refuse.store(1, Ordering::SeqCst);
    let fields = [("model", "fast"), ("webhook_url", &one.url())];
    let (status, batch) = server.upload(&fields, &letters()).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    let own_secret = batch["webhook"]["secret"].as_str().expect("it is shown once").to_owned();
    let finished = server.finished(&id).await;

    let of_one = one.next().await;
    assert!(is_genuine(&of_one, &own_secret) && !is_genuine(&of_one, &secret));
    let first = all.next().await;
    let second = all.next().await;
    assert_eq!(
        (&first.body, first.header("sheaf-event")),
        (&second.body, second.header("sheaf-event")),
        "the same event"
    );
    assert!(is_genuine(&second, &secret));
    assert_eq!(second.header("sheaf-event"), of_one.header("sheaf-event"));
    let event: Value = serde_json::from_str(&second.body).expect("JSON");
    let kind = format!("batch.{}", finished["status"].as_str().expect("a status"));
    assert_eq!((event["kind"].as_str(), event["batch"]["id"].as_str()), (Some(kind.as_str()), Some(id.as_str())));
    assert_eq!(event["batch"]["counts"], finished["counts"]);
    assert!(!second.body.contains("secret-name") && !second.body.contains("harbour"), "{}", second.body);

    // The log says how it went, and a person can have it sent again.
    let log = settled(&server, 2).await;
    assert_eq!(log["total"], 2);
    let of_all =
        log["items"].as_array().expect("rows").iter().find(|row| row["webhook"] == webhook["id"]).expect("a row");
    assert_eq!(
        (of_all["attempts"].as_u64(), of_all["answer"].as_u64(), &of_all["batch"]),
        (Some(2), Some(200), &batch["id"])
    );
    let again =
        post(&server, &format!("/api/deliveries/{}/send", of_all["id"].as_str().expect("an id")), &json!({})).await;
    assert_eq!((again.0, again.1["status"].as_str()), (200, Some("completed")), "{}", again.1);
    assert_eq!(all.next().await.header("sheaf-event"), second.header("sheaf-event"));

    let (status, test) =
        post(&server, &format!("/api/webhooks/{}/test", webhook["id"].as_str().expect("an id")), &json!({})).await;
    assert_eq!((status, test["kind"].as_str(), test["status"].as_str()), (200, Some("test"), Some("completed")));
    assert!(is_genuine(&all.next().await, &secret));

    // Cancelled; and what was told once is not told again after a restart.
    let (_, batch) = server.upload(&[("model", "fast")], &[("endless.txt".into(), b"word ".repeat(4_000_000))]).await;
    let id = batch["id"].as_str().expect("an id");
    let (status, cancelled) = post(&server, &format!("/api/batches/{id}/cancel"), &json!({})).await;
    let event: Value = serde_json::from_str(&all.next().await.body).expect("JSON");
    assert_eq!(event["batch"]["id"], *id);
    // It may have been too quick to be cancelled.
    if status == 200 {
        assert_eq!(event["kind"], "batch.cancelled");
        assert_eq!(event["batch"]["counts"], cancelled["counts"]);
    }
    settled(&server, 4).await;
    server.kill();
    let server = Server::start(data.path(), &["--webhook-allow", "127.0.0.1"]);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(one.is_quiet() && all.is_quiet());
    let deleted = format!("{}/api/webhooks/{}", server.address, webhook["id"].as_str().expect("an id"));
    assert_eq!(server.client.delete(&deleted).send().await.expect("an answer").status(), 204);
    assert_eq!(server.client.delete(&deleted).send().await.expect("an answer").status(), 404);
}

#[tokio::test]
async fn the_ends_of_runs_are_told_to_those_who_hear_of_everything() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--webhook-allow", "127.0.0.1"]);
    let mut one = Receiver::start().await;
    let (status, batch) = server.upload(&[("model", "fast"), ("webhook_url", &one.url())], &letters()).await;
    assert_eq!(status, 201, "{batch}");
    server.finished(batch["id"].as_str().expect("an id")).await;
    one.next().await;

    let mut all = Receiver::start().await;
    let (_, webhook) = post(&server, "/api/webhooks", &json!({"url": all.url()})).await;
    let secret = webhook["secret"].as_str().expect("it is shown once");
    let steps = json!([{"name": "ships", "do": "find", "what": "pattern", "pattern": "ships"}]);
    let (status, flow) = post(&server, "/api/flows", &json!({"name": "Ships", "steps": steps})).await;
    assert_eq!(status, 201, "{flow}");
    let wanted = json!({"flow": flow["id"], "name": "In winter", "documents": {"batches": [batch["id"]]}});
    let (status, run) = post(&server, "/api/runs", &wanted).await;
    assert_eq!(status, 201, "{run}");

    let told = all.next().await;
    assert!(is_genuine(&told, secret));
    let event: Value = serde_json::from_str(&told.body).expect("JSON");
    assert_eq!((&event["kind"], &event["batch"]), (&json!("run.completed"), &Value::Null));
    let of_run = &event["run"];
    assert_eq!((&of_run["id"], &of_run["name"], &of_run["flow"]), (&run["id"], &json!("In winter"), &flow["id"]));
    assert_eq!((&of_run["counts"]["completed"], &of_run["values"]), (&json!(1), &json!(20)));
    assert!(!told.body.contains("secret-name") && !told.body.contains("harbour"), "{}", told.body);
    let log = settled(&server, 2).await;
    let row = log["items"].as_array().expect("rows").iter().find(|row| row["kind"] == "run.completed").expect("a row");
    assert_eq!((&row["run"], &row["webhook"]), (&run["id"], &webhook["id"]));
    assert!(one.is_quiet(), "it hears of its batch only");
}

/// The log, once so many rows have arrived.
async fn settled(server: &Server, completed: usize) -> Value {
    let begun = Instant::now();
    loop {
        let (_, log) = server.get("/api/deliveries").await;
        let rows = log["items"].as_array().expect("rows");
        if rows.iter().filter(|row| row["status"] == "completed").count() >= completed {
            return log;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{log}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn private_addresses_are_refused() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut receiver = Receiver::start().await;
    for url in
        [receiver.url().as_str(), "http://169.254.169.254/latest/meta-data", "http://[::1]/", "ftp://example.com", "x"]
    {
        let (status, failure) = post(&server, "/api/webhooks", &json!({"url": url})).await;
        assert_eq!((status, failure["code"].as_str()), (400, Some("invalid_request")), "{url}");
    }
    let (status, failure) = server.upload(&[("webhook_url", &receiver.url())], &letters()).await;
    assert_eq!((status, failure["code"].as_str()), (400, Some("invalid_request")));
    assert_eq!(server.get("/api/batches").await.1["total"], 0, "and with it the upload");
    // A name is looked up when it is called.
    let url = format!("http://localhost:{}/", receiver.address.port());
    let (status, webhook) = post(&server, "/api/webhooks", &json!({"url": url})).await;
    assert_eq!(status, 201);
    let (_, test) =
        post(&server, &format!("/api/webhooks/{}/test", webhook["id"].as_str().expect("an id")), &json!({})).await;
    assert_eq!(test["status"], "pending", "{test}");
    assert!(test["error"].as_str().expect("it says why").contains("no public address"), "{test}");
    assert!(receiver.is_quiet());
    let missing = json!({"url": "https://example.com", "batch": "00000000-0000-0000-0000-000000000000"});
    assert_eq!(post(&server, "/api/webhooks", &missing).await.0, 404);
}

#[tokio::test]
async fn the_page_works_without_scripts_and_shows_a_secret_once() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--webhook-allow", "127.0.0.1"]);
    let mut receiver = Receiver::start().await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
    let page = async |cookie: Option<&str>| {
        let request = client.get(format!("{}/webhooks", server.address));
        let request = cookie.into_iter().fold(request, |request, cookie| request.header("cookie", cookie));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        let taken_away =
            answer.headers().get("set-cookie").is_some_and(|c| c.to_str().is_ok_and(|c| c.contains("Max-Age=0")));
        (answer.text().await.expect("text"), taken_away)
    };
    let form = async |path: &str, body: String| {
        let request = client.post(format!("{}{path}", server.address));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        let answer = request.send().await.expect("an answer");
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["location"].to_str().ok()),
            (303, Some("/webhooks")),
            "{path}"
        );
        let cookie = answer.headers().get("set-cookie").map(|cookie| cookie.to_str().expect("ASCII").to_owned());
        cookie.map(|cookie| cookie.split(';').next().expect("a value").to_owned())
    };
    assert!(page(None).await.0.contains("No webhooks yet"));

    let cookie = form("/webhooks", "url=http%3A%2F%2F10.0.0.1%2F".into()).await.expect("it says why not");
    let (text, taken_away) = page(Some(&cookie)).await;
    assert!(text.contains("10.0.0.1") && text.contains("--webhook-allow") && taken_away);

    let url = receiver.url().replace(':', "%3A").replace('/', "%2F");
    let cookie = form("/webhooks", format!("url={url}")).await.expect("with the secret");
    let (text, taken_away) = page(Some(&cookie)).await;
    assert!(text.contains("whsec_") && text.contains(&receiver.url()) && taken_away);
    let (text, _) = page(None).await;
    assert!(!text.contains("whsec_") && text.contains(&receiver.url()));

    let (_, listed) = server.get("/api/webhooks").await;
    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(form(&format!("/webhooks/{id}/test"), String::new()).await, None);
    receiver.next().await;
    let (text, _) = page(None).await;
    assert!(text.contains("1 attempt") && text.contains("answer 200") && text.contains("Send again"), "{text}");
    assert_eq!(form(&format!("/webhooks/{id}/delete"), String::new()).await, None);
    assert!(page(None).await.0.contains("No webhooks yet"));
}
