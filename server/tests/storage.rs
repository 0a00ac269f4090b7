//! Documents on S3; what is stored is verified and backed up, by the real binary.

#[path = "../../crates/engine/tests/support/s3.rs"]
mod s3;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use s3::S3;
use support::{SHEAF, Server, files, pile};

/// Many different texts from few: each gets a line of its own.
fn texts(copies: u32) -> Vec<(String, Vec<u8>)> {
    let texts = files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt") || path.ends_with(".md"));
    let texts: Vec<_> = texts.collect();
    (0..copies)
        .flat_map(|copy| {
            texts.iter().map(move |(path, bytes)| {
                let line = format!("\n\nCopy number {copy}.\n");
                (format!("{copy}/{path}"), [bytes, line.as_bytes()].concat())
            })
        })
        .collect()
}

fn sheaf(args: &[&str], variables: &[(&str, String)]) -> Output {
    Command::new(SHEAF).args(args).envs(variables.iter().cloned()).output().expect("sheaf starts")
}

fn printed(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The files below a folder whose names are hashes.
fn blobs(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        files(folder).into_iter().map(|(name, _)| folder.join(name)).filter(|file| is_hash(file)).collect();
    found.sort();
    found
}

fn is_hash(file: &Path) -> bool {
    file.file_name().is_some_and(|name| name.len() == 64)
}

fn id(batch: &serde_json::Value) -> String {
    batch["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn documents_live_on_s3_and_work_goes_on_when_it_was_away() {
    let mut bucket = S3::start();
    let data = tempfile::tempdir().expect("a folder");
    // Without local copies everything that is read comes from the bucket.
    let args = ["--blobs", "s3://sheaf/letters", "--blob-cache-mib", "0"];
    let server = Server::start_with(data.path(), &args, &bucket.variables());
    let sent = files(&pile());
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let first = id(&batch);
    assert_eq!(server.finished(&first).await["status"], "completed");

    let stored = bucket.bucket().join("letters/blobs");
    let distinct: BTreeSet<&Vec<u8>> = sent.iter().map(|(_, bytes)| bytes).collect();
    assert_eq!(blobs(&stored).len(), distinct.len());
    assert!(!data.path().join("blobs").exists(), "no original is kept here");
    let (_, rows) = server.get(&format!("/api/batches/{first}/documents")).await;
    let row = &rows["items"][0];
    let original = format!("/api/batches/{first}/documents/{}/original", row["id"].as_str().expect("an id"));
    let (headers, text) = server.text(&original).await;
    let expected = &sent.iter().find(|(path, _)| *path == row["path"]).expect("sent").1;
    assert_eq!(text.as_bytes(), expected);
    assert_eq!(headers["content-length"], expected.len().to_string());

    let many = texts(8);
    let (status, batch) = server.upload(&[("model", "fast")], &many).await;
    assert_eq!(status, 201, "{batch}");
    let second = id(&batch);
    bucket.pause();
    assert_eq!(server.get("/readyz").await.0, 503);
    // This takes as long as the requests are repeated: what runs now fails meanwhile and is taken up again later.
    let (status, refused) = server.upload(&[("model", "fast")], &texts(1)).await;
    assert_eq!((status, refused["code"].as_str()), (503, Some("storage")), "{refused}");
    assert!(refused["hint"].as_str().is_some_and(|hint| hint.contains("AWS_ENDPOINT_URL")), "{refused}");
    let (_, progress) = server.get(&format!("/api/batches/{second}/progress")).await;
    assert!(progress["status"] == "processing" || progress["status"] == "pending", "{progress}");
    assert_eq!(progress["counts"]["failed"], 0, "{progress}");

    bucket.resume();
    let batch = server.finished(&second).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["counts"]["completed"], many.len(), "{}", batch["counts"]);
    assert_eq!(server.get("/readyz").await.0, 200);
    assert_eq!(server.get("/api/batches").await.1["total"], 2, "nothing is left of the refused upload");

    let verified = sheaf(
        &["verify", "--data", &data.path().to_string_lossy(), "--blobs", "s3://sheaf/letters"],
        &bucket.variables(),
    );
    assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
    for batch in [first, second] {
        let deleted = server.client.delete(format!("{}/api/batches/{batch}", server.address)).send().await;
        assert_eq!(deleted.expect("an answer").status(), 204);
    }
    let left: Vec<_> = files(&bucket.bucket()).into_iter().map(|(name, _)| name).collect();
    let left: Vec<_> = left.iter().filter(|name| is_hash(Path::new(name)) || name.contains("derived/")).collect();
    assert_eq!(left, Vec::<&String>::new());
}

#[tokio::test]
async fn verify_lists_exactly_what_is_wrong() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &files(&pile())).await;
    assert_eq!(status, 201, "{batch}");
    assert_eq!(server.finished(&id(&batch)).await["status"], "completed");

    let verify = || sheaf(&["verify", "--data", &data.path().to_string_lossy()], &[]);
    let well = verify();
    assert_eq!(well.status.code(), Some(0), "{}", printed(&well));
    assert!(printed(&well).contains("all there and undamaged"), "{}", printed(&well));

    let stored = blobs(&data.path().join("blobs"));
    let mut damaged = fs::read(&stored[0]).expect("readable");
    damaged[3] ^= 1;
    fs::write(&stored[0], damaged).expect("writable");
    fs::remove_file(&stored[1]).expect("removable");
    let mut derived = fs::read_dir(data.path().join("derived")).expect("a folder").map(|file| file.expect("a file"));
    // The map and the neighbours are not verified: they are found anew where they are missing.
    let are_vectors = |file: &fs::DirEntry| file.path().extension().is_some_and(|extension| extension == "f32");
    let vectors = derived.find(are_vectors).expect("the vectors");
    let half = vectors.metadata().expect("a file").len() / 2;
    fs::File::options().write(true).open(vectors.path()).and_then(|file| file.set_len(half)).expect("cut off");

    let found = verify();
    assert_eq!(found.status.code(), Some(2), "{}", printed(&found));
    let name = |file: &Path| file.file_name().expect("a name").to_string_lossy().into_owned();
    let lines: Vec<String> = String::from_utf8_lossy(&found.stdout).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert!(lines[0].starts_with(&format!("blob {}: damaged", name(&stored[0]))), "{lines:?}");
    assert!(lines[1].contains(&format!("its blob {} is missing", name(&stored[1]))), "{lines:?}");
    assert!(lines[2].contains("vectors: ") && lines[2].contains(&format!("{half} bytes")), "{lines:?}");
    assert!(lines[3].ends_with("3 things are wrong"), "{lines:?}");

    let nowhere = tempfile::tempdir().expect("a folder");
    let nothing = sheaf(&["verify", "--data", &nowhere.path().to_string_lossy()], &[]);
    assert_eq!(nothing.status.code(), Some(1), "{}", printed(&nothing));
    assert_eq!(fs::read_dir(nowhere.path()).expect("a folder").count(), 0, "looking makes nothing");
}

