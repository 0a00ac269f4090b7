//! The API of the real server: the walk by HTTP, and what it refuses.

mod support;

use reqwest::header::CONTENT_DISPOSITION;
use serde_json::Value;
use support::{Server, files, pile};

#[tokio::test]
async fn a_batch_by_the_api() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mut documents = files(&pile());
    documents.push(("=cmd|'/C calc'!A1.txt".into(), documents[0].1.clone()));
    documents.push(("../../tmp/evil.bin".into(), vec![0, 159, 146, 150, 1, 2, 3, 255]));
    let (status, batch) = server.upload(&[("name", "Three topics"), ("model", "fast")], &documents).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id");
    let overview = server.finished(id).await;
    assert_eq!((overview["status"].as_str(), overview["name"].as_str()), (Some("completed"), Some("Three topics")));
    assert_eq!(overview["counts"]["total"], documents.len());
    assert_eq!(overview["summary"]["counts"]["failed"], 1);
    assert_eq!(overview["failures"][0]["documents"], 1);

    // Pages of the table by cursor: every document once.
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let (_, page) = server.get(&format!("/api/batches/{id}/documents?limit=10&cursor={cursor}")).await;
        seen.extend(page["items"].as_array().expect("items").iter().map(|row| row["path"].to_string()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), documents.len());
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), documents.len());
    assert!(!seen.iter().any(|path| path.contains("..")), "{seen:?}");

    // The same bytes twice: the copy has its own row, and each is the other's nearest.
    let (_, page) = server.get(&format!("/api/batches/{id}/documents?q=cmd")).await;
    let copy = &page["items"][0];
    let (_, view) = server.get(&format!("/api/batches/{id}/documents/{}", copy["id"].as_str().expect("id"))).await;
    assert_eq!(view["neighbours"][0]["path"].as_str(), Some(documents[0].0.as_str()));
    assert!(view["neighbours"][0]["similarity"].as_f64() > Some(0.999));

    let (headers, csv) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=csv")).await;
    assert!(headers[CONTENT_DISPOSITION].to_str().expect("ASCII").contains("three-topics-documents.csv"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert!(csv.contains("'=cmd|"), "formulas are neutralised");
    let (_, json) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=json")).await;
    let rows: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    assert_eq!(rows.len(), documents.len());
    assert!(rows.iter().any(|row| row["path"] == "=cmd|'/C calc'!A1.txt" || row["path"] == "C calc'!A1.txt"));
    let (_, matrix) = server.text(&format!("/api/batches/{id}/export?subject=similarity&format=csv")).await;
    let placed = documents.len() - 1;
    assert_eq!(matrix.lines().count(), placed + 1);
    let (_, heatmap) = server.get(&format!("/api/batches/{id}/similarity")).await;
    let bands = heatmap["bands"].as_array().expect("bands").len();
    assert_eq!(
        (heatmap["documents"].as_u64(), heatmap["values"].as_array().expect("values").len()),
        (Some(placed as u64), bands * bands)
    );

    let answer = server.client.delete(format!("{}/api/batches/{id}", server.address)).send().await.expect("answered");
    assert_eq!(answer.status(), 204);
    assert_eq!(server.get(&format!("/api/batches/{id}")).await.0, 404);
    let blobs = std::fs::read_dir(data.path().join("blobs")).expect("read").flatten();
    let kept: usize = blobs.map(|folder| std::fs::read_dir(folder.path()).expect("read").count()).sum();
    assert_eq!(kept, 0, "originals go with their batch");
}

#[tokio::test]
async fn two_texts_are_compared_word_by_word() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let sentence =
        |n: usize| format!("Letter {n} says that the ferry to the island leaves at noon from the old pier. ");
    let text: String = (0..30).map(sentence).collect();
    let page = format!("<h1>A letter</h1><p>{}</p>", text.replace("Letter 15 says", "Letter 15 denies"));
    let documents = [("a.txt", text.as_str()), ("b.html", &page), ("c.txt", " ")]
        .map(|(name, text)| (name.to_owned(), text.as_bytes().to_vec()));
    let (_, batch) = server.upload(&[("model", "fast")], &documents).await;
    let id = batch["id"].as_str().expect("an id");
    server.finished(id).await;
    let (_, page) = server.get(&format!("/api/batches/{id}/documents")).await;
    let ids: Vec<&str> = (0..3).map(|row| page["items"][row]["id"].as_str().expect("an id")).collect();

    let diff = format!("/api/batches/{id}/diff");
    let (status, found) = server.get(&format!("{diff}?a={}&b={}", ids[0], ids[1])).await;
    assert_eq!(status, 200, "{found}");
    let words = 30 * 16;
    let counts = &found["counts"];
    assert_eq!([&counts["kept"], &counts["removed"], &counts["added"]].map(Value::as_u64), [words - 1, 1, 3].map(Some));
    let rows = found["rows"]["items"].as_array().expect("rows");
    let changed = |side: &str| -> Vec<&str> {
        let spans = rows.iter().filter_map(|row| row[side].as_array()).flatten();
        spans.filter(|span| span["is_changed"] == true).filter_map(|span| span["text"].as_str()).collect()
    };
    assert_eq!((changed("a"), changed("b")), (vec!["says"], vec!["# A letter", "denies"]));
    assert!(rows.iter().any(|row| row["kind"] == "same" && row["words"].as_u64() > Some(100)), "{rows:?}");
    let (_, second) = server.get(&format!("{diff}?a={}&b={}&limit=1&cursor=1", ids[0], ids[1])).await;
    assert_eq!((&second["rows"]["items"][0], &second["rows"]["next_cursor"]), (&rows[1], &"2".into()));

    for (query, expected) in [
        (format!("?a={}&b={}", ids[0], ids[0]), (400, "invalid_request")),
        (format!("?a={}", ids[0]), (400, "invalid_request")),
        (format!("?a={}&b={}", ids[0], ids[2]), (404, "not_found")),
        (format!("?a={}&b=nothing", ids[0]), (404, "not_found")),
    ] {
        let (status, failure) = server.get(&format!("{diff}{query}")).await;
        assert_eq!((status, failure["code"].as_str()), (expected.0, Some(expected.1)), "{query}");
    }
    let (_, html) = server.text(&format!("/batches/{id}/diff?a={}&b={}", ids[0], ids[1])).await;
    assert!(html.contains("<del>says<") && html.contains("<ins>denies<"), "{html}");
    assert!(!html.contains("modulepreload"), "the page needs no WebAssembly");
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn readiness_tells_what_parsers_are_locked_in_by() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, ready) = server.get("/readyz").await;
    assert_eq!((status, &ready["status"]), (200, &"ready".into()));
    let sandbox = &ready["sandbox"];
    assert!(sandbox["landlock_abi"].as_u64() >= Some(1), "{ready}");
    assert_eq!((&sandbox["seccomp"], &sandbox["weak"]), (&true.into(), &false.into()));
    assert_eq!(sandbox["possible"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn an_attachment_is_a_document_beside_its_mail() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let mail = "From: a@b.c\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nThe letter itself.\n--x\n\
                Content-Type: text/plain\nContent-Disposition: attachment; filename=note.txt\n\nThe note.\n--x--\n";
    let (status, batch) = server.upload(&[("model", "fast")], &[("mail.eml".into(), mail.into())]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id");
    assert_eq!(server.finished(id).await["counts"]["completed"], 2);
    let (_, page) = server.get(&format!("/api/batches/{id}/documents")).await;
    let mut paths: Vec<_> = page["items"].as_array().expect("items").iter().map(|row| row["path"].clone()).collect();
    paths.sort_by_key(|path| path.as_str().map(str::to_owned));
    assert_eq!(paths, ["mail.eml", "mail.eml!/note.txt"]);
}

/// A PDF of three short pages and one that takes PDFium seconds.
fn slow_pdf() -> Vec<u8> {
    use std::io::Write;

    let mut pdf = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n\
                   <</Type/Pages/Kids[10 0 R 11 0 R 12 0 R 13 0 R]/Count 4>>\nendobj\n\
                   3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>\nendobj\n"
        .as_bytes()
        .to_vec();
    for page in 0..4 {
        let lines = if page == 3 { 4_000_000 } else { 1 };
        let text = format!("(This is part {} of four.) Tj\n", page + 1).repeat(lines);
        let mut content = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        write!(content, "BT /F 12 Tf 72 700 Td {text} ET").expect("memory");
        let content = content.finish().expect("memory");
        let (page, stream) = (10 + page, 20 + page);
        let head = format!(
            "{page} 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {stream} 0 R\
             /Resources<</Font<</F 3 0 R>>>>>>\nendobj\n{stream} 0 obj\n<</Length {}/Filter/FlateDecode>>stream\n",
            content.len()
        );
        pdf.extend_from_slice(head.as_bytes());
        pdf.extend_from_slice(&content);
        pdf.extend_from_slice(b"\nendstream\nendobj\n");
    }
    pdf.extend_from_slice(b"trailer\n<</Root 1 0 R>>\n%%EOF\n");
    pdf
}

#[tokio::test]
async fn a_document_that_fails_on_the_way_keeps_the_text_before() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--parse-seconds", "1"]);
    let (status, batch) = server.upload(&[("model", "fast")], &[("slow.pdf".into(), slow_pdf())]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id");
    server.finished(id).await;
    let (_, page) = server.get(&format!("/api/batches/{id}/documents")).await;
    let row = &page["items"][0];
    assert_eq!((&row["status"], &row["failure"]["code"]), (&"failed".into(), &"timed_out".into()), "{row}");
    let message = row["failure"]["message"].as_str().expect("a message");
    assert!(message.ends_with("after page 3"), "{message}");
    let document = format!("/api/batches/{id}/documents/{}", row["id"].as_str().expect("an id"));
    let (_, view) = server.get(&document).await;
    let text = view["text"].as_str().expect("text");
    assert!(text.contains("part 1") && text.contains("part 3") && !text.contains("part 4"), "{text}");
    assert!(view["problems"][0]["message"].as_str().is_some_and(|problem| problem.contains("ends before")), "{view}");
    let (_, whole) = server.text(&format!("{document}/text")).await;
    assert_eq!(whole, text);
}

#[tokio::test]
async fn what_is_refused_says_why_and_leaves_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--max-upload-mib", "1", "--max-documents", "3"]);
    let small = |n: usize| (0..n).map(|i| (format!("{i}.txt"), b"a text".to_vec())).collect::<Vec<_>>();
    let check = |(status, answer): (u16, Value), expect: u16, code: &str| {
        assert_eq!((status, answer["code"].as_str()), (expect, Some(code)), "{answer}");
        assert!(answer["hint"].as_str().is_some_and(|hint| !hint.is_empty()));
    };
    check(server.upload(&[], &[]).await, 400, "invalid_request");
    check(server.upload(&[("model", "best")], &small(1)).await, 400, "invalid_request");
    check(server.upload(&[("clusters", "1")], &small(1)).await, 400, "invalid_request");
    check(server.upload(&[], &small(4)).await, 413, "too_large");
    check(server.upload(&[], &[("big.txt".into(), vec![b'a'; (1 << 20) + 1])]).await, 413, "too_large");
    for path in ["/api/batches/nonsense", "/api/batches/00000000-0000-7000-8000-000000000000", "/api/nothing"] {
        check(server.get(path).await, 404, "not_found");
    }
    check(server.get("/api/batches?limit=many").await, 400, "invalid_request");

    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    let (_, list) = server.get("/api/batches").await;
    assert_eq!(list["total"], 0, "an upload that was refused is no batch");
}

/// Each route that changes something, as another site's page would call it.
#[tokio::test]
async fn other_sites_change_nothing() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (_, batch) = server.upload(&[("model", "fast")], &files(&pile())[..3]).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let routes = [
        ("POST", "/api/batches".to_owned()),
        ("DELETE", format!("/api/batches/{id}")),
        ("POST", format!("/api/batches/{id}/documents")),
        ("POST", format!("/batches/{id}/documents")),
        ("POST", "/api/uploads".to_owned()),
        ("PUT", format!("/api/uploads/{id}/files")),
        ("POST", format!("/api/uploads/{id}/finish")),
        ("POST", format!("/uploads/{id}/finish")),
        ("DELETE", format!("/api/uploads/{id}")),
        ("POST", "/batches".to_owned()),
        ("POST", format!("/batches/{id}/delete")),
        ("POST", "/rpc/anything".to_owned()),
    ];
    for (method, path) in routes {
        for (header, value) in [("origin", "http://evil.example"), ("sec-fetch-site", "cross-site")] {
            let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
            let request = server.client.request(method, format!("{}{path}", server.address)).header(header, value);
            assert_eq!(request.send().await.expect("answered").status(), 403, "{path} with {header}");
        }
    }
    let request = server.client.get(format!("{}/api/batches", server.address)).header("host", "evil.example");
    assert_eq!(request.send().await.expect("answered").status(), 403, "a foreign name for this machine");
    assert_eq!(server.get(&format!("/api/batches/{id}")).await.0, 200);
}

