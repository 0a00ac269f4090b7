//! Several processes share a database and a bucket, and end when they are asked to.

#[expect(dead_code, reason = "the one that takes minutes is for others")]
#[path = "support/endless.rs"]
mod document;
#[expect(dead_code, reason = "it never goes away here")]
#[path = "../../crates/engine/tests/support/s3.rs"]
mod s3;
mod support;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use s3::S3;
use serde_json::Value;
use sheaf_domain::Stage;
use sheaf_store::Store;
use sheaf_store_sqlite::SqliteStore;
use sheaf_test_postgres::TestPostgres;
use support::{SHEAF, Server, files, pile};

/// `sheaf work`; killed when dropped.
struct Worker {
    child: Child,
    /// Where it answers about its health.
    health: String,
}

impl Worker {
    fn start(data: &Path, args: &[&str], variables: &[(&str, String)]) -> Self {
        let mut child = Command::new(SHEAF)
            .args(["work", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .args(args)
            .envs(variables.iter().cloned())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sheaf starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("it says where it is");
        let health = line.trim().rsplit(' ').next().expect("an address").to_owned();
        Self { child, health }
    }

    fn terminate(mut self) -> ExitStatus {
        support::terminate(&mut self.child)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn workers_of_different_abilities_share_a_database_and_a_bucket() {
    let (postgres, bucket) = (TestPostgres::start(), S3::start());
    let database = postgres.database();
    let folder = tempfile::tempdir().expect("a folder");
    let mut variables = bucket.variables().to_vec();
    variables.push(("SHEAF_DATABASE", database.clone()));
    let blobs = ["--blobs", "s3://sheaf/letters"];
    let start =
        |name: &str, args: &[&str]| Worker::start(&folder.path().join(name), &[&blobs, args].concat(), &variables);

    let server = Server::start_with(&folder.path().join("pages"), &[&blobs[..], &["--no-work"]].concat(), &variables);
    let sent = files(&pile());
    let (status, batch) = server.upload(&[("model", "fast")], &sent).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();

    let reader = start("reader", &["--stages", "parse"]);
    let progress = wait(&server, &id, |progress| stage(progress, Stage::Parse)["done"] == sent.len()).await;
    assert_eq!(stage(&progress, Stage::Embed)["done"], 0, "nobody can: {progress}");
    let thinker = start("thinker", &["--stages", "embed,analyse", "--threads", "1"]);
    let batch = server.finished(&id).await;
    assert_eq!((&batch["status"], &batch["counts"]["completed"]), (&"completed".into(), &sent.len().into()));
    let (_, heatmap) = server.get(&format!("/api/batches/{id}/similarity")).await;
    assert!(heatmap["documents"].as_u64() > Some(0), "the vectors came through the bucket: {heatmap}");

    for worker in [&reader, &thinker] {
        for path in ["healthz", "readyz"] {
            let answer = reqwest::get(format!("{}/{path}", worker.health)).await.expect("an answer");
            assert_eq!(answer.status(), 200, "{path}");
        }
    }
    // Runs of flows are for those who are to do them: the two that are there do another batch meanwhile, and not this.
    let steps = serde_json::json!([{ "name": "words", "do": "keywords", "count": 2 }]);
    let (status, flow) = post(&server, "/api/flows", &serde_json::json!({ "name": "Words", "steps": steps })).await;
    assert_eq!(status, 201, "{flow}");
    let wanted = serde_json::json!({ "flow": flow["id"], "documents": { "batches": [id] } });
    let (status, run) = post(&server, "/api/runs", &wanted).await;
    assert_eq!(status, 201, "{run}");
    let run = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    let (_, other) = server.upload(&[("model", "fast"), ("name", "Other")], &sent[..2]).await;
    server.finished(other["id"].as_str().expect("an id")).await;
    let (_, waits) = server.get(&run).await;
    assert_eq!((&waits["counts"]["pending"], &waits["status"]), (&sent.len().into(), &"pending".into()), "{waits}");
    let runner = start("runner", &["--stages", "flows"]);
    let started = Instant::now();
    loop {
        let (_, done) = server.get(&run).await;
        if done["status"] == "completed" {
            assert_eq!(done["counts"]["completed"], sent.len(), "{done}");
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{done}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(runner.terminate().code(), Some(0));
    let nonsense = Command::new(SHEAF).args(["work", "--stages", "parse,fly"]).output().expect("sheaf starts");
    let said = String::from_utf8_lossy(&nonsense.stderr);
    assert!(said.contains("`fly` is not a known stage: choose from parse, embed, analyse and flows"), "{said}");

    let verified = Command::new(SHEAF).arg("verify").args(blobs).envs(variables.iter().cloned()).output();
    let verified = verified.expect("sheaf starts");
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
    assert_eq!((reader.terminate().code(), thinker.terminate().code()), (Some(0), Some(0)));
    assert_eq!(server.terminate().code(), Some(0));
}

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

fn stage(progress: &Value, stage: Stage) -> &Value {
    let stages = progress["stages"].as_array().expect("stages");
    stages.iter().find(|counts| counts["stage"] == stage.name()).expect("the stage")
}

async fn wait(server: &Server, batch: &str, until: impl Fn(&Value) -> bool) -> Value {
    let started = Instant::now();
    loop {
        let (_, progress) = server.get(&format!("/api/batches/{batch}/progress")).await;
        if until(&progress) {
            return progress;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{progress}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A server in the middle of one long document, and its batch.
async fn in_the_middle(data: &Path, pages: usize, drain: &str) -> (Server, String) {
    let server = Server::start(data, &["--drain-seconds", drain]);
    let document = document::with_pages(pages);
    let (status, batch) = server.upload(&[("model", "fast")], &[("long.pdf".into(), document)]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    wait(&server, &id, |progress| progress["documents"][0]["pages"][0].as_u64() > Some(0)).await;
    (server, id)
}

/// Jobs of the parse stage that are pending, running and done, once nobody is at work.
async fn parse_jobs(data: &Path, batch: &str) -> (u64, u64, u64) {
    let store = SqliteStore::open_to_read(&data.join("sheaf.db")).await.expect("opens");
    let progress = store.progress(batch.parse().expect("an id")).await.expect("read").expect("there");
    let parse = progress.stages.iter().find(|counts| counts.stage == Stage::Parse).expect("the stage");
    (parse.pending, parse.processing, parse.done)
}

#[tokio::test]
async fn sigterm_lets_what_runs_end() {
    let data = tempfile::tempdir().expect("a folder");
    let (server, batch) = in_the_middle(data.path(), 60, "25").await;
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(parse_jobs(data.path(), &batch).await, (0, 0, 1), "it was read to its end");
}

#[tokio::test]
async fn sigterm_gives_back_what_does_not_end_in_time() {
    let data = tempfile::tempdir().expect("a folder");
    let (server, batch) = in_the_middle(data.path(), 4000, "1").await;
    let asked = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(30), "{:?}", asked.elapsed());
    assert_eq!(parse_jobs(data.path(), &batch).await, (1, 0, 0), "it waits for the next one, and nobody holds it");
}

#[tokio::test]
async fn pages_are_served_while_work_ends_and_a_second_sigterm_hurries() {
    let data = tempfile::tempdir().expect("a folder");
    let (server, batch) = in_the_middle(data.path(), 4000, "600").await;
    assert_eq!(server.get("/readyz").await.0, 200);
    support::ask_to_end(server.id());
    let asked = Instant::now();
    while server.get("/readyz").await.0 != 503 {
        assert!(asked.elapsed() < Duration::from_secs(30), "it still takes work");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(server.get(&format!("/api/batches/{batch}")).await.0, 200);
    assert_eq!(server.terminate().code(), Some(0));
    assert_eq!(parse_jobs(data.path(), &batch).await, (1, 0, 0));
}
