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

#[tokio::test]
async fn the_heatmap_and_its_files_follow_every_filter() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &files(&pile())).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let api = format!("/api/batches/{id}");
    let (_, all) = server.get(&format!("{api}/similarity")).await;
    let (_, facets) = server.get(&format!("{api}/facets")).await;
    let mut filters = vec!["q=star".to_owned(), "confidence=high".to_owned(), "status=completed&size=tiny".to_owned()];
    filters.extend(
        facets["kinds"]
            .as_array()
            .expect("kinds")
            .iter()
            .map(|count| format!("kind={}", count["value"].as_str().expect("a name"))),
    );
    filters.extend(
        facets["clusters"].as_array().expect("clusters").iter().filter_map(|count| {
            count["value"]["cluster"].as_u64().map(|cluster| format!("cluster={cluster}&kind=text"))
        }),
    );
    let mut narrower = 0;
    for filter in filters {
        let (_, rows) = server.get(&format!("{api}/documents?{filter}&limit=500")).await;
        let placed = |row: &&Value| row["probability"].is_number();
        let mut wanted: Vec<&str> = rows["items"]
            .as_array()
            .expect("rows")
            .iter()
            .filter(placed)
            .filter_map(|row| row["path"].as_str())
            .collect();
        let (status, picture) = server.get(&format!("{api}/similarity?{filter}")).await;
        assert_eq!(status, 200, "{filter}: {picture}");
        let bands = picture["bands"].as_array().expect("bands");
        let mut shown: Vec<&str> = bands.iter().filter_map(|band| band["label"].as_str()).collect();
        assert_eq!(picture["documents"].as_u64(), Some(wanted.len() as u64), "{filter}");
        wanted.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, wanted, "{filter}");
        narrower += usize::from(picture["documents"].as_u64() < all["documents"].as_u64());
        for pair in picture["pairs"].as_array().expect("pairs") {
            assert!(
                ["a_path", "b_path"].iter().all(|of| wanted.contains(&pair[of].as_str().expect("a path"))),
                "{filter}"
            );
        }
        let (headers, csv) = server.text(&format!("{api}/similarity.csv?{filter}")).await;
        assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(csv.lines().count(), wanted.len() + 1, "{filter}");
        let (_, exported) = server.text(&format!("{api}/export?subject=similarity&format=csv&{filter}")).await;
        assert_eq!(exported, csv, "{filter}");
        let png = server.client.get(format!("{}{api}/similarity.png?{filter}", server.address)).send().await;
        let png = png.expect("an answer");
        assert_eq!(
            (png.status().as_u16(), &png.headers()["content-type"]),
            (200, &"image/png".parse().expect("plain"))
        );
        assert!(png.bytes().await.expect("bytes").starts_with(b"\x89PNG"));
    }
    assert!(narrower >= 3, "some filters leave something out");

    let (_, part) = server.get(&format!("{api}/similarity?kind=text&start=1&len=2")).await;
    let (_, whole) = server.get(&format!("{api}/similarity?kind=text")).await;
    let labels = |picture: &Value| -> Vec<String> {
        picture["bands"].as_array().expect("bands").iter().map(|band| band["label"].to_string()).collect()
    };
    assert_eq!(labels(&part), labels(&whole)[1..3]);
    let (status, wrong) = server.get(&format!("{api}/similarity?kind=nonsense")).await;
    assert_eq!((status, &wrong["code"]), (400, &json!("invalid_request")));
    let png = server
        .client
        .get(format!("{}/api/batches/{}/similarity.png", server.address, "018f0000-0000-7000-8000-000000000000"));
    assert_eq!(png.send().await.expect("an answer").status().as_u16(), 404);
}

#[tokio::test]
async fn blocks_have_a_mean_and_a_strongest_pair() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let words = ["harbour ship cargo anchor", "bread flour oven dough", "violin concert string bow"];
    let text = |n: usize| {
        let words: Vec<&str> = words[n % 3].split(' ').cycle().skip(n / 3).step_by(1 + n % 2).take(9).collect();
        format!("{} number {n}", words.join(" "))
    };
    // The last is a copy of the first.
    let mut sent: Vec<(String, Vec<u8>)> = (0..130).map(|n| (format!("{n:03}.txt"), text(n).into_bytes())).collect();
    sent.push(("copy.txt".into(), sent[0].1.clone()));
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let api = format!("/api/batches/{id}");
    let (_, picture) = server.get(&format!("{api}/similarity")).await;
    let numbers =
        |of: &Value| of.as_array().expect("numbers").iter().map(|v| v.as_f64().expect("one")).collect::<Vec<_>>();
    let (means, strongest) = (numbers(&picture["values"]), numbers(&picture["strongest"]));
    assert_eq!((means.len(), strongest.len()), (60 * 60, 60 * 60));
    assert!(means.iter().zip(&strongest).all(|(mean, most)| *most >= *mean - 1e-5), "no mean is above the strongest");
    assert!(means.iter().zip(&strongest).any(|(mean, most)| *most > *mean + 0.01));
    let most = strongest.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!(most > 0.9999, "{most}: a copy is as similar as can be");

    let (headers, csv) = server.text(&format!("{api}/similarity-blocks.csv?kind=text")).await;
    assert_eq!(headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(
        (csv.lines().count(), csv.lines().next()),
        (1 + 60 * 61 / 2, Some("a,a_documents,b,b_documents,mean,strongest"))
    );
    let png = async |cells: &str| {
        let url = format!("{}{api}/similarity.png?cells={cells}", server.address);
        let answer = server.client.get(url).send().await.expect("an answer");
        (answer.status().as_u16(), answer.bytes().await.expect("bytes"))
    };
    let (mean, most) = (png("mean").await, png("strongest").await);
    assert_eq!((mean.0, most.0, png("nonsense").await.0), (200, 200, 400));
    assert!(mean.1 != most.1, "they are other pictures");

    // On the page the choice is a link, and cells follow it.
    let page = async |query: &str| server.text(&format!("/batches/{id}{query}")).await.1;
    let (first, second) = (page("").await, page("?cells=strongest").await);
    assert!(first.contains("A cell is the mean similarity") && first.contains("?cells=strongest#similarity"));
    assert!(second.contains("A cell is the most similar pair") && second.contains("Show the means"));
    let grid = |page: &str| {
        page.split("data-testid=\"heatmap\"").nth(1).map(|rest| rest.chars().take(20_000).collect::<String>())
    };
    assert!(grid(&first).is_some() && grid(&first) != grid(&second));
}

