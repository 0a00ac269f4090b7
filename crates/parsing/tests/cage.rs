//! The cage around real children: what it refuses, and that it is asked for.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use sheaf_domain::FailureCode;
use sheaf_parsing::{Limits, Pool, PoolConfig};

fn pool(limits: Limits) -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    let pdfium = sheaf_parsing::find_pdfium();
    Pool::new(PoolConfig { pdfium, limits, ..PoolConfig::new(program, 2) })
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_child_can_neither_read_nor_write_nor_connect_nor_start_anything() {
    let proof = pool(Limits::default()).prove().await.expect("a kernel with Landlock and seccomp");
    assert!(proof.protections.landlock.is_some() && proof.protections.seccomp, "{proof:?}");
    assert_eq!(proof.possible, Vec::<String>::new());
}

/// A program that says that it has no protection: 4 is the protocol's version, the rest are an empty cage.
fn unprotected() -> (tempfile::TempDir, PathBuf) {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = folder.path().join("worker");
    let frame = "\\004\\000\\000\\000\\000\\004\\000\\000";
    fs::write(&program, format!("#!/bin/sh\nprintf '{frame}'\nexec /bin/sleep 60\n")).expect("room");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("ours");
    (folder, program)
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_child_without_a_cage_gets_no_document_unless_that_is_allowed() {
    let (_folder, program) = unprotected();
    let unlocked = |allow_weak_sandbox| {
        let (program, limits) = (program.clone(), Limits { wall: Duration::from_millis(300), ..Limits::default() });
        Pool::new(PoolConfig { limits, allow_weak_sandbox, ..PoolConfig::new(program, 1) })
    };
    let refused = unlocked(false).parse(&program, "a.txt").await.expect_err("no cage");
    assert_eq!(refused.code, FailureCode::WeakSandbox);
    assert!(refused.message.contains("Landlock") && refused.message.contains("seccomp"), "{}", refused.message);
    assert_eq!(unlocked(true).parse(&program, "a.txt").await.expect_err("it sleeps").code, FailureCode::TimedOut);
}

#[tokio::test]
async fn what_breaks_a_child_breaks_no_other() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (deep, slow, good) =
        (folder.path().join("deep.json"), folder.path().join("slow.txt"), folder.path().join("good.txt"));
    fs::write(&deep, "[".repeat(1 << 20)).expect("room");
    fs::write(&slow, "one two three four five six seven ".repeat(4 << 20)).expect("room");
    fs::write(&good, "The harbour was widened before winter.").expect("room");

    let bottomless = Limits { depth: u32::MAX, ..Limits::default() };
    let impatient = Limits { wall: Duration::from_millis(200), text_bytes: usize::MAX >> 1, ..Limits::default() };
    for (file, name, limits, code) in [
        (&deep, "deep.json", bottomless, FailureCode::NestedTooDeep),
        (&slow, "slow.txt", impatient, FailureCode::TimedOut),
    ] {
        let pool = pool(limits);
        let (bad, neighbour) = tokio::join!(pool.parse(file, name), pool.parse(&good, "good.txt"));
        assert_eq!(bad.expect_err("too much").code, code);
        assert_eq!(neighbour.expect("a good document").words, 6);
    }
}

/// A parser that was started by hand hears no greeting and ends.
#[test]
fn a_child_without_a_parent_ends() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_sheaf-parse-worker"))
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    assert!(!child.wait().expect("it ends").success());
}
