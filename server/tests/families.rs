//! Near-duplicates through the built binary: the same families with a server and without, the dial, filters and facets.

mod support;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use support::Server;

/// A log in four renditions, half of it, and something else.
fn documents() -> Vec<(String, Vec<u8>)> {
    let sentences: Vec<String> =
        (0..40).map(|n| format!("Entry {n} of the log tells how the boat number {} came in.", n * 7 + 3)).collect();
    let html: String = sentences.iter().map(|sentence| format!("<p>{sentence}</p>\n")).collect();
    let edited =
        sentences.join("\n").replace("boat number 31", "ship numbered 31").replace("boat number 94", "raft 94");
    let other: Vec<String> =
        (0..40).map(|n| format!("Dish {n} wants {n} grams of flour, an egg and patience.")).collect();
    [
        ("log.txt", sentences.join("\n")),
        ("copy of log.txt", sentences.join("\n")),
        ("log.html", format!("<html><body>{html}</body></html>")),
        ("log edited.txt", edited),
        ("half.txt", sentences[..20].join("\n")),
        ("recipes.txt", other.join("\n")),
        ("broken.pdf", "%PDF-1.4 nothing".into()),
        ("broken copy.pdf", "%PDF-1.4 nothing".into()),
    ]
    .map(|(name, text)| (name.to_owned(), text.into_bytes()))
    .to_vec()
}

#[tokio::test]
async fn families_are_the_same_with_a_server_and_can_be_dialled() {
    let data = tempfile::tempdir().expect("a folder");
    let input = data.path().join("in");
    fs::create_dir_all(&input).expect("made");
    for (name, bytes) in documents() {
        fs::write(input.join(name), bytes).expect("written");
    }
    let out = data.path().join("out");
    let ended = Command::new(env!("CARGO_BIN_EXE_sheaf"))
        .args(["analyze", &input.to_string_lossy(), "--out", &out.to_string_lossy(), "--model", "fast"])
        .output()
        .expect("it runs");
    let alone: Value = serde_json::from_slice(
        &fs::read(out.join("families.json"))
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&ended.stderr))),
    )
    .expect("JSON");

    let server = Server::start(&data.path().join("served"), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &documents()).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let (_, served) = server.get(&format!("/api/batches/{id}/export?subject=families&format=json")).await;
    assert_eq!(served, alone);
    assert_eq!(served.as_array().map(Vec::len), Some(2), "{served}");

    let (_, list) = server.get(&format!("/api/batches/{id}/families?limit=1")).await;
    assert_eq!((&list["total"], &list["next_cursor"]), (&json!(2), &json!("1")));
    assert_eq!((&list["items"][0]["size"], &list["items"][0]["members"][3]["kind"]), (&json!(4), &json!("near")));
    let (_, list) = server.get(&format!("/api/batches/{id}/families?limit=1&cursor=1")).await;
    assert_eq!((&list["items"][0]["size"], &list["next_cursor"]), (&json!(2), &Value::Null));
    let (_, overview) = server.get(&format!("/api/batches/{id}")).await;
    assert_eq!((&overview["families"]["families"], &overview["families"]["documents"]), (&json!(2), &json!(6)));

    let paths = async |filter: &str| {
        let (_, page) = server.get(&format!("/api/batches/{id}/documents?{filter}")).await;
        let items = page["items"].as_array().expect("rows").clone();
        items.iter().map(|row| row["path"].as_str().expect("a path").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(paths("family=spare").await, ["broken.pdf", "log edited.txt", "log.html", "log.txt"]);
    assert_eq!(paths("family=collapsed&kind=text").await, ["copy of log.txt", "half.txt", "recipes.txt"]);
    assert_eq!(paths("family=2").await, ["broken copy.pdf", "broken.pdf"]);
    let (_, facets) = server.get(&format!("/api/batches/{id}/facets?kind=text")).await;
    assert_eq!(facets["matching"], 5);
    assert_eq!(facets["families"][1], json!({"value": "spare", "documents": 2}));
    assert_eq!(facets["kinds"][0], json!({"value": "text", "documents": 5}));
    let (status, failure) = server.get(&format!("/api/batches/{id}/facets?size=enormous")).await;
    assert_eq!((status, &failure["code"]), (400, &json!("invalid_request")));

    // All but equal texts: the edited one is alone then, and everything follows.
    let url = format!("{}/api/batches/{id}/families", server.address);
    let answer = server.client.put(&url).json(&json!({"least": 1.0})).send().await.expect("an answer");
    let summary: Value = answer.json().await.expect("JSON");
    assert_eq!((&summary["documents"], &summary["least"]), (&json!(5), &json!(1.0)), "{summary}");
    assert_eq!(paths("family=any&kind=text").await, ["copy of log.txt", "log.txt"]);
    let answer = server.client.put(&url).json(&json!({"least": 0.0})).send().await.expect("an answer");
    let summary: Value = answer.json().await.expect("JSON");
    assert_eq!(summary["least"], summary["lowest"], "it goes no lower than what was compared");
    let (_, served) = server.get(&format!("/api/batches/{id}/export?subject=families&format=json")).await;
    assert_eq!(served, alone);
    let answer = server.client.put(&url).json(&json!({"most": 1})).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 400);
    let foreign = server.client.put(&url).header("sec-fetch-site", "cross-site").json(&json!({"least": 0.9}));
    assert_eq!(foreign.send().await.expect("an answer").status().as_u16(), 403);

    let csv = server.client.get(format!("{}/api/batches/{id}/export?family=spare", server.address));
    let csv = csv.send().await.expect("an answer").text().await.expect("text");
    assert_eq!(csv.lines().count(), 5, "{csv}");
}
