//! Shards of a pile, read apart and brought together, by the real binary.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use sheaf_engine::shards::{ShardReader, ShardRow};
use sheaf_test_postgres::TestPostgres;
use support::{SHEAF, Server, analyze, files, pile};

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The pile of the tests, one broken file and copies with a line of their own.
fn input() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for copy in 0..4 {
        for (path, mut bytes) in files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt")) {
            bytes.extend_from_slice(format!("\n\nCopy number {copy}.\n").as_bytes());
            let file = folder.path().join(format!("{copy}")).join(path);
            fs::create_dir_all(file.parent().expect("in a folder")).expect("made");
            fs::write(file, bytes).expect("written");
        }
    }
    fs::write(folder.path().join("broken.pdf"), b"%PDF-1.7\nnothing").expect("written");
    folder
}

fn shards(input: &Path, out: &Path, of: usize) -> Vec<PathBuf> {
    for index in 0..of {
        let (input, out) = (input.to_string_lossy(), out.to_string_lossy());
        let output = analyze(&[&input, "--out", &out, "--model", "fast", "--shard", &format!("{index}/{of}")]);
        assert!(matches!(output.status.code(), Some(0 | 2)), "{}", printed(&output));
    }
    let mut found: Vec<PathBuf> = fs::read_dir(out).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    found.sort();
    assert_eq!(found.len(), of, "{found:?}");
    found
}

/// Every row by its path.
fn rows(shards: &[PathBuf]) -> BTreeMap<String, ShardRow> {
    let mut rows = BTreeMap::new();
    for shard in shards {
        let reader = ShardReader::open(shard).expect("a shard");
        for row in reader.rows().expect("rows") {
            let row = row.expect("a row");
            assert!(rows.insert(row.path.clone(), row).is_none(), "every document is in one shard");
        }
    }
    rows
}

fn imported(shards: &[PathBuf], storage: &[&str]) -> Output {
    let mut command = Command::new(SHEAF);
    command.arg("import").args(shards).args(["--name", "From afar"]).args(storage).arg("--quiet");
    command.output().expect("sheaf starts")
}

/// The paths of each cluster of the only batch of a server.
async fn clusters(server: &Server) -> BTreeSet<BTreeSet<String>> {
    let (_, batches) = server.get("/api/batches").await;
    let batch = &batches["items"][0];
    assert_eq!((&batch["name"], &batch["status"]), (&"From afar".into(), &"completed".into()), "{batch}");
    let id = batch["id"].as_str().expect("an id");
    let (_, lines) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=jsonl")).await;
    together(&lines)
}

/// The paths of each cluster in lines of documents.
fn together(lines: &str) -> BTreeSet<BTreeSet<String>> {
    let mut clusters = BTreeMap::<String, BTreeSet<String>>::new();
    for line in lines.lines() {
        let row: Value = serde_json::from_str(line).expect("JSON");
        let path = row["path"].as_str().expect("a path").to_owned();
        clusters.entry(row["cluster"].to_string()).or_default().insert(path);
    }
    clusters.into_values().collect()
}

#[tokio::test]
async fn shards_together_are_one_run_and_are_grouped_without_being_read_again() {
    let (input, out) = (input(), tempfile::tempdir().expect("a folder"));
    let many = shards(input.path(), &out.path().join("many"), 3);
    let one = shards(input.path(), &out.path().join("one"), 1);
    let (many_rows, one_rows) = (rows(&many), rows(&one));
    assert_eq!(format!("{many_rows:?}"), format!("{one_rows:?}"), "to the last bit");
    assert!(many_rows.values().filter(|row| row.found.is_some()).count() > 20);
    assert_eq!(many_rows["broken.pdf"].failure.as_ref().map(|failure| failure.code.name()), Some("corrupt_file"));

    // Written again it is the same file, in the place of the first.
    let before = fs::read(&many[1]).expect("readable");
    fs::write(&many[1], b"half of it").expect("writable");
    assert_eq!(shards(input.path(), &out.path().join("many"), 3), many);
    assert!(before == fs::read(&many[1]).expect("readable"), "the same bytes");

    let data = out.path().join("data");
    let storage = ["--data", &data.to_string_lossy()];
    let missing = imported(&many[..2], &storage);
    assert!(printed(&missing).contains("shard 2/3 is missing"), "{}", printed(&missing));
    let mixed = imported(&[many[0].clone(), one[0].clone()], &storage);
    assert!(printed(&mixed).contains("of different runs"), "{}", printed(&mixed));
    let output = imported(&many, &storage);
    assert_eq!(output.status.code(), Some(2), "one is broken: {}", printed(&output));

    let whole = out.path().join("whole");
    analyze(&[&input.path().to_string_lossy(), "--out", &whole.to_string_lossy(), "--model", "fast"]);
    let expected = together(&fs::read_to_string(whole.join("documents.jsonl")).expect("readable"));
    assert!(expected.len() > 2, "{expected:?}");
    let server = Server::start(&data, &[]);
    assert_eq!(clusters(&server).await, expected);

    let (_, batches) = server.get("/api/batches").await;
    let id = batches["items"][0]["id"].as_str().expect("an id").to_owned();
    let (_, documents) = server.get(&format!("/api/batches/{id}/documents?q=0/")).await;
    let document = format!("/api/batches/{id}/documents/{}", documents["items"][0]["id"].as_str().expect("an id"));
    assert!(server.text(&format!("{document}/text")).await.1.contains("Copy number 0."));
    let (status, refused) = server.get(&format!("{document}/original")).await;
    assert_eq!((status, &refused["code"]), (404, &"not_found".into()), "{refused}");
    server.kill();
    let verified = Command::new(SHEAF).arg("verify").args(storage).output().expect("sheaf starts");
    assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
}

#[tokio::test]
async fn shards_go_into_postgres_beside_a_server() {
    let (postgres, input, out) = (TestPostgres::start(), input(), tempfile::tempdir().expect("a folder"));
    let shards = shards(input.path(), &out.path().join("shards"), 2);
    let url = postgres.database();
    let server = Server::start(&out.path().join("server"), &["--database", &url]);
    let data = out.path().join("import");
    let blobs = out.path().join("server");
    let storage = ["--data", &data.to_string_lossy(), "--database", &url, "--blobs", &blobs.to_string_lossy()];
    let output = imported(&shards, &storage);
    assert_eq!(output.status.code(), Some(2), "one is broken: {}", printed(&output));
    assert!(clusters(&server).await.len() > 2, "it is grouped");
    let read = postgres.psql("test_0", "SELECT coalesce(sum(attempts), 0) FROM jobs WHERE stage IN ('parse', 'embed')");
    assert_eq!(read, "0", "nothing was read or compared");
}

#[test]
fn what_is_no_shard_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, letter) = (folder.path().join("data"), folder.path().join("letter.parquet"));
    fs::write(&letter, b"Dear Sir").expect("written");
    let storage = ["--data", &data.to_string_lossy()];
    let output = imported(&[letter], &storage);
    assert_eq!(output.status.code(), Some(1));
    assert!(printed(&output).contains("is not a whole shard"), "{}", printed(&output));
    let output = imported(&["letters.zip".into()], &storage);
    assert!(printed(&output).contains("give the .parquet files"), "{}", printed(&output));
}
