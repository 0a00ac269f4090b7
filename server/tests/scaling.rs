//! How much sooner several workers are done than one, where the work waits for something else than the processor: text
//! recognition by a program that takes its time and nothing more. It measures, so it is run by hand, on a quiet machine:
//! `SHEAF_WORKERS=8 cargo test -p server --test scaling -- --ignored --nocapture`.

#[expect(dead_code, reason = "the bucket stays")]
#[path = "../../crates/engine/tests/support/s3.rs"]
mod s3;
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use s3::S3;
use sheaf_test_postgres::TestPostgres;
use support::{SHEAF, Server};

/// How long a page takes.
const PAGE: Duration = Duration::from_millis(1_000);
/// Documents for each worker.
const EACH: usize = 12;

struct Worker(Child);

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A picture like no other, so heavy that a worker takes it alone: a grey bitmap of noise.
fn picture(number: u32) -> Vec<u8> {
    const SIDE: u32 = 300;
    let pixels = SIDE * SIDE;
    let mut bytes = b"BM".to_vec();
    for value in [54 + 1024 + pixels, 0, 54 + 1024, 40, SIDE, SIDE, 1 | 8 << 16, 0, pixels, 2835, 2835, 256, 0] {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes.extend((0..=255_u8).flat_map(|grey| [grey, grey, grey, 0]));
    let mut state = number.wrapping_mul(0x9E37_79B9) | 1;
    bytes.extend((0..pixels).map(|_| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    }));
    bytes
}

/// Seconds from the first page to the last that so many workers need for these pictures.
async fn seconds(workers: usize, pictures: &[(String, Vec<u8>)]) -> f64 {
    let (postgres, bucket, folder) = (TestPostgres::start(), S3::start(), tempfile::tempdir().expect("a folder"));
    let slow = folder.path().join("slow");
    let row = r"5\t1\t1\t1\t1\t1\t10\t10\t80\t20\t95\tharbour";
    let script = format!("#!/bin/sh\nsleep {}\nprintf 'level\\n{row}\\n'\n", PAGE.as_secs_f64());
    fs::write(&slow, script).expect("written");
    fs::set_permissions(&slow, fs::Permissions::from_mode(0o755)).expect("may run");
    let mut variables = bucket.variables().to_vec();
    variables.push(("SHEAF_DATABASE", postgres.database()));
    variables.push(("SHEAF_TESSERACT", slow.to_string_lossy().into_owned()));
    let blobs = ["--blobs", "s3://sheaf/letters"];
    let server = Server::start_with(&folder.path().join("pages"), &[&blobs[..], &["--no-work"]].concat(), &variables);
    let (status, batch) = server.upload(&[("model", "fast")], pictures).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id");
    let start = |number: usize| start(&folder.path().join(number.to_string()), &variables);
    let _workers: Vec<Worker> = (0..workers).map(start).collect();
    let mut first = None;
    loop {
        let (_, batch) = server.get(&format!("/api/batches/{id}/progress")).await;
        if first.is_none() && batch["counts"]["processing"].as_u64() > Some(0) {
            first = Some(Instant::now());
        }
        let stages = batch["stages"].as_array().expect("stages");
        let parsed = stages.iter().find(|stage| stage["stage"] == "parse").expect("the stage");
        if parsed["done"] == pictures.len() {
            return first.expect("something was in work").elapsed().as_secs_f64();
        }
        assert_eq!(parsed["failed"].as_u64().unwrap_or(0), 0, "{batch}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn start(data: &Path, variables: &[(&str, String)]) -> Worker {
    let child = Command::new(SHEAF)
        .args(["work", "--stages", "parse", "--threads", "1", "--page-parallelism", "1"])
        .args(["--max-concurrent-documents", "1", "--blobs", "s3://sheaf/letters", "--data"])
        .arg(data)
        .envs(variables.iter().cloned())
        .stdout(Stdio::null())
        .spawn();
    Worker(child.expect("sheaf starts"))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it measures: its figures are in docs/reliability.md"]
async fn several_workers_are_as_much_sooner_done() {
    let workers = std::env::var("SHEAF_WORKERS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let pictures: Vec<_> = (0..workers * EACH).map(|i| (format!("{i:03}.bmp"), picture(i as u32 + 1))).collect();
    let together = seconds(workers, &pictures).await;
    let alone = seconds(1, &pictures).await;
    let (pages, seconds) = (pictures.len(), pictures.len() as f64 * PAGE.as_secs_f64());
    println!(
        "{pages} pages of {PAGE:?}: one worker {alone:.1} s (the pages alone are {seconds:.0} s), {workers} workers {together:.1} s: {:.2} times",
        alone / together
    );
    assert!(alone / together >= 0.9 * workers as f64);
}
