//! Clusters that last: renamed, merged, split and moved through the built binary, they stay so when documents are added, and a
//! replay of the manifest comes to the same.

mod support;

use std::fs;
use std::process::Command;

use serde_json::{Value, json};
use support::{SHEAF, Server};

const TOPICS: [(&str, &str); 5] = [
    ("sport", "The striker scored a goal in the football match and the goalkeeper of the league club was beaten"),
    ("budget", "Parliament debated the tax budget and the minister defended spending before the vote on the deficit"),
    ("music", "The violin concert of the orchestra opened with a symphony and the conductor praised the soloist"),
    ("health", "The vaccine trial showed that patients in the hospital recovered from the virus with fewer doses"),
    ("space", "The satellite rocket reached orbit and the astronauts of the mission repaired the telescope"),
];

/// A document about a topic that is like the others about it, but no copy.
fn document(topic: usize, number: usize) -> (String, Vec<u8>) {
    let (name, text) = TOPICS[topic];
    let words: Vec<&str> = text.split(' ').collect();
    let turned: Vec<&str> = words.iter().cycle().skip(number).take(words.len()).copied().collect();
    let text = format!("{text}. {}. Report number {number} on {name}.", turned.join(" "));
    (format!("{name}-{number:02}.txt"), text.into_bytes())
}

fn documents(topics: &[usize], numbers: std::ops::Range<usize>) -> Vec<(String, Vec<u8>)> {
    topics.iter().flat_map(|&topic| numbers.clone().map(move |number| document(topic, number))).collect()
}

struct Batch<'a> {
    server: &'a Server,
    id: String,
}

