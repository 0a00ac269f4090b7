//! The map of a batch, through the built binary: where documents stand, what matches, and what is done with many at once.

mod support;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use support::{Server, files, pile};

/// The columns of a map's answer, all of one length: for each document its path, place and cluster.
fn points(map: &Value) -> BTreeMap<String, (i64, i64, Option<u64>)> {
    let column = |name: &str| map[name].as_array().unwrap_or_else(|| panic!("{name} is a list")).clone();
    let (names, x, y, clusters) = (column("names"), column("x"), column("y"), column("clusters"));
    let lengths = [column("documents").len(), names.len(), x.len(), y.len(), clusters.len()];
    assert!(lengths.iter().all(|length| *length == lengths[0]), "{lengths:?}");
    let number = |value: &Value| value.as_i64().expect("a number");
    let point = |row: usize| (number(&x[row]), number(&y[row]), clusters[row].as_u64());
    (0..names.len()).map(|row| (names[row].as_str().expect("a path").to_owned(), point(row))).collect()
}

#[tokio::test]
async fn the_same_documents_stand_in_the_same_places() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut sent = files(&pile());
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let first = batch["id"].as_str().expect("an id").to_owned();
    let (status, early) = server.get(&format!("/api/batches/{first}/map")).await;
    assert!(status == 409 || status == 200, "{early}");
    server.finished(&first).await;
    let (status, map) = server.get(&format!("/api/batches/{first}/map")).await;
    assert_eq!(status, 200, "{map}");
    let stand = points(&map);
    assert_eq!(stand.len(), sent.len());
    assert!(map["matching"].is_null(), "nothing was filtered");
    let widest = stand.values().map(|(x, y, _)| x.abs().max(y.abs())).max();
    assert!(widest.is_some_and(|widest| widest > 32_000), "the map fills its frame: {widest:?}");

    // The folders are the topics: the document that stands nearest is most often of the same.
    let topic = |path: &str| path.split('/').next().map(str::to_owned);
    let alike = stand.iter().filter(|(path, (x, y, _))| {
        let others = stand.iter().filter(|(other, _)| other != path);
        let nearest = others.min_by_key(|(_, (a, b, _))| (a - x).pow(2) + (b - y).pow(2));
        nearest.is_some_and(|(other, _)| topic(other) == topic(path))
    });
    let alike = alike.count();
    assert!(alike * 10 >= stand.len() * 8, "{alike} of {} stand beside one of their own", stand.len());

    let labels = map["labels"].as_array().expect("labels");
    let (_, clusters) = server.get(&format!("/api/batches/{first}/clusters")).await;
    let named = |list: &[Value], size: &str| {
        list.iter().map(|c| (c["name"].to_string(), c[size].as_u64())).collect::<HashMap<_, _>>()
    };
    assert_eq!(named(labels, "documents"), named(clusters.as_array().expect("clusters"), "size"));
    let (_, coarse) = server.get(&format!("/api/batches/{first}/map?level=2")).await;
    assert_eq!(coarse["labels"].as_array().map(Vec::len), Some(2));

    // Another batch, sent the other way round.
    sent.reverse();
    let (_, batch) = server.upload(&[("model", "fast")], &sent).await;
    let second = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&second).await;
    let (_, other) = server.get(&format!("/api/batches/{second}/map")).await;
    assert_eq!(points(&other), stand);

    // Batches from before there were maps get theirs when it is asked for. The server forgets what it has shown when it ends.
    assert!(server.terminate().success());
    let files = || std::fs::read_dir(data.path().join("derived")).expect("a folder").flatten();
    let maps = || files().map(|file| file.path()).filter(|file| file.extension().is_some_and(|end| end == "xy"));
    assert_eq!(maps().count(), 2);
    maps().for_each(|file| std::fs::remove_file(file).expect("removed"));
    let server = Server::start(data.path(), &[]);
    let (status, made) = server.get(&format!("/api/batches/{first}/map")).await;
    assert_eq!((status, points(&made).len()), (200, stand.len()));
    assert_eq!(maps().count(), 1, "it is kept");
}

#[tokio::test]
async fn filters_grey_and_a_form_takes_many() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let sent = files(&pile());
    let (_, batch) = server.upload(&[("model", "fast"), ("name", "<b>The pile</b>")], &sent).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let (_, map) = server.get(&format!("/api/batches/{id}/map?kind=text&q=bread")).await;
    let (_, rows) = server.get(&format!("/api/batches/{id}/documents?kind=text&q=bread&limit=500")).await;
    let found = |list: &Value| {
        let mut ids: Vec<String> = list.as_array().expect("a list").iter().map(Value::to_string).collect();
        ids.sort();
        ids
    };
    let matching = map["matching"].as_array().expect("what matches").iter();
    let ids: Vec<Value> = matching
        .map(|row| map["documents"][usize::try_from(row.as_u64().expect("a row")).expect("small")].clone())
        .collect();
    let listed: Vec<Value> = rows["items"].as_array().expect("rows").iter().map(|row| row["id"].clone()).collect();
    assert!(!listed.is_empty() && listed.len() < sent.len());
    assert_eq!(found(&Value::from(ids)), found(&Value::from(listed)));
    assert_eq!(map["documents"].as_array().map(Vec::len), Some(sent.len()), "what does not match is there too");
    let (status, _) = server.get(&format!("/api/batches/{id}/map?kind=nonsense")).await;
    assert_eq!(status, 400);
    let (status, _) = server.get("/api/batches/01900000-0000-7000-8000-000000000000/map").await;
    assert_eq!(status, 404);

    // The page says the same without a script, and its links keep the filter.
    let (_, page) = server.text(&format!("/batches/{id}/map?kind=text")).await;
    assert!(page.contains("&lt;b&gt;The pile&lt;/b&gt;") && !page.contains("<b>The pile"));
    let labels = map["labels"].as_array().expect("labels");
    for label in labels {
        let name = label["name"].as_str().expect("a name");
        assert!(page.matches(name).count() >= 3, "{name} is on the picture and in the table");
    }
    assert!(page.contains(&format!("/batches/{id}/map?cluster=0&amp;kind=text")), "a cluster filters the map");
    assert!(page.contains("class=\"rest\"") && page.contains("class=\"k-0\""), "grey and coloured points");

    // A lasso sends ids by a form, and gets the file at once.
    let all: Vec<String> =
        map["documents"].as_array().expect("ids").iter().map(|id| id.as_str().expect("an id").to_owned()).collect();
    let post = async |fields: &[(&str, &str)]| {
        let body: Vec<String> = fields.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let form = server.client.post(format!("{}/batches/{id}/selection", server.address)).body(body.join("&"));
        let answer = form.send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let (status, csv) = post(&[("do", "csv"), ("all", &all[..5].join(","))]).await;
    assert_eq!((status, csv.lines().count()), (200, 6), "{csv}");
    let (_, json) = post(&[("do", "json"), ("all", &all[..7].join(",")), ("kind", "pdf")]).await;
    let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(rows.len(), 7, "documents come before filters");
    // More than an address holds.
    let many: Vec<String> = (0..5_000).map(|n| all[n % all.len()].clone()).collect();
    let (status, csv) = post(&[("do", "csv"), ("all", &many.join(","))]).await;
    assert_eq!((status, csv.lines().count()), (200, all.len() + 1), "each is there once");
    let (status, refused) = post(&[("do", "run"), ("all", &many.join(","))]).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused.contains("Make a batch of them first"), "{refused}");
    let (status, _) = post(&[("do", "nonsense")]).await;
    assert_eq!(status, 400);
}
