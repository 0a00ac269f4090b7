//! Mutated files through real children: whatever a file holds, it ends in a document or a failure that is its own. A
//! child that crashes, hangs or starves is a finding; its file is kept, to be fixed and put into `found`.
//!
//! `cargo xtask fuzz --seconds N` gives each target N seconds and another seed each time; an ordinary test run gives a
//! second and the same seed. Out of process on purpose: what is driven is what is shipped, cage and protocol included.

mod mutate;
mod seeds;

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mutate::Random;
use seeds::Seed;
use sheaf_domain::{Failure, FailureCode, Passwords};
use sheaf_parsing::archive::{ArchiveLimits, Container};
use sheaf_parsing::{Limits, PictureFor, Pool, PoolConfig, Quote, detect_kind, find_pdfium};
use tokio::sync::mpsc;

/// For each target, in an ordinary test run.
const SECONDS: u64 = 1;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn pool() -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    let limits = Limits { wall: Duration::from_secs(10), text_bytes: 8 << 20, ..Limits::default() };
    Pool::new(PoolConfig { pdfium: find_pdfium(), limits, ..PoolConfig::new(program, 1) })
}

/// The codes that are no file's own.
fn is_finding(failure: &Failure) -> bool {
    matches!(
        failure.code,
        FailureCode::WorkerCrashed | FailureCode::TimedOut | FailureCode::OutOfMemory | FailureCode::Internal
    )
}

/// Drives one file through the parser, looks at its first page if it has any and, if it holds others, through the walk of archives.
async fn drive(pool: &Pool, path: &Path, name: &str) -> Result<(), Failure> {
    let kind = detect_kind(File::open(path).expect("there"), name).expect("readable");
    let finding = |result: Result<(), Failure>| match result {
        Err(failure) if is_finding(&failure) => Err(failure),
        Ok(()) | Err(_) => Ok(()),
    };
    let read = pool.parse(path, name).await;
    if kind.has_pictures() {
        let purpose = PictureFor::Recognition { dpi: 72, pixels: 1_000_000 };
        finding(pool.picture(path, name, 1, purpose).await.map(drop))?;
        let text = read.as_ref().map_or("", |document| &document.pages[0].text);
        let end = text.floor_char_boundary(Quote::LONGEST);
        if let Some(quote) = Quote::of(text, 0..end) {
            finding(pool.boxes(path, name, 1, quote).await.map(drop))?;
        }
    }
    finding(read.map(drop))?;
    if Container::of(kind).is_none() {
        return Ok(());
    }
    let (sender, mut receiver) = mpsc::channel(4);
    let limits = ArchiveLimits { bytes: 64 << 20, wall: Duration::from_secs(20), ..ArchiveLimits::default() };
    let file = File::open(path).expect("there");
    let unpacking = async {
        let sender = sender;
        pool.unpack(file, name, &limits, &Passwords::default(), &sender).await
    };
    let receiving = async {
        let mut worst = Ok(());
        while let Some(item) = receiver.recv().await {
            worst = worst.and(finding(item.content.map(drop)));
        }
        worst
    };
    let (whole, items) = tokio::join!(unpacking, receiving);
    finding(whole).and(items)
}

/// Mutates the seeds of one target until its time is over.
async fn fuzz(target: &str, seeds: &[Seed]) {
    let seed = setting("SHEAF_FUZZ_SEED", 1);
    let mut random = Random::new(seed ^ seeds.len() as u64);
    let (folder, pool) = (tempfile::tempdir().expect("a temporary folder"), pool());
    let end = Instant::now() + Duration::from_secs(setting("SHEAF_FUZZ_SECONDS", SECONDS));
    let mut tries = 0_u64;
    while Instant::now() < end {
        let Seed { name, bytes } = &seeds[random.below(seeds.len())];
        let other = &seeds[random.below(seeds.len())].bytes;
        let mutated = mutate::mutate(bytes, other, &mut random);
        let path = folder.path().join("file");
        fs::write(&path, &mutated).expect("room");
        if let Err(failure) = drive(&pool, &path, name).await {
            let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}-{seed}-{tries}-{name}"));
            fs::write(&kept, &mutated).expect("room");
            panic!("{target}, seed {seed}: {failure} ({}); the file is {}", failure.code, kept.display());
        }
        tries += 1;
    }
    eprintln!("{target}: {tries} files");
    assert!(tries > 0);
}

#[tokio::test]
async fn what_was_found_once_stays_fixed() {
    let pool = pool();
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    for entry in fs::read_dir(found).expect("there").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        assert_eq!(drive(&pool, &entry.path(), &name).await, Ok(()), "{name}");
    }
}

macro_rules! targets {
    ($($target:ident)+) => {
        $(#[tokio::test]
        async fn $target() {
            fuzz(stringify!($target), &seeds::$target()).await;
        })+
    };
}

targets! { plain tables json xml html mail word pdf images zip tar seven_zip outlook }

/// A child that is told nonsense, with and without files, ends; it neither hangs nor answers.
#[test]
fn requests() {
    let mut random = Random::new(setting("SHEAF_FUZZ_SEED", 1));
    let end = Instant::now() + Duration::from_secs(setting("SHEAF_FUZZ_SECONDS", SECONDS));
    while Instant::now() < end {
        let (mut ours, theirs) = UnixStream::pair().expect("a socket");
        let mut child = Command::new(env!("CARGO_BIN_EXE_sheaf-parse-worker"))
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let length = random.below(64);
        let mut noise = u32::try_from(length).expect("small").to_le_bytes().to_vec();
        noise.extend((0..length).map(|_| random.byte()));
        // It may be gone before it has read everything.
        let _ = ours.write_all(&noise);
        drop(ours);
        let (sender, ended) = std::sync::mpsc::channel();
        let mut stdout = child.stdout.take().expect("piped");
        std::thread::spawn(move || {
            let _ = stdout.read_to_end(&mut Vec::new());
            let _ = sender.send(());
        });
        let ended = ended.recv_timeout(Duration::from_secs(10));
        let _ = child.kill();
        let _ = child.wait();
        assert!(ended.is_ok(), "a child hangs after {noise:02x?}");
    }
}