#[tokio::test]
async fn pages_have_a_strict_policy_and_work_without_script() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (headers, html) = server.text("/").await;
    let policy = headers["content-security-policy"].to_str().expect("ASCII");
    assert!(policy.contains("script-src 'nonce-") && !policy.contains("unsafe-inline"), "{policy}");
    assert!(html.contains("action=\"/batches\"") && html.contains("multipart/form-data"));
    let form = reqwest::multipart::Form::new()
        .part("files", reqwest::multipart::Part::bytes(files(&pile())[0].1.clone()).file_name("a.txt"));
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let answer = client.post(format!("{}/batches", server.address)).multipart(form).send().await.expect("answered");
    assert_eq!(answer.status(), 303);
    let location = answer.headers()["location"].to_str().expect("ASCII").to_owned();
    server.finished(location.rsplit('/').next().expect("an id")).await;
    let (_, html) = server.text(&location).await;
    assert!(html.contains("data-testid=\"document-row\""), "the table is in the HTML");
}

#[test]
fn other_addresses_are_refused_as_long_as_there_are_no_accounts() {
    let data = tempfile::tempdir().expect("a folder");
    let ended = std::process::Command::new(support::SHEAF)
        .args(["serve", "--host", "0.0.0.0", "--port", "0", "--data"])
        .arg(data.path())
        .output()
        .expect("it starts");
    assert_eq!(ended.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("accounts"));
}
