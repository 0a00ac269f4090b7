//! What operators see: metrics, logs under ids, and neither with a word of a document.

#[path = "support/receiver.rs"]
mod receiver;
mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};

use receiver::Receiver;
use serde_json::Value;
use support::Server;
use tokio::io::AsyncWriteExt;

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
    for operation in ["claim", "complete"] {
        let name = |of: &str| format!("sheaf_queue_seconds_{of}{{stage=\"parse\",operation=\"{operation}\"}}");
        assert!(value(&name("count")) >= 1.0 && value(&name("sum")) > 0.0);
    }
    let kept: f64 = ["wait", "results", "state"]
        .map(|part| value(&format!("sheaf_keep_seconds_sum{{stage=\"parse\",part=\"{part}\"}}")))
        .iter()
        .sum();
    let complete = value("sheaf_queue_seconds_sum{stage=\"parse\",operation=\"complete\"}");
    assert!(kept > 0.0 && kept <= complete, "{kept} of {complete}: the parts are parts of the whole");
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

/// What was done and what was there already, at a stage.
async fn results(server: &Server, stage: &str) -> (f64, f64) {
    let text = server.text("/metrics").await.1;
    let of = |from: &str| format!("sheaf_results_total{{stage=\"{stage}\",from=\"{from}\"}}");
    let samples = samples(&text);
    let value = |from: &str| samples.get(of(from).as_str()).copied().unwrap_or_default();
    (value("work"), value("memory"))
}

#[tokio::test]
async fn nothing_is_read_or_embedded_twice_and_what_cannot_be_compared_has_no_place() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let text = |about: &str| format!("A letter about {about}, which is long enough. ").repeat(20).into_bytes();
    let mut files: Vec<(String, Vec<u8>)> =
        ["harbours", "forests", "engines"].iter().map(|about| (format!("{about}.txt"), text(about))).collect();
    files.push(("wordless.txt".into(), "☃ ☂ ☁ ".repeat(20).into_bytes()));
    let analysed = async |files: &[(String, Vec<u8>)]| {
        let (status, batch) = server.upload(&[("model", "fast")], files).await;
        assert_eq!(status, 201, "{batch}");
        let id = batch["id"].as_str().expect("an id").to_owned();
        let batch = server.finished(&id).await;
        assert_eq!((&batch["counts"]["completed"], &batch["counts"]["failed"]), (&3.into(), &1.into()), "{batch}");
        id
    };
    let id = analysed(&files).await;
    let (_, failed) = server.get(&format!("/api/batches/{id}/documents?status=failed")).await;
    let failed = &failed["items"][0];
    assert_eq!((&failed["path"], &failed["failure"]["code"]), (&"wordless.txt".into(), &"no_text".into()), "{failed}");
    assert!(failed["cluster"].is_null(), "{failed}");
    let (_, matrix) = server.get(&format!("/api/batches/{id}/similarity")).await;
    assert_eq!(matrix["documents"], 3, "what failed is not compared: {matrix}");
    let (_, clusters) = server.get(&format!("/api/batches/{id}/clusters")).await;
    assert!(!clusters.to_string().contains(failed["id"].as_str().expect("an id")), "{clusters}");
    let (read, embedded) = (results(&server, "parse").await, results(&server, "embed").await);
    assert_eq!((read, embedded.1), ((4.0, 0.0), 0.0));

    // Another batch, under other names.
    let renamed: Vec<_> = files.iter().map(|(path, bytes)| (format!("copies/{path}"), bytes.clone())).collect();
    analysed(&renamed).await;
    assert_eq!(results(&server, "parse").await, (4.0, 4.0));
    let again = results(&server, "embed").await;
    // Only what failed was tried anew.
    assert_eq!((again.0 - embedded.0, again.1), (embedded.0 - 3.0, 3.0), "{embedded:?}, then {again:?}");
}

#[tokio::test]
async fn silent_and_slow_clients_hold_nobody_up() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let address = server.address.trim_start_matches("http://").to_owned();
    let connect = async || tokio::net::TcpStream::connect(&address).await.expect("connected");
    let mut held = Vec::new();
    let heads = [
        // Nothing, half a request, one whose body does not come, and one whose answer nobody takes.
        String::new(),
        format!("GET / HTTP/1.1\r\nhost: {address}\r\n"),
        format!("POST /api/batches HTTP/1.1\r\nhost: {address}\r\ncontent-length: 9999\r\n\r\nx"),
        format!("GET / HTTP/1.1\r\nhost: {address}\r\n\r\n"),
    ];
    for number in 0..400 {
        let mut stream = connect().await;
        stream.write_all(heads[number % heads.len()].as_bytes()).await.expect("written");
        held.push(stream);
    }
    let begun = std::time::Instant::now();
    for _ in 0..50 {
        assert_eq!(server.get("/api/batches").await.0, 200);
    }
    // Whoever waited for the silent ones would be let go with them, after 15 seconds at the earliest.
    assert!(begun.elapsed() < std::time::Duration::from_secs(14), "{:?}", begun.elapsed());
    let text = b"A harbour, frozen in winter. ".repeat(50);
    let (status, batch) = server.upload(&[("model", "fast")], &[("diary.txt".into(), text)]).await;
    assert_eq!(status, 201, "{batch}");
    server.finished(batch["id"].as_str().expect("an id")).await;
    assert_eq!(held.len(), 400);
}
