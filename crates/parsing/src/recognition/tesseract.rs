//! Tesseract as a process: pixels in, a table of words out.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sheaf_domain::{Failure, FailureCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::{Instant, timeout_at};

use super::turn::Turn;
use crate::picture::Picture;

/// A page of text takes a second or two; a picture of noise, or of a chessboard, takes minutes. For all that is tried on a page.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest table that is taken, in bytes.
const TABLE: u64 = 64 << 20;
/// Beyond these the engine refuses pictures (`INT16_MAX`).
const LONGEST: u32 = 32_767;

/// Tesseract: `SHEAF_TESSERACT` when set, else the program of that name on the path. Absent when there is none.
pub fn find_tesseract() -> Option<PathBuf> {
    if let Some(path) = env::var_os("SHEAF_TESSERACT") {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let name = format!("tesseract{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(&name)).find(|path| path.is_file())
}

/// When a page that is begun now has had its time.
pub fn deadline() -> Instant {
    Instant::now() + PATIENCE
}

/// The words of a picture as Tesseract's TSV.
pub async fn recognise(
    program: &Path,
    languages: &str,
    picture: &Picture,
    deadline: Instant,
) -> Result<String, Failure> {
    if picture.width > LONGEST || picture.height > LONGEST {
        return Err(Failure::new(FailureCode::DocumentLimit, "this page is too long for text recognition")
            .with_hint("Cut the picture into several, and add those."));
    }
    let mut arguments = vec!["-l".to_owned(), languages.to_owned()];
    if let Some(dpi) = picture.dpi {
        arguments.extend(["--dpi".to_owned(), dpi.clamp(70, 2400).to_string()]);
    }
    arguments.push("tsv".to_owned());
    let (table, complaint) = run(program, &arguments, picture, deadline).await?;
    if table.starts_with("level") {
        return Ok(table);
    }
    Err(if complaint.contains("loading language") || complaint.contains("traineddata") {
        let message = format!("text recognition lacks the data for `{languages}`");
        Failure::new(FailureCode::OcrMissing, message)
            .with_hint("Install the language (Debian: tesseract-ocr-deu for German), or set SHEAF_OCR_LANGUAGES.")
    } else {
        Failure::new(FailureCode::WorkerCrashed, "text recognition gave up on this page")
    })
}

/// How the picture has to be turned to stand upright, where the engine can tell.
pub async fn orientation(program: &Path, picture: &Picture, deadline: Instant) -> Option<Turn> {
    let arguments = ["--psm", "0", "-l", "osd"].map(str::to_owned);
    let (answer, _) = run(program, &arguments, picture, deadline).await.ok()?;
    let line = answer.lines().find_map(|line| line.strip_prefix("Rotate:"))?;
    Turn::by_degrees(line.trim().parse().ok()?)
}

/// What the engine says on its standard output and on its standard error.
async fn run(
    program: &Path,
    arguments: &[String],
    picture: &Picture,
    deadline: Instant,
) -> Result<(String, String), Failure> {
    let work = async {
        let mut process = Command::new(program)
            .args(["stdin", "stdout"])
            .args(arguments)
            // With more threads it takes ten times as long on a busy machine.
            .env("OMP_THREAD_LIMIT", "1")
            // It looks at strangers' pictures, and what it does not have it cannot give away.
            .env_remove("SHEAF_DATABASE")
            .env_remove("PGPASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let (Some(mut input), Some(output), Some(errors)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(io::Error::other("a pipe is missing"));
        };
        let send = async {
            let header = format!("P5\n{} {}\n255\n", picture.width, picture.height);
            // It may end before it has read all; what it says then counts.
            let _ = input.write_all(header.as_bytes()).await;
            let _ = input.write_all(&picture.bytes).await;
            drop(input);
        };
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let (mut output, mut errors) = (output.take(TABLE), errors.take(TABLE));
        let ((), said_all, complained_all) =
            tokio::join!(send, output.read_to_end(&mut said), errors.read_to_end(&mut complained));
        said_all.and(complained_all)?;
        process.wait().await?;
        Ok((String::from_utf8_lossy(&said).into_owned(), String::from_utf8_lossy(&complained).into_owned()))
    };
    match timeout_at(deadline, work).await {
        Ok(Ok(said)) => Ok(said),
        Ok(Err(error)) => {
            tracing::error!(%error, "text recognition could not be run");
            Err(Failure::new(FailureCode::OcrMissing, "text recognition could not be started"))
        }
        Err(_) => {
            let message = format!("recognising text took longer than {} s a page", PATIENCE.as_secs());
            Err(Failure::new(FailureCode::TimedOut, message))
        }
    }
}
