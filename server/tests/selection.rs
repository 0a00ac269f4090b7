//! What is done with chosen documents, through the built binary: downloads, and a batch of their own.

mod support;

use std::io::{Cursor, Read};

use serde_json::{Value, json};
use support::{Server, files, pile};

#[tokio::test]
async fn a_selection_is_downloaded_and_becomes_a_batch() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let sent = files(&pile());
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let (_, texts) = server.get(&format!("/api/batches/{id}/documents?kind=text&status=completed&limit=500")).await;
    let texts = texts["items"].as_array().expect("rows").clone();
    assert!(texts.len() >= 3 && texts.len() < sent.len(), "{} of {}", texts.len(), sent.len());
    let [a, b] = [&texts[0]["id"], &texts[1]["id"]].map(|id| id.as_str().expect("an id").to_owned());

    // The form's buttons lead on: with what is ticked, otherwise with all that match.
    let to = async |fields: &str| {
        let url = format!("{}/batches/{id}/selection?{fields}", server.address);
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
        let answer = client.get(url).send().await.expect("an answer");
        answer.headers().get("location").map(|to| to.to_str().expect("plain").to_owned())
    };
    let filtered = to("do=csv&kind=text&status=completed&sort=words").await.expect("it leads on");
    assert_eq!(filtered, format!("/api/batches/{id}/export?subject=documents&format=csv&kind=text&status=completed"));
    let ticked = to(&format!("do=json&kind=text&d={a}&d={b}")).await.expect("it leads on");
    let (_, rows) = server.get(&ticked).await;
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    assert_eq!(to(&format!("do=run&d={a}")).await, Some(format!("/runs/new?batch={id}&documents={a}")));
    assert_eq!(to("do=nonsense").await, None);

    let zip = server.client.get(format!("{}/api/batches/{id}/originals?kind=text", server.address));
    let answer = zip.send().await.expect("an answer");
    assert_eq!(answer.headers()["content-type"], "application/zip");
    let mut zip = zip::ZipArchive::new(Cursor::new(answer.bytes().await.expect("bytes"))).expect("a ZIP");
    for row in &texts {
        let path = row["path"].as_str().expect("a path");
        let name = (0..zip.len()).map(|n| zip.by_index(n).expect("there").name().to_owned());
        let name = name.into_iter().find(|name| name.ends_with(&format!("/{path}"))).expect("it is in the ZIP");
        let mut bytes = Vec::new();
        zip.by_name(&name).expect("there").read_to_end(&mut bytes).expect("its checksum holds");
        let (_, original) = sent.iter().find(|(sent, _)| sent == path).expect("it was sent");
        assert!(bytes == *original, "{path} is as it was sent");
    }

    let answer = server.client.post(format!("{}/api/batches/{id}/copy?kind=text&name=Letters", server.address));
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 201);
    let made: Value = answer.json().await.expect("JSON");
    let copy = made["id"].as_str().expect("an id").to_owned();
    server.finished(&copy).await;
    let (_, overview) = server.get(&format!("/api/batches/{copy}")).await;
    assert_eq!(overview["name"], "Letters");
    let (_, copied) = server.get(&format!("/api/batches/{copy}/documents?status=completed&limit=500")).await;
    let paths = |rows: &[Value]| rows.iter().map(|row| row["path"].to_string()).collect::<Vec<_>>();
    assert_eq!(paths(copied["items"].as_array().expect("rows")), paths(&texts));
    // What was removed of the first batch is still there for the second.
    let gone = server.client.delete(format!("{}/api/batches/{id}", server.address)).send().await.expect("an answer");
    assert_eq!(gone.status().as_u16(), 204);
    let first = copied["items"][0]["id"].as_str().expect("an id");
    let (status, _) = server.get(&format!("/api/batches/{copy}/documents/{first}")).await;
    assert_eq!(status, 200);
    let original = format!("{}/api/batches/{copy}/documents/{first}/original", server.address);
    assert_eq!(server.client.get(original).send().await.expect("an answer").status().as_u16(), 200);

    let answer = server.client.post(format!("{}/api/batches/{copy}/copy?kind=pdf", server.address));
    let answer = answer.send().await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 400);
    let (_, batches) = server.get("/api/batches").await;
    assert_eq!(batches["total"], json!(1), "what would be empty is not made");
    let foreign = server.client.post(format!("{}/batches/{copy}/selection", server.address)).body("do=batch");
    let foreign = foreign.header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(foreign.status().as_u16(), 403);
}
