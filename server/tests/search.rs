//! Searching on the real server: by words, by meaning, by what is alike, as JSON and as a page.

mod support;

use serde_json::{Value, json};
use support::{Server, files, pile};

fn paths(results: &Value) -> Vec<&str> {
    results["items"].as_array().expect("items").iter().filter_map(|hit| hit["document"]["path"].as_str()).collect()
}

#[tokio::test]
async fn documents_are_found_by_words_and_meaning() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut documents = files(&pile());
    let odd = "Quixotic zeppelins over Zürich.\n\n<script>alert(1)</script> The zeppelin's late fee is due.";
    documents.push(("notes/odd name.txt".into(), odd.into()));
    let (status, batch) = server.upload(&[("name", "Topics"), ("model", "fast")], &documents).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;

    let (status, found) = server.get("/api/search?q=zeppelins%20zurich&mode=words").await;
    assert_eq!((status, paths(&found)), (200, vec!["notes/odd name.txt"]), "{found}");
    let hit = &found["items"][0];
    assert_eq!((hit["by_words"].as_bool(), hit["page"].as_u64()), (Some(true), Some(1)));
    let marked: Vec<&str> = hit["snippet"]
        .as_array()
        .expect("parts")
        .iter()
        .filter(|part| part["hit"] == true)
        .filter_map(|part| part["text"].as_str())
        .collect();
    assert_eq!(marked, ["zeppelins", "Zürich"]);
    for (question, expect) in
        [("%22late%20fee%22", 1), ("%22fee%20late%22", 0), ("quix*", 1), ("odd%20name", 1), ("%22%20(*", 0)]
    {
        let (status, found) = server.get(&format!("/api/search?q={question}&mode=words&batch={id}")).await;
        assert_eq!((status, found["total"].as_u64()), (200, Some(expect)), "{question}: {found}");
    }
    let (_, table) = server.get(&format!("/api/batches/{id}/documents?q=quixotic")).await;
    assert_eq!(table["total"], 1);

    // A document is most like itself, and what is asked for is not among what is like it.
    let (_, whole) = server.get(&format!("/api/batches/{id}/documents?limit=1")).await;
    let first = &whole["items"][0];
    let (path, first_id) = (first["path"].as_str().expect("a path"), first["id"].as_str().expect("an id"));
    let (_, text) = server.text(&format!("/api/batches/{id}/documents/{first_id}/text")).await;
    let similar = async |body: Value| {
        let to = format!("{}/api/batches/{id}/similar", server.address);
        let answer = server.client.post(to).header("content-type", "application/json").body(body.to_string());
        let answer = answer.send().await.expect("answered");
        let status = answer.status().as_u16();
        (status, serde_json::from_str::<Value>(&answer.text().await.expect("text")).expect("JSON"))
    };
    let (status, found) = similar(json!({ "text": text })).await;
    assert_eq!((status, paths(&found).first().copied()), (200, Some(path)), "{found}");
    assert!(found["items"][0]["similarity"].as_f64() > Some(0.99));
    let (_, found) = similar(json!({ "documents": [first_id] })).await;
    assert!(!paths(&found).is_empty() && !paths(&found).contains(&path), "{found}");
    assert_eq!(similar(json!({})).await.0, 400);

    let (_, found) = server.get(&format!("/api/search?mode=meaning&q={}", "an%20airship%20above%20a%20city")).await;
    assert_eq!(found["meaning"], true);
    let question = format!("/api/search?mode=meaning&batch={id}&q=an%20airship%20above%20a%20city");
    let (_, of_batch) = server.get(&question).await;
    assert_eq!(paths(&of_batch), paths(&found), "the library holds this batch alone");
    let (headers, page) = server.text("/search?q=zeppelins&mode=words").await;
    assert!(headers["content-type"].to_str().expect("ASCII").starts_with("text/html"));
    assert!(page.contains("<mark>zeppelins<"), "{page}");
    assert!(!page.contains("<script>alert"), "a document's text is no markup");

    let gone = server.client.delete(format!("{}/api/batches/{id}", server.address)).send().await.expect("answered");
    assert_eq!(gone.status(), 204);
    let (_, found) = server.get("/api/search?q=zeppelins").await;
    assert_eq!(found["total"], 0);
}