#[tokio::test]
async fn a_backup_taken_while_a_batch_runs_is_whole() {
    let bucket = S3::start();
    let (data, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = Server::start(data.path(), &[]);
    let (status, done) = server.upload(&[("model", "fast")], &files(&pile())).await;
    assert_eq!(status, 201, "{done}");
    server.finished(&id(&done)).await;
    let many = texts(8);
    let (status, running) = server.upload(&[("model", "fast")], &many).await;
    assert_eq!(status, 201, "{running}");

    let (from, to) = (data.path().to_string_lossy(), copies.path().join("copy"));
    let backup = |to: &str| sheaf(&["backup", "--data", &from, "--to", to], &bucket.variables());
    let copied = backup(&to.to_string_lossy());
    assert_eq!(copied.status.code(), Some(0), "{}", printed(&copied));
    server.finished(&id(&running)).await;
    let again = backup(&to.to_string_lossy());
    assert_eq!(again.status.code(), Some(0), "{}", printed(&again));
    let remote = backup("s3://sheaf/copy");
    assert_eq!(remote.status.code(), Some(0), "{}", printed(&remote));
    assert_eq!(backup(&from).status.code(), Some(1), "not onto itself");
    server.kill();

    let verified = sheaf(&["verify", "--data", &to.to_string_lossy()], &[]);
    assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
    assert_whole(Server::start(&to, &[]), &[(&done, files(&pile()).len()), (&running, many.len())]).await;
    assert_eq!(backup(&to.to_string_lossy()).status.code(), Some(1), "it is a data folder now");

    // From the bucket the database is fetched, and the documents stay where they are.
    let restored = copies.path().join("restored");
    fs::create_dir(&restored).expect("a folder");
    fs::copy(bucket.bucket().join("copy/sheaf.db"), restored.join("sheaf.db")).expect("the database");
    let server = Server::start_with(&restored, &["--blobs", "s3://sheaf/copy"], &bucket.variables());
    assert_whole(server, &[(&done, files(&pile()).len()), (&running, many.len())]).await;
}

/// Every batch is completed, with every original.
async fn assert_whole(server: Server, batches: &[(&serde_json::Value, usize)]) {
    for (batch, documents) in batches {
        let batch = server.finished(&id(batch)).await;
        assert_eq!(
            (batch["status"].as_str(), batch["counts"]["completed"].as_u64()),
            (Some("completed"), Some(*documents as u64))
        );
        let (_, rows) = server.get(&format!("/api/batches/{}/documents?limit=5", id(&batch))).await;
        for row in rows["items"].as_array().expect("rows") {
            let path = format!("/api/batches/{}/documents/{}/original", id(&batch), row["id"].as_str().expect("an id"));
            assert_eq!(server.text(&path).await.1.len() as u64, row["bytes"].as_u64().expect("a size"));
        }
    }
}

#[tokio::test]
async fn a_copy_is_whole_in_the_middle_of_a_batch_too() {
    let (data, copies) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let server = Server::start(data.path(), &[]);
    let many = texts(12);
    let (status, running) = server.upload(&[("model", "fast")], &many).await;
    assert_eq!(status, 201, "{running}");
    let to = copies.path().join("copy");
    let copied = sheaf(&["backup", "--data", &data.path().to_string_lossy(), "--to", &to.to_string_lossy()], &[]);
    assert_eq!(copied.status.code(), Some(0), "{}", printed(&copied));
    let verified = sheaf(&["verify", "--data", &to.to_string_lossy()], &[]);
    assert_eq!(verified.status.code(), Some(0), "{}", printed(&verified));
    server.kill();
    assert_whole(Server::start(&to, &[]), &[(&running, many.len())]).await;
}

#[test]
fn a_bucket_that_refuses_ends_the_program_with_what_to_do() {
    let (bucket, data) = (S3::start(), tempfile::tempdir().expect("a folder"));
    let check = |blobs: &str, secret: &str, expect: &str| {
        let mut variables = bucket.variables();
        variables[2].1 = secret.to_owned();
        // One that is not refused would go on for ever.
        let mut started = Command::new(SHEAF)
            .args(["serve", "--port", "0", "--data", &data.path().to_string_lossy(), "--blobs", blobs])
            .envs(variables)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("sheaf starts");
        for _ in 0..600 {
            if started.try_wait().expect("asked").is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = started.kill();
        let output = started.wait_with_output().expect("it ended");
        assert_eq!(output.status.code(), Some(1), "{blobs}: {}", printed(&output));
        assert!(printed(&output).contains(expect), "{blobs}: {}", printed(&output));
        assert!(!printed(&output).contains(secret), "{}", printed(&output));
    };
    check("s3://sheaf/letters", "another-secret", "Look at the credentials");
    check("s3://elsewhere/letters", s3::SECRET, "the bucket does not exist");
}

#[test]
fn what_cannot_work_is_refused_with_what_to_do() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().to_string_lossy();
    let check = |args: &[&str], expect: &str| {
        let started = Instant::now();
        let output = sheaf(args, &[]);
        assert_eq!(output.status.code(), Some(1), "{args:?}: {}", printed(&output));
        assert!(printed(&output).contains(expect), "{args:?}: {}", printed(&output));
        assert!(started.elapsed() < Duration::from_secs(60), "{args:?}");
    };
    check(&["work", "--data", &folder], "SQLite belongs to one process");
    check(&["serve", "--no-work", "--data", &folder], "start `sheaf work`");
    check(&["serve", "--blobs", "gs://letters", "--data", &folder], "s3://bucket/prefix");
    check(&["work", "--stages", "parse,dance"], "`dance` is not a known stage");
    check(&["work", "--database", "postgres://127.0.0.1/x", "--listen", "0.0.0.0:3001"], "can be reached by others");
    check(&["backup", "--database", "postgres://127.0.0.1/x", "--to", &folder], "pg_dump");
}
