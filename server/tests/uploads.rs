//! Uploads that break off and go on, and documents that come later: through the real server, killed where it hurts.

#[path = "../../crates/parsing/tests/support/pdf.rs"]
mod made;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::time::Duration;

use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use support::{Server, files, pile};

type Files = [(String, Vec<u8>)];

/// Different short texts, so that the batch is done in seconds.
fn texts(count: usize) -> Vec<(String, Vec<u8>)> {
    let pile: Vec<_> = files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt")).collect();
    (0..count)
        .map(|n| {
            let (path, bytes) = &pile[n % pile.len()];
            let mut bytes = bytes.clone();
            bytes.extend_from_slice(format!("\n\nCopy number {n}.\n").as_bytes());
            (format!("{n:04}/{path}"), bytes)
        })
        .collect()
}

fn zip(entries: &Files) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, bytes) in entries {
        archive.start_file(path.as_str(), zip::write::SimpleFileOptions::default()).expect("begun");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("finished").into_inner()
}

fn form(files: &Files) -> Form {
    files
        .iter()
        .fold(Form::new(), |form, (path, bytes)| form.part("files", Part::bytes(bytes.clone()).file_name(path.clone())))
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("text");
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).expect("JSON") })
}

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    answer(server.client.post(format!("{}{path}", server.address)).json(body)).await
}

async fn begin(server: &Server, fields: Value) -> (String, String) {
    let (status, upload) = post(server, "/api/uploads", &fields).await;
    assert_eq!(status, 201, "{upload}");
    let text = |name: &str| upload[name].as_str().expect("an id").to_owned();
    (text("id"), text("batch"))
}

async fn put(server: &Server, upload: &str, files: &Files) -> (u16, Value) {
    let request = server.client.put(format!("{}/api/uploads/{upload}/files", server.address));
    answer(request.multipart(form(files))).await
}

async fn add(server: &Server, batch: &str, files: &Files) -> (u16, Value) {
    let request = server.client.post(format!("{}/api/batches/{batch}/documents", server.address));
    answer(request.multipart(form(files))).await
}

async fn delete(server: &Server, path: &str) -> u16 {
    answer(server.client.delete(format!("{}{path}", server.address))).await.0
}

/// What has arrived of an upload, by pages: hashes by path.
async fn arrived(server: &Server, upload: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let (status, page) = server.get(&format!("/api/uploads/{upload}?limit=7&cursor={cursor}")).await;
        assert_eq!(status, 200, "{page}");
        for file in page["items"].as_array().expect("items") {
            let text = |name: &str| file[name].as_str().expect("text").to_owned();
            assert!(found.insert(text("path"), text("sha256")).is_none(), "{file} is told twice");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => {
                assert_eq!(page["arrived_files"], found.len());
                return found;
            }
        }
    }
}

