//! Passwords that come with a batch open what asks for one, and are seen nowhere.

mod support;

use std::fs;
use std::path::Path;

use support::{Server, analyze};

/// Files that ask for a password: of the shared corpora, with the passwords that open them.
const LOCKED: [(&str, &str); 4] = [
    ("office/testWORD_protected_passtika.docx", "tika"),
    ("pdf/encrypted-user-pw-0.pdf", "hunter2"),
    ("pdf/password-is-test.pdf", "test"),
    ("zip/encrypted-zipcrypto.zip", "hunter2"),
];

fn locked(root: &Path) -> Vec<(String, Vec<u8>)> {
    let read =
        |(path, _): &(&str, &str)| ((*path).to_owned(), fs::read(root.join(path)).expect("the corpus is complete"));
    LOCKED.iter().map(read).collect()
}

/// How a picture of the first page of the locked PDF is answered.
async fn picture(server: &Server, batch: &str) -> u16 {
    let (_, found) = server.get(&format!("/api/batches/{batch}/documents?q=encrypted-user-pw")).await;
    let document = found["items"][0]["id"].as_str().expect("it is listed").to_owned();
    let address = format!("{}/api/batches/{batch}/documents/{document}/pages/1/picture", server.address);
    server.client.get(address).send().await.expect("answered").status().as_u16()
}

#[tokio::test]
async fn by_the_server() {
    let Some(root) = support::corpus("hostile") else { return };
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let passwords = "wrong\nhunter2\ntika\ntest\n";
    let (status, batch) = server.upload(&[("model", "fast"), ("passwords", passwords)], &locked(&root)).await;
    assert_eq!(status, 201, "{batch}");
    let opened = batch["id"].as_str().expect("an id").to_owned();
    let batch = server.finished(&opened).await;
    let (_, failed) = server.get(&format!("/api/batches/{opened}/documents?status=failed")).await;
    assert_eq!(batch["counts"]["failed"], 0, "{failed}");
    assert!(!batch.to_string().contains("hunter2"), "{batch}");

    assert_eq!(picture(&server, &opened).await, 200);

    // The same bytes without a password stay locked, though they were read before.
    let (_, batch) = server.upload(&[("model", "fast")], &locked(&root)).await;
    let id = batch["id"].as_str().expect("an id").to_owned();
    let batch = server.finished(&id).await;
    assert_eq!(batch["counts"]["completed"], 0, "{}", batch["counts"]);
    let (_, page) = server.get(&format!("/api/batches/{id}/documents?failure=password_protected")).await;
    assert_eq!(page["total"], batch["counts"]["failed"], "{page}");
    assert_eq!(picture(&server, &id).await, 422, "nor is a picture of them shown");
}

#[test]
fn by_the_command_line() {
    let Some(root) = support::corpus("hostile") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("passwords");
    fs::write(&file, "hunter2\ntika\ntest\n").expect("room");
    let out = folder.path().join("out");
    let paths: Vec<String> = LOCKED.iter().map(|(path, _)| root.join(path).to_string_lossy().into_owned()).collect();
    let mut args: Vec<&str> = paths.iter().map(String::as_str).collect();
    let (out, file) = (out.to_string_lossy(), file.to_string_lossy());
    args.extend(["--model", "fast", "--out", &out, "--passwords", &file]);
    let output = analyze(&args);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