impl Batch<'_> {
    async fn get(&self, path: &str) -> Value {
        let (status, answer) = self.server.get(&format!("/api/batches/{}/{path}", self.id)).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// The number of the cluster that a document is in; null for an outlier.
    async fn place(&self, path: &str) -> Value {
        self.row(path).await["cluster"].clone()
    }

    async fn row(&self, path: &str) -> Value {
        let rows = self.get("documents?limit=200").await;
        let rows = rows["items"].as_array().expect("a list");
        rows.iter().find(|row| row["path"] == path).unwrap_or_else(|| panic!("no {path}")).clone()
    }

    async fn cluster(&self, number: &Value) -> Value {
        let clusters = self.get("clusters").await;
        let clusters = clusters.as_array().expect("a list");
        clusters.iter().find(|cluster| cluster["id"] == *number).cloned().unwrap_or_default()
    }

    async fn send(&self, method: reqwest::Method, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/batches/{}/{path}", self.server.address, self.id);
        let answer = self.server.client.request(method, url).json(body).send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    async fn edit(&self, body: Value) -> Value {
        let (status, edit) = self.send(reqwest::Method::POST, "cluster-edits", &body).await;
        assert_eq!(status, 201, "{body}: {edit}");
        edit
    }

    async fn refused(&self, body: Value, status: u16, code: &str) {
        let (found, failure) = self.send(reqwest::Method::POST, "cluster-edits", &body).await;
        assert_eq!((found, &failure["code"]), (status, &json!(code)), "{body}: {failure}");
        assert!(failure["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    }

    async fn add(&self, files: &[(String, Vec<u8>)]) {
        self.server.add(&self.id, files).await;
        self.server.finished(&self.id).await;
    }
}

async fn started(server: &Server) -> Batch<'_> {
    let (status, batch) =
        server.upload(&[("model", "fast"), ("name", "Topics")], &documents(&[0, 1, 2, 3], 0..8)).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    Batch { server, id }
}

#[tokio::test]
async fn edits_and_numbers_last_when_documents_are_added() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(&data.path().join("served"), &[]);
    let batch = started(&server).await;
    let clusters = batch.get("clusters").await;
    assert_eq!(clusters.as_array().map(Vec::len), Some(4), "{clusters}");
    let mut places = Vec::new();
    for (topic, _) in &TOPICS[..4] {
        places.push(batch.place(&format!("{topic}-00.txt")).await);
    }
    let [sport, budget, music, health] = places.try_into().expect("four");
    assert_eq!(batch.get("cluster-edits").await, json!({"edits": [], "report": null}));

    // Renamed, merged, one moved, one moved out, one pinned.
    let renamed = batch.edit(json!({"kind": "rename", "cluster": sport, "name": "  Balls and\tgames "})).await;
    assert_eq!((&renamed["id"], &renamed["name"]), (&json!(1), &json!("Balls and games")));
    batch.edit(json!({"kind": "merge", "clusters": [music], "into": budget})).await;
    // A name changes nothing but names, as if all were made anew, which a document that stays where it is does.
    let seen = async || {
        let (map, picture) = (batch.get("map").await, batch.get("similarity").await);
        (batch.get("clusters").await, map, picture, batch.get("clusters?level=2").await)
    };
    let id_of = async |path: &str| batch.row(path).await["id"].clone();
    let quick = seen().await;
    assert!(quick.1["labels"].as_array().expect("labels").iter().any(|label| label["name"] == "Balls and games"));
    let stays = batch.edit(json!({"kind": "pin", "documents": [id_of("sport-04.txt").await]})).await;
    assert_eq!(seen().await, quick);
    for edit in [&stays, &renamed] {
        batch.send(reqwest::Method::DELETE, &format!("cluster-edits/{}", edit["id"]), &json!({})).await;
    }
    let first = clusters.as_array().expect("a list").iter().find(|cluster| cluster["id"] == sport);
    assert_eq!(Some(&batch.cluster(&sport).await), first, "the words give the name again");
    batch.edit(json!({"kind": "rename", "cluster": sport, "name": "Balls and games"})).await;
    let moved = batch.edit(json!({"kind": "move", "documents": [id_of("sport-01.txt").await], "to": health})).await;
    batch.edit(json!({"kind": "move", "documents": [id_of("sport-02.txt").await], "to": "outliers"})).await;
    batch.edit(json!({"kind": "pin", "documents": [id_of("sport-03.txt").await]})).await;
    let check = async || {
        let named = batch.cluster(&sport).await;
        assert_eq!((&named["name"], &named["named_by"]), (&json!("Balls and games"), &json!("person")));
        assert_eq!(batch.place("music-05.txt").await, budget);
        assert_eq!(batch.cluster(&music).await, Value::Null, "it is in the other one");
        assert_eq!(batch.place("sport-01.txt").await, health);
        assert_eq!(batch.row("sport-02.txt").await["outlier"], json!(true));
        assert_eq!(batch.place("sport-03.txt").await, sport);
        let merged = batch.cluster(&budget).await;
        assert_eq!(merged["edited"], json!(true));
        let filtered = batch.get(&format!("documents?cluster={budget}&limit=1")).await;
        assert_eq!(filtered["total"], merged["size"]);
        let heatmap = batch.get(&format!("similarity?cluster={budget}")).await;
        assert_eq!(heatmap["documents"], merged["size"], "the picture is made anew");
        merged["size"].as_u64().expect("a number")
    };
    assert_eq!(check().await, 16);

    // More of three topics, and a new one.
    let mut more = documents(&[0, 2, 3], 8..14);
    more.extend(documents(&[4], 0..9));
    batch.add(&more).await;
    assert_eq!(check().await, 22, "what came later went where its cluster went");
    let space = batch.place("space-00.txt").await;
    assert!(![&sport, &budget, &music, &health].contains(&&space) && space.is_u64(), "{space}: never given before");
    let report = batch.get("cluster-edits").await["report"].clone();
    let added: u64 = report["added"].as_array().expect("a list").iter().filter_map(|to| to["documents"].as_u64()).sum();
    assert_eq!(added + report["added_outliers"].as_u64().expect("a number"), 27, "{report}");
    assert!(report["new"].as_array().is_some_and(|new| new.iter().any(|new| new["id"] == space)), "{report}");
    let exported = batch.get("export?subject=clusters&format=json").await;
    let entry = exported.as_array().expect("a list").iter().find(|entry| entry["id"] == space).expect("it is there");
    assert_eq!((&entry["changes"]["new"], &entry["changes"]["added"]), (&json!(true), &json!(9)), "{entry}");
    let (_, page) = server.text(&format!("/batches/{}", batch.id)).await;
    assert!(page.contains("27 documents added"), "the page says what changed");
    assert!(page.contains("Named and changed by a person") && page.contains("Changed by a person"));

    // The manifest names the edits: a replay comes to the same.
    let input = data.path().join("input");
    fs::create_dir_all(&input).expect("made");
    for (name, bytes) in documents(&[0, 1, 2, 3], 0..8).into_iter().chain(more) {
        fs::write(input.join(name), bytes).expect("written");
    }
    let results = data.path().join("results");
    fs::create_dir_all(&results).expect("made");
    let manifest = batch.get("manifest").await;
    assert_eq!(manifest["identity"]["edits"].as_array().map(Vec::len), Some(5));
    fs::write(results.join("manifest.json"), manifest.to_string()).expect("written");
    let url = format!("{}/api/batches/{}/export?subject=documents&format=jsonl", server.address, batch.id);
    let rows = server.client.get(url).send().await.expect("an answer").text().await.expect("text");
    fs::write(results.join("documents.jsonl"), rows).expect("written");
    let verify = || {
        let ended = Command::new(SHEAF).arg("verify-manifest").arg(&results).arg(&input).output().expect("it runs");
        (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    assert_eq!(verify().0, Some(0), "{}", verify().1);
    let mut forged = manifest.clone();
    forged["identity"]["edits"].as_array_mut().expect("a list").pop();
    forged["identity"]["edits"].as_array_mut().expect("a list").pop();
    fs::write(results.join("manifest.json"), forged.to_string()).expect("written");
    assert_eq!(verify().0, Some(2), "without an edit it is another clustering");

    // One taken back; the others stand.
    let (status, taken) =
        batch.send(reqwest::Method::DELETE, &format!("cluster-edits/{}", moved["id"]), &json!({})).await;
    assert_eq!((status, &taken["taken_back"]), (200, &json!(true)));
    assert_eq!(batch.place("sport-01.txt").await, sport);
    assert_eq!(batch.place("music-05.txt").await, budget);
    let (status, _) = batch.send(reqwest::Method::DELETE, &format!("cluster-edits/{}", moved["id"]), &json!({})).await;
    assert_eq!(status, 404, "it does not stand any more");
}

#[tokio::test]
async fn a_cluster_is_split_and_taken_back_by_forms() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let batch = started(&server).await;
    let before = batch.get("clusters").await;
    let (sport, budget) = (batch.place("sport-00.txt").await, batch.place("budget-00.txt").await);
    batch.edit(json!({"kind": "merge", "clusters": [budget], "into": sport})).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let post = async |fields: &str| {
        let url = format!("{}/batches/{}/clusters", server.address, batch.id);
        let form = client.post(url).header("content-type", "application/x-www-form-urlencoded").body(fields.to_owned());
        let answer = form.send().await.expect("an answer");
        let to = answer.headers().get("location").map(|to| to.to_str().expect("text").to_owned());
        (answer.status().as_u16(), to)
    };
    let page = format!("/batches/{}/clusters/{sport}", batch.id);
    assert_eq!(post(&format!("do=split&of={sport}&parts=")).await, (303, Some(page.clone())));
    let (a, b) = (batch.place("sport-00.txt").await, batch.place("budget-00.txt").await);
    assert!(a != b && (a == sport || b == sport) && b != budget, "the larger part keeps the number: {a}, {b}");
    for number in 1..8 {
        assert_eq!(batch.place(&format!("sport-0{number}.txt")).await, a);
        assert_eq!(batch.place(&format!("budget-0{number}.txt")).await, b);
    }
    let (_, html) = server.text(&page).await;
    assert!(html.contains("data-testid=\"cluster-page\"") && html.contains("was split into"), "{page}");
    assert!(html.contains("<blockquote>"), "a sentence stands for it");

    // Documents that are ticked, those that match, and none.
    let music = batch.row("music-00.txt").await;
    let fields = format!("do=move&of={sport}&target=new&d={}", music["id"].as_str().expect("an id"));
    let (status, to) = post(&fields).await;
    let made = batch.place("music-00.txt").await;
    assert_eq!((status, to), (303, Some(format!("/batches/{}/clusters/{made}", batch.id))));
    assert_eq!(batch.cluster(&made).await["size"], json!(1));
    assert_eq!(post("do=move&target=outliers&matching=1&q=health").await.0, 303);
    assert_eq!(batch.row("health-07.txt").await["outlier"], json!(true));
    assert_eq!(post(&format!("do=move&of={sport}&target=new")).await.0, 400, "nothing was chosen");
    let (_, html) =
        server.text(&format!("/batches/{}/move?documents={}", batch.id, music["id"].as_str().expect("an id"))).await;
    assert!(html.contains("Move 1 document") && html.contains("music-00.txt"), "{html}");
    let (_, html) = server.text(&format!("/batches/{}/move?q=music", batch.id)).await;
    assert!(html.contains("Move 8 documents"), "{html}");

    for edit in (1..5).rev() {
        assert_eq!(post(&format!("do=take_back&of={sport}&edit={edit}")).await.0, 303, "{edit}");
    }
    assert_eq!(batch.get("clusters").await, before, "all is as it was");

    batch.refused(json!({"kind": "rename", "cluster": 99, "name": "x"}), 404, "not_found").await;
    batch.refused(json!({"kind": "rename", "cluster": sport, "name": " "}), 400, "invalid_request").await;
    let taken = batch.cluster(&budget).await["name"].clone();
    batch.refused(json!({"kind": "rename", "cluster": sport, "name": taken}), 400, "invalid_request").await;
    batch.refused(json!({"kind": "merge", "clusters": [sport], "into": sport}), 400, "invalid_request").await;
    batch.refused(json!({"kind": "split", "cluster": sport, "parts": 1}), 400, "invalid_request").await;
    batch.refused(json!({"kind": "move", "documents": [], "to": "new"}), 400, "invalid_request").await;
    batch.refused(json!({"kind": "burn"}), 400, "invalid_request").await;
    let (status, _) =
        server.get(&format!("/api/batches/{}/cluster-edits", "00000000-0000-0000-0000-000000000000")).await;
    assert_eq!(status, 404);
    let foreign = client
        .post(format!("{}/api/batches/{}/cluster-edits", server.address, batch.id))
        .header("sec-fetch-site", "cross-site")
        .json(&json!({"kind": "rename", "cluster": sport, "name": "x"}));
    assert_eq!(foreign.send().await.expect("an answer").status().as_u16(), 403);
}