/// The rows of a batch.
async fn rows(server: &Server, batch: &str) -> Vec<Value> {
    let (_, lines) = server.text(&format!("/api/batches/{batch}/export?subject=documents&format=jsonl")).await;
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn paths(rows: &[Value]) -> BTreeSet<&str> {
    let paths: BTreeSet<&str> = rows.iter().map(|row| row["path"].as_str().expect("a path")).collect();
    assert_eq!(paths.len(), rows.len(), "every path once");
    paths
}

fn kept_blobs(data: &std::path::Path) -> usize {
    let folders = std::fs::read_dir(data.join("blobs")).expect("read").flatten();
    folders.map(|folder| std::fs::read_dir(folder.path()).expect("read").count()).sum()
}

#[tokio::test]
async fn an_upload_that_a_kill_interrupts_goes_on_with_every_file_once() {
    let data = tempfile::tempdir().expect("a folder");
    let mut server = Server::start(data.path(), &[]);
    let (singles, packed) = (texts(60), texts(300));
    let pack = ("pack.zip".to_owned(), zip(&packed));
    let mut all = singles.clone();
    all.insert(20, pack.clone());
    let bytes: usize = all.iter().map(|(_, bytes)| bytes.len()).sum();
    let fields = json!({"name": "Interrupted", "model": "fast", "files": all.len(), "bytes": bytes});
    let (upload, batch) = begin(&server, fields).await;

    // Acknowledged files, then a kill in the middle of a request, in two places: while a body comes, and while an archive that
    // was received is opened.
    for group in all[..20].chunks(8) {
        let (status, received) = put(&server, &upload, group).await;
        assert_eq!(status, 200, "{received}");
        assert_eq!(received["documents"], group.len());
        assert_eq!(received["files"][0]["path"], group[0].0);
    }
    for pause in [5, 40, 120] {
        let request = server.client.put(format!("{}/api/uploads/{upload}/files", server.address));
        let sending = tokio::spawn(request.multipart(form(std::slice::from_ref(&pack))).send());
        tokio::time::sleep(Duration::from_millis(pause)).await;
        server.kill();
        drop(sending.await);
        server = Server::start(data.path(), &[]);
        let listed = rows(&server, &batch).await;
        let of_pack = paths(&listed).into_iter().filter(|path| path.starts_with("pack.zip")).count();
        let has_come = arrived(&server, &upload).await.contains_key("pack.zip");
        assert_eq!(of_pack, if has_come { packed.len() } else { 0 }, "an archive comes as a whole or not at all");
    }
    let (_, running) = server.get(&format!("/api/batches/{batch}")).await;
    assert_eq!(running["receiving"], true);

    // What is there is asked for and not sent again; one file whose answer was lost is.
    let there = arrived(&server, &upload).await;
    assert!(all[..20].iter().all(|(path, _)| there.contains_key(path)), "what was acknowledged is there");
    let missing: Vec<_> = all.iter().filter(|(path, _)| !there.contains_key(path)).cloned().collect();
    assert!(missing.len() >= 40, "{}", missing.len());
    for group in missing.chunks(16) {
        assert_eq!(put(&server, &upload, group).await.0, 200);
    }
    let (_, again) = put(&server, &upload, &all[..1]).await;
    assert_eq!((&again["documents"], &again["already_there"]), (&json!(0), &json!(1)));
    let (_, state) = server.get(&format!("/api/batches/{batch}/uploads")).await;
    assert_eq!((&state[0]["arrived_files"], &state[0]["arrived_bytes"]), (&json!(all.len()), &json!(bytes)));
    let (status, finished) = post(&server, &format!("/api/uploads/{upload}/finish"), &Value::Null).await;
    assert_eq!((status, &finished["receiving"]), (200, &json!(false)), "{finished}");

    assert_eq!(server.finished(&batch).await["status"], "completed");
    let listed = rows(&server, &batch).await;
    let expected: BTreeSet<String> = singles
        .iter()
        .map(|(path, _)| path.clone())
        .chain(packed.iter().map(|(path, _)| format!("pack.zip!/{path}")))
        .collect();
    assert_eq!(paths(&listed), expected.iter().map(String::as_str).collect());
    assert!(listed.iter().all(|row| row["status"] == "completed"));
    assert_eq!(server.get(&format!("/api/uploads/{upload}")).await.0, 404, "it is over");
}

#[tokio::test]
async fn a_finished_batch_gets_more_and_only_that_is_read() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let documents = texts(24);
    let (_, batch) = server.upload(&[("model", "fast")], &documents[..16]).await;
    let batch = batch["id"].as_str().expect("an id").to_owned();
    assert_eq!(server.finished(&batch).await["status"], "completed");
    let before = rows(&server, &batch).await;
    let (_, changes) = server.get(&format!("/api/batches/{batch}/changes")).await;
    let cursor = changes["cursor"].as_str().expect("a cursor").to_owned();

    // Two that are there, one whose path is there with other bytes, and new ones; the same twice.
    let mut more = documents[14..].to_vec();
    more.push((documents[0].0.clone(), b"Another text altogether, about the harbour in winter.".to_vec()));
    let (status, added) = add(&server, &batch, &more).await;
    assert_eq!(status, 200, "{added}");
    assert_eq!((&added["documents"], &added["already_there"]), (&json!(9), &json!(2)), "{added}");
    assert_eq!(added["batch"]["status"], "pending");
    assert_eq!(server.finished(&batch).await["status"], "completed");
    let (_, same) = add(&server, &batch, &more).await;
    assert_eq!((&same["documents"], &same["already_there"]), (&json!(0), &json!(11)), "{same}");
    assert_eq!(same["batch"]["status"], "completed", "nothing is to be done");

    let (_, overview) = server.get(&format!("/api/batches/{batch}")).await;
    let counts = &overview["summary"];
    assert_eq!((&counts["counts"]["completed"], &counts["unclustered"]), (&json!(25), &json!(0)), "analysed anew");
    let after = rows(&server, &batch).await;
    let renamed = documents[0].0.replace(".txt", " (2).txt");
    assert!(paths(&after).contains(renamed.as_str()), "{after:?}");
    let ids = |rows: &[Value]| rows.iter().map(|row| row["id"].to_string()).collect::<BTreeSet<_>>();
    assert!(ids(&after).is_superset(&ids(&before)));
    let (_, changes) = server.get(&format!("/api/batches/{batch}/changes?after={cursor}")).await;
    let worked_on = ids(changes["documents"].as_array().expect("documents"));
    assert_eq!(worked_on.len(), 9, "{changes}");
    assert!(worked_on.is_disjoint(&ids(&before)), "what was read before is not read again");
}

