//! Servers that share a PostgreSQL: they work on one batch, one dies, the database goes away and comes back.

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;
use sheaf_test_postgres::{PASSWORD, TestPostgres};
use support::{SHEAF, Server, files, pile};

/// Many different documents from few: each copy gets a line of its own.
fn documents(copies: usize) -> Vec<(String, Vec<u8>)> {
    (0..copies)
        .flat_map(|copy| {
            files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt") || path.ends_with(".md")).map(
                move |(path, mut bytes)| {
                    bytes.extend_from_slice(format!("\n\nCopy number {copy}.\n").as_bytes());
                    (format!("{copy}/{path}"), bytes)
                },
            )
        })
        .collect()
}

/// Every path of the batch's documents, as its export lists them.
async fn exported(server: &Server, id: &str) -> Vec<String> {
    let (_, lines) = server.text(&format!("/api/batches/{id}/export?subject=documents&format=jsonl")).await;
    let path = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["path"].to_string();
    lines.lines().map(path).collect()
}

async fn uploaded(server: &Server, documents: &[(String, Vec<u8>)]) -> String {
    let (status, batch) = server.upload(&[("model", "fast")], documents).await;
    assert_eq!(status, 201, "{batch}");
    batch["id"].as_str().expect("an id").to_owned()
}

/// Keeps an eye on who holds jobs, until it is dropped.
struct Watch {
    seen: Arc<Mutex<BTreeSet<String>>>,
    stop: Arc<AtomicBool>,
    watching: Option<JoinHandle<()>>,
}

impl Watch {
    fn start(postgres: TestPostgres) -> Self {
        let (seen, stop) = (Arc::<Mutex<BTreeSet<String>>>::default(), Arc::<AtomicBool>::default());
        let (all, ended) = (Arc::clone(&seen), Arc::clone(&stop));
        let watching = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let workers = postgres.psql("test_0", "SELECT DISTINCT worker FROM jobs WHERE state = 'processing'");
                all.lock().expect("nobody panics with it").extend(workers.lines().map(str::to_owned));
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { seen, stop, watching: Some(watching) }
    }

    /// How many held a job so far.
    fn workers(&self) -> usize {
        self.seen.lock().expect("nobody panics with it").len()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.watching.take().map(JoinHandle::join);
    }
}

#[tokio::test]
async fn two_servers_work_on_one_batch_and_one_outlives_the_other() {
    let postgres = TestPostgres::start();
    let url = postgres.database();
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    // Rows are in the database; the bytes are in one folder, as they would be in one bucket.
    for folder in ["blobs", "derived"] {
        std::fs::create_dir(second.path().join(folder)).expect("made");
        symlink(second.path().join(folder), first.path().join(folder)).expect("linked");
    }
    let survivor = Server::start(second.path(), &["--database", &url]);
    let victim = Server::start(first.path(), &["--database", &url]);
    let watch = Watch::start(postgres);
    let documents = documents(20);
    let mut batches = Vec::new();
    // Each server looks at the queue once a second at least, and one may be quick.
    loop {
        let id = uploaded(&victim, &documents).await;
        let (_, batch) = survivor.get(&format!("/api/batches/{id}")).await;
        batches.push(id);
        if watch.workers() == 2 && batch["finished_at"].is_null() {
            break;
        }
        assert!(batches.len() < 30, "one server does it all");
    }
    victim.kill();

    for id in &batches {
        let batch = survivor.finished(id).await;
        assert_eq!(batch["status"], "completed");
        assert_eq!(batch["counts"]["completed"], documents.len(), "{}", batch["counts"]);
        let paths = exported(&survivor, id).await;
        assert_eq!(paths.len(), documents.len());
        assert_eq!(paths.into_iter().collect::<BTreeSet<_>>().len(), documents.len(), "every document once");
    }

    // A server that comes back finds its batch as the other left it.
    let back = Server::start(first.path(), &["--database", &url]);
    assert_eq!(back.get(&format!("/api/batches/{}", batches[0])).await.1["status"], "completed");
}

#[tokio::test]
async fn a_server_carries_on_when_its_database_comes_back() {
    let mut postgres = TestPostgres::start();
    let url = postgres.database();
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--database", &url]);
    let documents = documents(30);
    let id = uploaded(&server, &documents).await;
    let mut stopped_half_way = 0;
    for pause in [300, 1_500] {
        let (_, batch) = server.get(&format!("/api/batches/{id}")).await;
        stopped_half_way += u32::from(batch["finished_at"].is_null());
        postgres.stop();
        tokio::time::sleep(Duration::from_millis(pause)).await;
        postgres.restart();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(stopped_half_way > 0, "at least one stop has to hit a running batch");
    let batch = server.finished(&id).await;
    assert_eq!(batch["status"], "completed");
    assert_eq!(batch["counts"]["completed"], documents.len(), "{}", batch["counts"]);
    assert_eq!(exported(&server, &id).await.len(), documents.len());
    assert_eq!(postgres.psql("test_0", "SELECT max(crashes) FROM jobs"), "0", "no lease was lost over it");
}

/// Everything a server writes to its log until it ends, or is ended once it serves.
fn log_of(data: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut command = Command::new(SHEAF);
    command.args(["serve", "--port", "0", "--data"]).arg(data).args(arguments).envs(variables.iter().copied());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sheaf starts");
    let mut stderr = child.stderr.take().expect("piped");
    let reading = std::thread::spawn(move || {
        let mut log = String::new();
        stderr.read_to_string(&mut log).expect("text");
        log
    });
    let mut said = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut said).expect("text");
    if said.starts_with("Sheaf is at ") {
        // Workers look for jobs, and say so.
        std::thread::sleep(Duration::from_millis(500));
        child.kill().expect("it runs");
    }
    child.wait().expect("it ends");
    reading.join().expect("it reads") + &said
}

#[test]
fn a_password_is_in_no_log_and_no_message() {
    let postgres = TestPostgres::start();
    let url = postgres.database();
    let data = tempfile::tempdir().expect("a folder");
    let all = ("SHEAF_LOG", "trace");
    let log = log_of(data.path(), &[("SHEAF_DATABASE", &url), all], &[]);
    assert!(log.contains("Sheaf is at ") && log.contains("jobs"), "it works, and says much: {log}");
    assert!(!log.contains(PASSWORD), "{log}");

    let secret = "a-secret-that-nobody-may-see";
    for (url, expect) in [
        (url.replace(PASSWORD, secret), "password authentication failed"),
        (format!("postgress://sheaf:{secret}@localhost/x"), "--database names no database"),
        (format!("postgres://sheaf:{secret}@localhost:1x/x"), "invalid port"),
    ] {
        for (variables, arguments) in
            [(vec![("SHEAF_DATABASE", url.as_str()), all], vec![]), (vec![all], vec!["--database", url.as_str()])]
        {
            let log = log_of(data.path(), &variables, &arguments);
            assert!(log.contains(expect), "{expect}: {log}");
            assert!(!log.contains(secret), "{log}");
        }
    }
    let help =
        Command::new(SHEAF).args(["serve", "--help"]).env("SHEAF_DATABASE", &url).output().expect("sheaf starts");
    assert!(!String::from_utf8_lossy(&help.stdout).contains(PASSWORD));
}
