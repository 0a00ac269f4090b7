//! The step that gives labels, through the built server: by the words of labels, and by their examples.

mod support;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::Server;

const DELIVERY: [&str; 6] = [
    "My parcel has not arrived yet, where is the delivery?",
    "The package was promised for Monday and is still not here",
    "When will my order be delivered? It is two weeks late",
    "Shipping takes forever, I am still waiting for my parcel",
    "The courier did not bring the package to my door",
    "Track and trace says that my parcel is lost on its way",
];
const REFUND: [&str; 6] = [
    "I want my money back for the broken lamp",
    "Please refund the amount that I paid",
    "How do I get a refund to my card?",
    "You charged me twice, return the money",
    "The refund of forty euros is not on my account",
    "Send the payment back to me, I cancelled the purchase",
];
const LOGIN: [&str; 6] = [
    "I forgot my password and cannot log in",
    "The site does not accept my password any more",
    "How can I reset the password of my account?",
    "Login fails with an error message",
    "My account is locked after three wrong passwords",
    "The link to sign in does not work",
];

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Waits until nothing of it is left to do.
async fn ended(server: &Server, path: &str) -> Value {
    let start = Instant::now();
    loop {
        let (_, found) = server.get(path).await;
        if !found["finished_at"].is_null() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(90), "it does not end: {found}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn step(labels: &Value) -> Value {
    json!({ "labels": labels, "model": "fast", "threshold": 0.1 })
}

/// The label of each document of a run of these labels, by path.
async fn labelled(server: &Server, batch: &str, labels: &Value) -> Vec<(String, String)> {
    let mut classify = step(labels);
    classify["name"] = json!("topic");
    classify["do"] = json!("classify");
    let (status, flow) = post(server, "/api/flows", &json!({ "name": "Topics", "steps": [classify] })).await;
    assert_eq!(status, 201, "{flow}");
    let wanted = json!({ "flow": flow["id"], "documents": { "batches": [batch] } });
    let (status, run) = post(server, "/api/runs", &wanted).await;
    assert_eq!(status, 201, "{run}");
    let path = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    let run = ended(server, &path).await;
    assert_eq!(run["counts"]["completed"], run["counts"]["total"], "{run}");
    let (_, documents) = server.get(&format!("{path}/documents?limit=100")).await;
    let (_, values) = server.get(&format!("{path}/values?limit=1000")).await;
    let values = values["items"].as_array().expect("a list");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let of = |document: &Value, field: &str| {
        let found = values.iter().find(|v| v["document"] == document["document"] && v["field"] == field);
        text(&found.expect("a value")["value"])
    };
    let documents = documents["items"].as_array().expect("a list").iter().map(|document| {
        let probability: f64 = of(document, "probability").parse().expect("a number");
        let level = match probability {
            p if p > 0.7 => "high",
            p if p >= 0.4 => "medium",
            _ => "low",
        };
        assert_eq!(of(document, "confidence"), level, "{probability}");
        (text(&document["path"]), of(document, "label"))
    });
    documents.collect()
}

fn right(found: &[(String, String)]) -> usize {
    found.iter().filter(|(path, label)| path.starts_with(label.as_str())).count()
}

#[tokio::test]
async fn labels_are_given_by_their_words_or_by_what_examples_teach() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let topics = [("delivery", DELIVERY), ("refund", REFUND), ("login", LOGIN)];
    // The second half is asked about, the first half may be learned from.
    let asked = topics.iter().flat_map(|(label, texts)| {
        texts[3..].iter().enumerate().map(move |(i, text)| (format!("{label}-{i}.txt"), text.as_bytes().to_vec()))
    });
    let mut files: Vec<(String, Vec<u8>)> = asked.collect();
    files.push(("nothing.txt".to_owned(), b"1 2 3 4 5 6 7 8 9 10 11 12".to_vec()));
    let (status, batch) = server.upload(&[("model", "fast")], &files).await;
    assert_eq!(status, 201, "{batch}");
    let batch = batch["id"].as_str().expect("an id").to_owned();
    ended(&server, &format!("/api/batches/{batch}")).await;

    // By words alone nothing is known of how good they are.
    let words = json!([
        { "name": "delivery", "description": "a parcel that is late or lost" },
        { "name": "refund", "description": "money that is to be paid back" },
        { "name": "login", "description": "passwords and access to the account" },
    ]);
    let (status, known) = post(&server, "/api/flows/labels", &step(&words)).await;
    assert_eq!((status, &known["labels"], &known["accuracy"]), (200, &json!(3), &Value::Null), "{known}");
    let found = labelled(&server, &batch, &words).await;
    assert!(right(&found) >= 7, "{found:?}");

    // Examples teach labels whose names say nothing.
    let examples: Vec<Value> = topics
        .iter()
        .map(|(label, texts)| json!({ "name": label, "description": "of kind x", "examples": texts[..3] }))
        .collect();
    let mut examples = Value::from(examples);
    let more = "Reset my password please, the login is broken";
    examples[2]["examples"].as_array_mut().expect("a list").push(json!(more));
    let (_, known) = post(&server, "/api/flows/labels", &step(&examples)).await;
    let accuracy = known["accuracy"].as_f64().expect("ten examples are enough to know");
    assert_eq!((&known["examples"], &known["folds"]), (&json!(10), &json!(5)), "{known}");
    assert!((0.5..=1.0).contains(&accuracy), "{known}");
    let found = labelled(&server, &batch, &examples).await;
    assert!(right(&found) >= 7, "{found:?}");

    // Tried on one document the step says the same.
    let (_, documents) = server.get(&format!("/api/batches/{batch}/documents?limit=1")).await;
    let mut classify = step(&examples);
    classify["name"] = json!("topic");
    classify["do"] = json!("classify");
    let flow = json!({ "name": "Topics", "steps": [classify] });
    let trial = json!({ "batch": batch, "document": documents["items"][0]["id"], "flow": flow });
    let (status, tried) = post(&server, "/api/flows/018f0000-0000-7000-8000-000000000000/try", &trial).await;
    assert_eq!((status, &tried[0]["accuracy"]), (200, &known), "{tried}");

    // What cannot be told apart is refused with its reason.
    let (status, refused) = post(&server, "/api/flows/labels", &step(&json!([{ "name": "a" }]))).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_flow")), "{refused}");
}