#[tokio::test]
async fn an_addition_that_breaks_off_changes_nothing() {
    use tokio::io::AsyncWriteExt;

    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (_, batch) = server.upload(&[("model", "fast")], &texts(3)).await;
    let batch = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&batch).await;
    let (_, before) = server.get(&format!("/api/batches/{batch}")).await;
    let address = server.address.trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.expect("connected");
    let whole: String = (0..100)
        .map(|n| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{n}.txt\"\r\n\r\nThe text {n}\r\n"
            )
        })
        .collect();
    let head = format!(
        "POST /api/batches/{batch}/documents HTTP/1.1\r\nHost: {address}\r\nContent-Length: 100000\r\n\
         Content-Type: multipart/form-data; boundary=x\r\n\r\n{whole}"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    tokio::time::sleep(Duration::from_millis(300)).await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(server.get(&format!("/api/batches/{batch}")).await.1, before);
    assert_eq!(kept_blobs(data.path()), 3);
}

#[tokio::test]
async fn an_upload_that_is_taken_back_leaves_nothing_of_itself() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let documents = texts(6);
    let (upload, made) = begin(&server, json!({"model": "fast", "files": 6})).await;
    assert_eq!(put(&server, &upload, &documents[..4]).await.0, 200);
    assert_eq!(delete(&server, &format!("/api/uploads/{upload}")).await, 204);
    assert_eq!(server.get(&format!("/api/batches/{made}")).await.0, 404, "the batch was made for it");
    assert_eq!(put(&server, &upload, &documents[..1]).await.0, 404);
    assert_eq!(kept_blobs(data.path()), 0);

    let (_, batch) = server.upload(&[("model", "fast")], &documents[..4]).await;
    let batch = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&batch).await;
    let (upload, _) = begin(&server, json!({"batch": batch, "files": 3})).await;
    assert_eq!(put(&server, &upload, &documents[3..]).await.1["documents"], 2);
    assert_eq!(delete(&server, &format!("/api/uploads/{upload}")).await, 204);
    assert_eq!(server.finished(&batch).await["counts"]["total"], 4);
    assert_eq!(kept_blobs(data.path()), 4);
}

#[tokio::test]
async fn an_upload_that_nobody_goes_on_with_is_ended() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (upload, batch) = begin(&server, json!({"model": "fast", "files": 10})).await;
    assert_eq!(put(&server, &upload, &texts(3)).await.0, 200);
    let (_, empty) = begin(&server, json!({"files": 10})).await;
    server.kill();
    let server = Server::start(data.path(), &["--upload-days", "0"]);
    let ended = server.finished(&batch).await;
    assert_eq!((&ended["status"], &ended["counts"]["completed"]), (&json!("completed"), &json!(3)));
    assert_eq!(server.get(&format!("/api/batches/{empty}")).await.0, 404, "nothing had arrived");
}

