//! What the forms of flows and runs answer, what a run may cost, and a run from the command line.

#[path = "support/model.rs"]
#[expect(dead_code, reason = "its troubles are for other tests")]
mod model;
mod support;

use std::io::Read;
use std::process::Command;
use std::time::Duration;

use model::FakeModel;
use serde_json::{Value, json};
use support::Server;

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The status, the kind and the text of what a form is answered.
async fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
    let url = format!("{}{path}", server.address);
    let encoded = reqwest::Url::parse_with_params(&url, fields).expect("an address");
    let body = encoded.query().unwrap_or_default().to_owned();
    let form = "application/x-www-form-urlencoded";
    let answer = server.client.post(url).header("content-type", form).body(body).send().await.expect("an answer");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), kind, answer.text().await.expect("a text"))
}

fn letters() -> Vec<(String, Vec<u8>)> {
    let text =
        |i: usize| format!("Customer Name{i} writes.\n\nTP53 was strongly expressed in the liver of {i} patients.\n");
    (0..6).map(|i| (format!("letters/{i}.txt"), text(i).into_bytes())).collect()
}

async fn batch(server: &Server) -> String {
    let (status, batch) = server.upload(&[("model", "fast"), ("name", "Letters")], &letters()).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    id
}

#[tokio::test]
async fn a_form_that_fails_is_a_page_with_what_was_typed() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let batch = batch(&server).await;
    let asking = json!({ "name": "Who", "steps": [{ "name": "who", "do": "ask", "instructions": "Who?",
        "fields": [{ "name": "customer" }] }] });
    let (_, flow) = post(&server, "/api/flows", &asking).await;
    let id = flow["id"].as_str().expect("an id");

    let pick = format!("batch {batch}");
    let fields = [("flow", id), ("pick", &pick), ("name", "My own name"), ("act", "start")];
    let (_, kind, page) = form(&server, "/runs", &fields).await;
    assert!(kind.starts_with("text/html"), "{kind}");
    for part in ["none was allowed", "--model-endpoint", "My own name", "All of Letters"] {
        assert!(page.contains(part), "{part}");
    }
    let fields = [("flow", id), ("pick", &pick), ("budget_tokens", "a lot"), ("act", "start")];
    let (_, _, page) = form(&server, "/runs", &fields).await;
    assert!(page.contains("is no number for the most tokens") && page.contains("value=\"a lot\""));

    let gone = "/runs/018f0000-0000-7000-8000-000000000000/cancel";
    let (status, kind, page) = form(&server, gone, &[]).await;
    assert_eq!(status, 404);
    assert!(kind.starts_with("text/html") && page.contains("there is no run"), "{kind}");
    let (status, refused) = post(&server, &format!("/api{gone}"), &json!({})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("not_found")), "programs get JSON");

    let file = reqwest::multipart::Part::text("name = 1").file_name("flow.toml");
    let sent = reqwest::multipart::Form::new().part("file", file);
    let answer = server.client.post(format!("{}/flows/import", server.address)).multipart(sent).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.expect("a text").contains("the file cannot be read as a flow"));
}

#[tokio::test]
async fn money_is_estimated_and_limited_where_prices_are_known() {
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[], Duration::ZERO).await;
    let endpoint = ["--model-endpoint", model.address.as_str(), "--model-rate", "60000"];
    let prices = ["--model-price-in", "1", "--model-price-out", "4", "--model-currency", "EUR"];
    let server = Server::start(data.path(), &[&endpoint[..], &prices[..]].concat());
    let batch = batch(&server).await;
    let asking = json!({ "name": "Who", "steps": [{ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] }] });
    let (_, flow) = post(&server, "/api/flows", &asking).await;
    let part = json!({ "batch": batch, "filter": { "search": "letters/3" } });
    let wanted = json!({ "flow": flow["id"], "documents": { "selections": [part], "batches": [batch] } });
    let (status, estimate) = post(&server, "/api/runs/estimate", &wanted).await;
    assert_eq!((status, &estimate["documents"]), (200, &json!(6)), "what is chosen twice counts once: {estimate}");
    let number = |value: &Value| value.as_f64().expect("a number");
    let (from, to) = (number(&estimate["money"][0]), number(&estimate["money"][1]));
    let tokens = number(&estimate["tokens"][1]);
    assert!(0.0 < from && from < to && to <= tokens * 4.0 / 1e6, "{estimate}");

    let wanted = json!({ "flow": flow["id"], "documents": { "selections": [part] }, "budget_money": 0.1 });
    let (status, run) = post(&server, "/api/runs", &wanted).await;
    assert_eq!((status, &run["counts"]["total"], &run["budget_tokens"]), (201, &json!(1), &json!(25_000)), "{run}");
    let page = server.text(&format!("/runs/new?flow={}&batch={batch}", flow["id"].as_str().expect("an id"))).await.1;
    assert!(page.contains("The most money, in EUR"), "{page}");
    drop(server);

    let server = Server::start(data.path(), &endpoint);
    let (status, refused) = post(&server, "/api/runs", &wanted).await;
    assert_eq!((status, &refused["code"]), (400, &json!("invalid_request")), "{refused}");
    assert!(refused["hint"].as_str().expect("a hint").contains("--model-price-in"));
}

#[tokio::test]
async fn the_worked_example_runs_from_the_command_line() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let batch = batch(&server).await;
    assert!(server.terminate().success());
    let out = data.path().join("genes.zip");
    let run = Command::new(env!("CARGO_BIN_EXE_sheaf"))
        .args(["flows", "run", "gene-expression", "--batch", &batch, "--name", "Genes"])
        .arg("--out")
        .arg(&out)
        .arg("--data")
        .arg(data.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("6 completed, 0 failed"), "{said}");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).expect("the file")).expect("a ZIP");
    assert_eq!(zip.len(), 7, "one for all, and one for each");
    let all = zip.file_names().find(|name| name.ends_with("/all.csv")).expect("a table").to_owned();
    let mut csv = String::new();
    zip.by_name(&all).expect("it is there").read_to_string(&mut csv).expect("text");
    assert_eq!(csv.matches(",TP53,TP53,1,").count(), 6, "{csv}");
}
