//! What operators see: metrics, logs under ids, and neither with a word of a document.

#[path = "support/receiver.rs"]
mod receiver;
mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};

use receiver::Receiver;
use serde_json::Value;
use support::Server;

/// The samples by name and labels.
fn samples(text: &str) -> BTreeMap<&str, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.map(|line| line.rsplit_once(' ').expect("a value")).map(|(n, v)| (n, v.parse().expect("a number"))).collect()
}

#[tokio::test]
async fn a_batch_leaves_metrics_and_logs_that_belong_together() {
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let server =
        Server::start_logging(data.path(), &["--log-format", "json"], File::create(&log).expect("a file").into());
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    let part = reqwest::multipart::Part::bytes(b"A harbour, frozen in winter. ".repeat(50)).file_name("diary.txt");
    let broken = reqwest::multipart::Part::bytes(b"%PDF-1.7 nothing".to_vec()).file_name("broken.pdf");
    let form = reqwest::multipart::Form::new().text("model", "fast").part("files", part).part("files", broken);
    let request = server.client.post(format!("{}/api/batches", server.address)).multipart(form);
    let request = request.header("x-request-id", "from-the-proxy.1");
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.headers()["x-request-id"], "from-the-proxy.1");
    let batch: Value = answer.json().await.expect("JSON");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    server.get(&format!("/api/batches/{id}/documents?q=searchword")).await;
    let (headers, _) = server.text("/healthz").await;
    assert_eq!(headers["x-request-id"].to_str().expect("ASCII").len(), 32, "one is made");

    let (headers, text) = server.text("/metrics").await;
    assert!(headers["content-type"].to_str().expect("ASCII").starts_with("text/plain; version=0.0.4"));
    let samples = samples(&text);
    let value = |name: &str| *samples.get(name).unwrap_or_else(|| panic!("no {name} in {text}"));
    assert!(value("sheaf_jobs_completed_total{stage=\"parse\"}") >= 1.0);
    assert!(value("sheaf_stage_seconds_count{stage=\"analyse\"}") >= 1.0);
    assert!(samples.keys().any(|name| name.starts_with("sheaf_jobs_failed_total{stage=\"parse\",code=\"")), "{text}");
    assert_eq!(value("sheaf_queue_jobs{stage=\"embed\",state=\"ready\"}"), 0.0);
    assert_eq!(value("sheaf_database_up"), 1.0);
    assert_eq!(value("sheaf_http_requests_total{method=\"POST\",route=\"/api/batches\",status=\"201\"}"), 1.0);
    assert!(value("sheaf_http_request_seconds_count{route=\"/api/batches/{id}\"}") >= 1.0);
    assert!(value("process_resident_memory_bytes") > 1e6);
    assert_eq!(value(concat!("sheaf_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")), 1.0);
    for private in [id.as_str(), "diary", "broken.pdf", "searchword"] {
        assert!(!text.contains(private), "{private}");
    }

    drop(server);
    let log = fs::read_to_string(log).expect("a log");
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect("JSON on each line")).collect();
    let upload = lines.iter().find(|line| line["span"]["id"] == "from-the-proxy.1").expect("the upload is logged");
    assert_eq!((upload["message"].as_str(), upload["status"].as_u64()), (Some("answered"), Some(201)), "{upload}");
    assert_eq!(
        (upload["span"]["route"].as_str(), upload["span"]["trace"].as_str()),
        (Some("/api/batches"), Some(trace))
    );
    assert!(lines.iter().all(|line| line["span"]["route"] != "/healthz"), "what is asked all the time is left out");
    let work = lines.iter().find(|line| line["span"]["name"] == "work").expect("work is logged");
    assert_eq!(
        (work["span"]["batch"].as_str(), work["span"]["trace"].as_str()),
        (Some(id.as_str()), Some(trace)),
        "{work}"
    );
    for private in ["harbour", "searchword", "diary", "broken.pdf"] {
        assert!(!log.contains(private), "{private} in {log}");
    }
}

#[tokio::test]
async fn spans_go_to_a_collector_under_the_trace_of_the_caller() {
    let data = tempfile::tempdir().expect("a folder");
    let mut collector = Receiver::start().await;
    let server = Server::start(data.path(), &["--otlp-endpoint", &format!("http://{}", collector.address)]);
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let part = reqwest::multipart::Part::bytes(b"%PDF-1.7 nothing".to_vec()).file_name("broken.pdf");
    let form = reqwest::multipart::Form::new().text("model", "fast").part("files", part);
    let request = server.client.post(format!("{}/api/batches", server.address)).multipart(form);
    let request = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(request.send().await.expect("an answer").status(), 201);

    let id = hex::decode(trace).expect("hexadecimal");
    let (mut requests, mut work) = (false, false);
    while !(requests && work) {
        let message = collector.next().await;
        assert!(message.head.starts_with("POST /v1/traces "), "{}", message.head);
        assert!(message.header("content-type").starts_with("application/x-protobuf"));
        let holds = |part: &[u8]| message.bytes.windows(part.len()).any(|window| window == part);
        assert!(!holds(b"broken.pdf"), "never the name of a document");
        requests |= holds(&id) && holds(b"request");
        work |= holds(&id) && holds(b"work") && holds(b"parse");
    }
}