#[tokio::test]
async fn documents_are_removed_and_the_rest_is_grouped_anew() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let words = ["harbour ship cargo anchor", "bread flour oven dough"];
    let text = |n: usize| format!("{} of number{n} on 3 May 2024. {}", words[n % 2], words[n % 2].to_uppercase());
    let mut sent: Vec<(String, Vec<u8>)> = (0..8).map(|n| (format!("{n}.txt"), text(n).into_bytes())).collect();
    sent.push(("copy.txt".into(), sent[0].1.clone()));
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let api = format!("/api/batches/{id}");
    let (_, rows) = server.get(&format!("{api}/documents?limit=100")).await;
    let ids: Vec<String> = (rows["items"].as_array().expect("rows").iter())
        .map(|row| row["id"].as_str().expect("an id").to_owned())
        .collect();
    let (first, copy) = (&ids[0], &ids[8]);

    // A run knows all of them.
    let ask = async |path: &str, body: &Value| -> (u16, Value) {
        let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await;
        let answer = answer.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    };
    let find = json!({ "name": "days", "do": "find", "what": "dates" });
    let (_, flow) = ask("/api/flows", &json!({ "name": "Days", "steps": [find] })).await;
    let (_, run) = ask("/api/runs", &json!({ "flow": flow["id"], "documents": { "batches": [id] } })).await;
    let run = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    while server.get(&run).await.1["status"] != "completed" {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }

    // The question says what goes and what stays.
    let chosen = format!("{}/batches/{id}/selection?do=remove&d={first}", server.address);
    let page = server.client.get(chosen).send().await.expect("an answer");
    assert_eq!(page.url().path(), format!("/batches/{id}/remove"));
    let page = page.text().await.expect("a page");
    for part in ["Remove 1 document?", "0.txt", "1 run used this document", "grouped anew", "confirm-remove"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let page = server.text(&format!("/batches/{id}/remove?kind=text")).await.1;
    assert!(page.contains("These are all documents of the batch") && !page.contains("confirm-remove"), "{page}");

    let delete = async |document: &str| {
        let url = format!("{}{api}/documents/{document}", server.address);
        server.client.delete(url).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(delete(first).await, 204);
    let batch = server.finished(&id).await;
    assert_eq!((&batch["status"], &batch["counts"]["total"]), (&json!("completed"), &json!(8)), "{batch}");
    assert_eq!(delete(first).await, 404, "it is gone");
    assert_eq!(server.get(&format!("{api}/documents/{first}")).await.0, 404);
    let (_, similarity) = server.get(&format!("{api}/similarity")).await;
    let (_, clusters) = server.get(&format!("{api}/clusters")).await;
    let (_, outliers) = server.get(&format!("{api}/outliers")).await;
    let sizes = clusters.as_array().expect("clusters").iter().map(|cluster| cluster["size"].as_u64().expect("one"));
    let grouped = sizes.sum::<u64>() + outliers["total"].as_u64().expect("a number");
    assert_eq!((&similarity["documents"], grouped), (&json!(8), 8), "{clusters} {outliers}");
    // The same bytes under another name are still there, and what a run found stays.
    let original = server.client.get(format!("{}{api}/documents/{copy}/original", server.address)).send().await;
    assert_eq!(original.expect("an answer").bytes().await.expect("bytes"), sent[0].1);
    let (_, values) = server.get(&format!("{run}/values?limit=100")).await;
    let stands = |value: &&Value| value["stands"] == json!(true);
    let values = values["items"].as_array().expect("values");
    assert_eq!(values.iter().filter(|value| value["document"] == first.as_str()).filter(stands).count(), 0);
    assert!(values.iter().any(|value| value["document"] == first.as_str()), "{values:?}");

    // The form, by a filter: only what was seen goes.
    let form = async |fields: &str| {
        let url = format!("{}/batches/{id}/remove", server.address);
        let sent = server.client.post(url).header("content-type", "application/x-www-form-urlencoded");
        sent.body(fields.to_owned()).send().await.expect("an answer")
    };
    assert_eq!(form("q=number3&matching=1&number=2").await.status().as_u16(), 400);
    assert_eq!(form("kind=text&matching=1&number=8").await.status().as_u16(), 400, "not all of them");
    let done = form("q=number3&matching=1&number=1").await;
    assert_eq!((done.status().as_u16(), done.url().path()), (200, format!("/batches/{id}").as_str()));
    let batch = server.finished(&id).await;
    assert_eq!(batch["counts"]["total"], json!(7));
    let (_, found) = server.get(&format!("/api/search?q=number3&batch={id}&mode=words")).await;
    assert_eq!(found["items"].as_array().map(Vec::len), Some(0), "{found}");
    let foreign = server.client.delete(format!("{}{api}/documents/{copy}", server.address));
    let foreign = foreign.header("sec-fetch-site", "cross-site").send().await.expect("an answer");
    assert_eq!(foreign.status().as_u16(), 403);
}
