//! The pool with real children that hang, die, starve and are abandoned.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sheaf_domain::FailureCode;
use sheaf_parsing::{Hints, Limits, Pool, PoolConfig, TOGETHER};
use tempfile::TempDir;

/// A folder with a pipe in it that somebody could still write to.
struct Files {
    folder: TempDir,
    _writer: File,
}

impl Files {
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder with `good.txt`, and `hang`, which never ends when it is read.
fn files() -> (Files, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (good, hang) = (folder.path().join("good.txt"), folder.path().join("hang"));
    fs::write(&good, "The harbour was widened before winter.").expect("room");
    assert!(Command::new("mkfifo").arg(&hang).status().expect("mkfifo").success());
    let writer = File::options().read(true).write(true).open(&hang).expect("a pipe");
    (Files { folder, _writer: writer }, good, hang)
}

fn one_child(limits: Limits) -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    Pool::new(PoolConfig { limits, ..PoolConfig::new(program, 1) })
}

/// Limits that no healthy document comes near.
fn limits() -> Limits {
    Limits { wall: Duration::from_secs(20), ..Limits::default() }
}

/// The children of this process.
fn children() -> Vec<Pid> {
    let mut children = Vec::new();
    for task in fs::read_dir("/proc/self/task").expect("Linux") {
        let list = fs::read_to_string(task.expect("readable").path().join("children")).unwrap_or_default();
        children.extend(list.split_whitespace().filter_map(|id| Pid::from_raw(id.parse().ok()?)));
    }
    children
}

async fn eventually(what: &str, check: impl Fn() -> bool) {
    let started = Instant::now();
    while !check() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn still_works(pool: &Pool, good: &Path) {
    let document = pool.parse(good, "good.txt").await.expect("a good document");
    assert_eq!(document.words, 6);
    assert_eq!(document.pages.len(), 1);
}

#[tokio::test]
async fn a_child_that_hangs_is_replaced() {
    let (_folder, good, hang) = files();
    let pool = one_child(Limits { wall: Duration::from_millis(300), ..Limits::default() });
    assert_eq!(pool.parse(&hang, "hang").await.expect_err("hangs").code, FailureCode::TimedOut);
    still_works(&pool, &good).await;
}

#[tokio::test]
async fn a_child_that_starves_is_replaced() {
    let (folder, good, _hang) = files();
    let large = folder.path().join("large");
    File::create(&large).and_then(|file| file.set_len(400 << 20)).expect("a sparse file");
    let pool = one_child(Limits { address_space: 256 << 20, ..limits() });
    assert_eq!(pool.parse(&large, "large").await.expect_err("starves").code, FailureCode::OutOfMemory);
    still_works(&pool, &good).await;
}

#[tokio::test]
async fn limits_are_failures_of_their_own() {
    let (folder, good, _hang) = files();
    let empty = folder.path().join("empty");
    fs::write(&empty, "").expect("room");
    let pool = one_child(Limits { text_bytes: 10, file_bytes: 100, ..limits() });
    assert_eq!(pool.parse(&good, "a.txt").await.expect_err("too long").code, FailureCode::TooMuchText);
    assert_eq!(pool.parse(&empty, "a.txt").await.expect_err("empty").code, FailureCode::EmptyFile);
    assert_eq!(pool.parse(Path::new("/nowhere"), "a").await.expect_err("gone").code, FailureCode::Storage);
    let pdf = folder.path().join("a.pdf");
    fs::write(&pdf, "%PDF-1.4").expect("room");
    assert_eq!(pool.parse(&pdf, "a.pdf").await.expect_err("no PDFium").code, FailureCode::PdfiumMissing);
}

/// One test, for all look at the children of this process.
#[tokio::test]
async fn children_die_when_they_should_and_not_before() {
    let (_folder, good, hang) = files();
    let before = children();
    let ours = || children().into_iter().filter(|child| !before.contains(child)).collect::<Vec<_>>();

    // They start when needed and are used again.
    let pool = one_child(limits());
    assert!(ours().is_empty());
    still_works(&pool, &good).await;
    let first = ours();
    still_works(&pool, &good).await;
    assert_eq!((first.len(), &ours()), (1, &first));

    // A child that died idle is no document's fault.
    kill_process(first[0], Signal::KILL).expect("ours");
    eventually("it dies", || ours().is_empty() || is_zombie(first[0])).await;
    still_works(&pool, &good).await;

    // But a child that dies at work does so of its document.
    for (signal, code) in [(Signal::ILL, FailureCode::WorkerCrashed), (Signal::ABORT, FailureCode::OutOfMemory)] {
        let (result, ()) = tokio::join!(pool.parse(&hang, "hang"), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            ours().into_iter().for_each(|child| kill_process(child, signal).expect("ours"));
        });
        assert_eq!(result.expect_err("killed").code, code);
        still_works(&pool, &good).await;
    }

    // Nobody waits for the document any more: its child goes, too.
    let abandoned = tokio::time::timeout(Duration::from_millis(300), pool.parse(&hang, "hang")).await;
    assert!(abandoned.is_err());
    eventually("the abandoned child dies", || ours().is_empty()).await;
    still_works(&pool, &good).await;

    // The one at work may finish, the one that waits may not.
    let hanging = one_child(Limits { wall: Duration::from_millis(500), ..Limits::default() });
    let (first, second, ()) = tokio::join!(hanging.parse(&hang, "hang"), hanging.parse(&good, "good"), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        hanging.shutdown().await;
    });
    assert_eq!(first.expect_err("hangs").code, FailureCode::TimedOut);
    assert_eq!(second.expect_err("waits").code, FailureCode::Cancelled);

    pool.shutdown().await;
    assert_eq!(pool.parse(&good, "a").await.expect_err("shut down").code, FailureCode::Cancelled);
    eventually("all children end", || ours().is_empty()).await;
}

