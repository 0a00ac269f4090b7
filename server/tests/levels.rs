//! Levels: clusters joined to fewer groups, by the API and on the page.

mod support;

use serde_json::Value;
use support::{Server, files, pile};

fn sizes(clusters: &Value) -> Vec<u64> {
    clusters.as_array().expect("a list").iter().filter_map(|cluster| cluster["size"].as_u64()).collect()
}

#[tokio::test]
async fn fewer_groups_hold_the_same_documents() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (_, batch) = server.upload(&[("name", "Levels"), ("model", "fast"), ("clusters", "6")], &files(&pile())).await;
    let id = batch["id"].as_str().expect("an id");
    server.finished(id).await;
    let (_, all) = server.get(&format!("/api/batches/{id}/clusters")).await;
    assert_eq!(all.as_array().map(Vec::len), Some(6));
    let (_, merges) = server.get(&format!("/api/batches/{id}/merges")).await;
    assert_eq!(merges.as_array().map(Vec::len), Some(5));

    let (_, three) = server.get(&format!("/api/batches/{id}/clusters?level=3")).await;
    assert_eq!(three.as_array().map(Vec::len), Some(3));
    assert_eq!(sizes(&three).iter().sum::<u64>(), sizes(&all).iter().sum::<u64>());
    for group in three.as_array().expect("a list") {
        let filter = format!("cluster={}", group["id"]);
        let (_, page) = server.get(&format!("/api/batches/{id}/documents?{filter}&limit=1")).await;
        assert_eq!(page["total"], group["size"], "the filter knows groups too");
        let (status, heatmap) = server.get(&format!("/api/batches/{id}/similarity?{filter}")).await;
        assert_eq!((status, &heatmap["documents"]), (200, &group["size"]));
    }
    let (status, _) = server.get(&format!("/api/batches/{id}/clusters?level=few")).await;
    assert_eq!(status, 400);

    let (_, page) = server.text(&format!("/batches/{id}?level=3")).await;
    assert_eq!(page.matches("data-testid=\"cluster-row\"").count(), 3);
    assert!(page.contains("data-testid=\"levels\""));
    let name = three[0]["name"].as_str().expect("a name");
    assert!(page.contains(name), "groups have names of their own: {name}");
}