#[tokio::test]
async fn files_come_one_by_one_too_and_refusals_say_why() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--max-upload-mib", "1", "--max-documents", "3"]);
    let check = |(status, answer): (u16, Value), expect: u16, code: &str| {
        assert_eq!((status, answer["code"].as_str()), (expect, Some(code)), "{answer}");
        assert!(answer["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    };
    let (upload, batch) = begin(&server, json!({"model": "fast", "passwords": ["a", "b"]})).await;
    let raw = |path: &str, bytes: Vec<u8>| {
        let request = server.client.put(format!("{}/api/uploads/{upload}/files?path={path}", server.address));
        answer(request.body(bytes))
    };
    check(post(&server, &format!("/api/uploads/{upload}/finish"), &Value::Null).await, 400, "invalid_request");
    let (status, received) = raw("../a/%C3%A4%20b.txt", b"The harbour in winter.".to_vec()).await;
    assert_eq!(status, 200, "{received}");
    assert_eq!((&received["files"][0]["path"], &received["files"][0]["bytes"]), (&json!("a/ä b.txt"), &json!(22)));
    check(raw("big.txt", vec![b'a'; 1 << 20]).await, 413, "too_large");
    check(put(&server, &upload, &[]).await, 400, "invalid_request");
    let four: Vec<_> = (0..4).map(|n| (format!("{n}.txt"), format!("text {n}").into_bytes())).collect();
    check(put(&server, &upload, &four).await, 413, "too_large");
    assert_eq!(arrived(&server, &upload).await.len(), 3, "what came before the refusal is kept");

    let (_, known) = post(&server, &format!("/api/batches/{batch}/known"), &json!(["../a/ä b.txt", "x.txt"])).await;
    assert_eq!(known, json!([received["files"][0]]));
    let many = json!(vec!["a"; 1001]);
    check(post(&server, &format!("/api/batches/{batch}/known"), &many).await, 400, "invalid_request");

    check(post(&server, "/api/uploads", &json!({"bytes": 2 << 20})).await, 413, "too_large");
    check(post(&server, "/api/uploads", &json!({"model": "best"})).await, 400, "invalid_request");
    check(post(&server, "/api/uploads", &json!({"batch": batch, "name": "x"})).await, 400, "invalid_request");
    check(post(&server, "/api/uploads", &json!({"batch": upload})).await, 404, "not_found");
    check(put(&server, &batch, &four).await, 404, "not_found");
    check(server.get("/api/uploads/nonsense").await, 404, "not_found");
    check(add(&server, &upload, &four).await, 404, "not_found");
    assert_eq!(delete(&server, "/api/uploads/nonsense").await, 404);
}

/// What each text is written as in [`two_thousand_files_in_a_zip_all_end_completed`], and what it is then.
const KINDS: &[(&str, &str)] = &[
    ("txt", "text"),
    ("md", "markdown"),
    ("html", "html"),
    ("eml", "email"),
    ("csv", "csv"),
    ("json", "json"),
    ("rtf", "rtf"),
    ("docx", "docx"),
    ("pdf", "pdf"),
    ("xml", "xml"),
];

/// A small file of a real format with these words.
fn written(suffix: &str, words: &str) -> Vec<u8> {
    let text = match suffix {
        "html" => format!("<!DOCTYPE html><title>Note</title><p>{words}</p>"),
        "eml" => format!("From: ann@example.org\nSubject: Note\nContent-Type: text/plain\n\n{words}\n"),
        "csv" => format!("note,place\n\"{words}\",harbour\n"),
        "json" => json!({ "note": words }).to_string(),
        "rtf" => format!("{{\\rtf1\\ansi {words}\\par}}"),
        "xml" => format!("<?xml version=\"1.0\"?><note>{words}</note>"),
        "pdf" => return made::pdf(&[words]),
        "docx" => {
            let main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
            let space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
            let document = format!(
                "<w:document xmlns:w='{space}'><w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>"
            );
            return zip(&[
                (
                    "[Content_Types].xml".to_owned(),
                    format!("<Types><Override ContentType='{main}'/></Types>").into_bytes(),
                ),
                ("word/document.xml".to_owned(), document.into_bytes()),
            ]);
        }
        _ => format!("{words}\n"),
    };
    text.into_bytes()
}

#[tokio::test]
async fn two_thousand_files_in_a_zip_all_end_completed() {
    const FILES: usize = 2000;
    let files: Vec<(String, Vec<u8>)> = (0..FILES)
        .map(|n| {
            let (suffix, _) = KINDS[n % KINDS.len()];
            let topic = ["nets and boats", "taxes and invoices", "hives and honey", "rails and trains"][n / 10 % 4];
            (format!("{n:04}.{suffix}"), written(suffix, &format!("Note {n} about {topic}, written down in winter")))
        })
        .collect();
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &[("pile.zip".to_owned(), zip(&files))]).await;
    assert_eq!(status, 201, "{batch}");
    let batch = batch["id"].as_str().expect("an id").to_owned();
    let ended = server.finished(&batch).await;
    assert_eq!(ended["status"], "completed");
    let counts = &ended["counts"];
    let count = |name: &str| counts[name].as_u64().expect("a number");
    assert_eq!((count("total"), count("completed"), count("failed")), (2000, 2000, 0), "{counts}");

    let rows = rows(&server, &batch).await;
    assert_eq!(paths(&rows).len(), FILES);
    for (suffix, kind) in KINDS {
        let of_kind: Vec<_> = rows.iter().filter(|row| row["kind"] == *kind).collect();
        assert_eq!(of_kind.len(), FILES / KINDS.len(), "{kind}");
        for row in of_kind {
            let path = row["path"].as_str().expect("a path");
            assert!(path.ends_with(suffix), "{row}");
            assert_eq!((row["status"].as_str(), row["words"].as_u64() >= Some(9)), (Some("completed"), true), "{row}");
        }
    }
}