/// Whether it can be waited for: its first thread is gone, and so are the others.
fn is_zombie(child: Pid) -> bool {
    let threads = fs::read_dir(format!("/proc/{}/task", child.as_raw_nonzero())).map_or(0, Iterator::count);
    let stat = fs::read_to_string(format!("/proc/{}/stat", child.as_raw_nonzero())).unwrap_or_default();
    threads < 2 && stat.contains(") Z ")
}

#[tokio::test]
async fn documents_that_go_together_do_not_share_a_fate() {
    let (files, good, hang) = files();
    let broken = files.path().join("broken.pdf");
    fs::write(&broken, "%PDF-1.4 and no more").expect("room");
    let missing = files.path().join("missing.txt");
    let pool = one_child(Limits { wall: Duration::from_secs(2), ..Limits::default() });
    let paths = [&good, &broken, &good, &hang, &good, &missing, &good];
    let hints: Vec<Hints> = paths.iter().map(|path| path.to_string_lossy().as_ref().into()).collect();
    let documents: Vec<(&Path, &Hints)> = paths.iter().map(|path| path.as_path()).zip(&hints).collect();
    let together = pool.parse_together(&documents).await;
    assert_eq!(together.len(), paths.len());
    for ((path, hints), found) in documents.into_iter().zip(together) {
        let alone = pool.parse(path, hints.clone()).await;
        assert_eq!(found.map_err(|part| part.failure), alone, "{}", path.display());
    }
    pool.shutdown().await;
}

#[tokio::test]
async fn more_documents_than_go_together_are_all_parsed() {
    let (_files, good, _) = files();
    let pool = one_child(limits());
    let hints = Hints::from("good.txt");
    let documents = vec![(good.as_path(), &hints); 2 * TOGETHER + 1];
    let words: Vec<u64> =
        pool.parse_together(&documents).await.into_iter().map(|found| found.expect("a text").words).collect();
    assert_eq!(words, vec![6; documents.len()]);
    pool.shutdown().await;
}
