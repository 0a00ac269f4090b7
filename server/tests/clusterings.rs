//! Other clusterings of a batch through the built binary: computed in the background, compared, taken over, and there after a kill.

mod support;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use support::{Server, files, pile};

async fn batch(server: &Server) -> String {
    let (status, batch) = server.upload(&[("model", "fast"), ("name", "The pile")], &files(&pile())).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    assert_eq!(server.finished(&id).await["status"], "completed");
    id
}

async fn ask(server: &Server, id: &str, wanted: &Value) -> (u16, Value) {
    let url = format!("{}/api/batches/{id}/clusterings", server.address);
    let answer = server.client.post(url).json(wanted).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// Those that were tried, when nothing is computed any more.
async fn settled(server: &Server, id: &str) -> Vec<Value> {
    let start = Instant::now();
    loop {
        let (_, gallery) = server.get(&format!("/api/batches/{id}/clusterings")).await;
        let items = gallery["items"].as_array().expect("a list").clone();
        if items.iter().all(|tried| matches!(tried["status"].as_str(), Some("completed" | "failed"))) {
            return items;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "it hangs: {gallery}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn clusterings_are_tried_compared_and_taken_over() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let id = batch(&server).await;
    let (_, before) = server.get(&format!("/api/batches/{id}")).await;
    for wanted in [
        json!({"method": "graph"}),
        json!({"method": "kmeans", "clusters": 6, "seed": 3}),
        json!({"method": "dbscan", "similarity": 99}),
        json!({"method": "mixture", "clusters": 3}),
        json!({"method": "hierarchical", "similarity": 20}),
    ] {
        let (status, tried) = ask(&server, &id, &wanted).await;
        assert_eq!((status, &tried["params"]["method"]), (202, &wanted["method"]), "{tried}");
    }
    let tried = settled(&server, &id).await;
    let said = tried[2]["failure"]["message"].as_str();
    assert_eq!(
        said,
        Some("dbscan finds no cluster at a similarity of 99 %: everything would be an outlier"),
        "{tried:?}"
    );
    let documents = before["counts"]["completed"].as_u64().expect("a number");
    for one in [&tried[0], &tried[1], &tried[3], &tried[4]] {
        assert_eq!(one["status"], "completed", "{one}");
        assert_eq!((&one["documents"], one["seconds"].is_number()), (&json!(documents), true), "{one}");
        let inside: u64 = one["clusters"].as_array().expect("a list").iter().filter_map(|c| c["size"].as_u64()).sum();
        assert_eq!(inside + one["outliers"].as_u64().expect("a number"), documents, "{one}");
    }
    // The batch's own method finds the batch's own clusters; six are another thing.
    assert_eq!(tried[0]["compared"], json!({"rand": 1.0, "moved": 0, "documents": documents}));
    assert_eq!(tried[0]["silhouette"], before["summary"]["silhouette"]);
    assert_eq!(tried[1]["clusters"].as_array().map(Vec::len), Some(6));
    assert!(tried[1]["compared"]["rand"].as_f64() < Some(0.99) && tried[1]["compared"]["moved"].as_u64() > Some(0));
    let (_, now) = server.get(&format!("/api/batches/{id}")).await;
    assert_eq!(now["clusters"], before["clusters"], "trying changes nothing");

    // Six clusters become those of the batch, and the comparison follows. Those that are still the same keep their names.
    let six = tried[1]["id"].as_str().expect("an id");
    let url = format!("{}/api/batches/{id}/clusterings/{six}", server.address);
    let foreign = server.client.post(format!("{url}/use")).header("sec-fetch-site", "cross-site");
    assert_eq!(foreign.send().await.expect("an answer").status().as_u16(), 403);
    let answer = server.client.post(format!("{url}/use")).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 202);
    let now = server.finished(&id).await;
    assert_eq!(
        (now["clusters"].as_array().map(Vec::len), &now["params"]["method"]),
        (Some(6), &json!("kmeans")),
        "{now}"
    );
    let groups = |clusters: &Value| {
        let clusters = clusters.as_array().expect("a list").iter();
        clusters.map(|c| (c["representative"].to_string(), c["size"].as_u64())).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(groups(&now["clusters"]), groups(&tried[1]["clusters"]));
    let (_, one) = server.get(&format!("/api/batches/{id}/clusterings/{six}")).await;
    assert_eq!(one["compared"], json!({"rand": 1.0, "moved": 0, "documents": documents}));
    let answer = server.client.delete(&url).send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 204);
    let (status, failure) = server.get(&format!("/api/batches/{id}/clusterings/{six}")).await;
    assert_eq!((status, &failure["code"]), (404, &json!("not_found")));
}

#[tokio::test]
async fn what_does_not_fit_is_refused_in_words() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let id = batch(&server).await;
    let check = async |wanted: Value, message: &str| {
        let (status, failure) = ask(&server, &id, &wanted).await;
        assert_eq!((status, &failure["code"]), (400, &json!("invalid_request")), "{failure}");
        assert!(failure["message"].as_str().is_some_and(|said| said.contains(message)), "{failure}");
    };
    check(json!({"method": "dbscan"}), "dbscan wants `similarity`, between 1 and 99").await;
    check(json!({"method": "kmeans", "clusters": 1}), "clusters is 1; it must be between 2 and 1000").await;
    check(json!({"method": "graph", "clusters": 3}), "graph takes no `clusters`").await;
    check(json!({"method": "magic"}), "magic").await;
    let (status, _) = ask(&server, "0198c0de-0000-7000-8000-000000000000", &json!({"method": "graph"})).await;
    assert_eq!(status, 404);
    for seed in 0..12 {
        assert_eq!(ask(&server, &id, &json!({"method": "kmeans", "clusters": 2, "seed": seed})).await.0, 202);
    }
    check(json!({"method": "graph"}), "there are 12 clusterings of this batch already").await;
    // A form that fails is a page.
    let form = server.client.post(format!("{}/batches/{id}/clusterings", server.address));
    let form = form.header("content-type", "application/x-www-form-urlencoded").body("method=graph&clusters=9");
    let answer = form.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 400);
    assert!(answer.text().await.expect("text").contains("there are 12 clusterings"));
}

#[tokio::test]
async fn what_was_asked_for_is_computed_after_a_kill() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let id = batch(&server).await;
    for clusters in 2..8 {
        assert_eq!(ask(&server, &id, &json!({"method": "kmeans", "clusters": clusters})).await.0, 202);
    }
    server.kill();
    let server = Server::start(data.path(), &[]);
    let tried = settled(&server, &id).await;
    let found: Vec<_> = tried.iter().map(|one| one["clusters"].as_array().map_or(0, Vec::len)).collect();
    assert_eq!(found, [2, 3, 4, 5, 6, 7]);
}
