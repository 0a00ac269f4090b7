//! What the queue, the database and the server cost: the same real documents through `sheaf analyze`, which has none of
//! them, and through a server, in turns; and what of the time that stages took went to the queue, by the server's own metrics.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use reqwest::blocking::multipart::{Form, Part};
use serde_json::Value;

use super::server::Server;
use super::{is_final, row};

/// From the first byte sent to the overview, against the whole run of the other.
pub fn measure(sheaf: &Path, folder: &Path, turns: usize) -> Result<()> {
    let files = files_in(folder)?;
    ensure!(!files.is_empty(), "`{}` holds no files", folder.display());
    let (mut alone, mut served, mut shares) = (Vec::new(), Vec::new(), Vec::<Shares>::new());
    for _ in 0..turns {
        let results = tempfile::tempdir()?;
        let start = Instant::now();
        let status = Command::new(sheaf)
            .arg("analyze")
            .arg(folder)
            .arg("--out")
            .arg(results.path().join("results"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        // 2 says that some documents failed, on both sides alike.
        ensure!(matches!(status.code(), Some(0 | 2)), "`sheaf analyze` failed: {status}");
        alone.push(start.elapsed().as_secs_f64());

        let server = Server::start(sheaf)?;
        let start = Instant::now();
        let mut form = Form::new().text("name", "queue");
        for file in &files {
            let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
            form = form.part("files", Part::file(file)?.file_name(name));
        }
        let answer = server.client.post(format!("{}/api/batches", server.address)).multipart(form).send()?;
        let batch: Value = serde_json::from_str(&answer.text()?)?;
        let Some(id) = batch["id"].as_str() else { bail!("no batch was made: {batch}") };
        server.wait(id, is_final)?;
        served.push(start.elapsed().as_secs_f64());
        shares.push(shares_of(&server.text("/metrics")?));
    }
    let middle = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (alone, served) = (middle(&mut alone), middle(&mut served));
    row(
        &format!("{} real documents, from the first byte to the overview", files.len()),
        &format!("{served:.1} s through a server, {alone:.1} s without one: {:+.1} %", 100.0 * (served / alone - 1.0)),
    );
    let parts: [(&str, ShareOf); 4] = [
        ("the queue itself: handing out work, and its rows when that ends", |shares| shares.queue),
        ("waiting until a result may be written", |shares| shares.wait),
        ("writing results: texts, the index of words, vectors", |shares| shares.results),
        ("looking for work where there is none, while other work goes on", |shares| shares.looking),
    ];
    for (name, part) in parts {
        let share = middle(&mut shares.iter().map(part).collect());
        row(&format!("of the time of all stages, {name}"), &format!("{:.1} %", 100.0 * share));
    }
    Ok(())
}

/// Parts of the time that all stages took.
struct Shares {
    queue: f64,
    wait: f64,
    results: f64,
    looking: f64,
}

/// One of them.
type ShareOf = fn(&Shares) -> f64;

/// The shares: handing out comes before the time of a stage, keeping is within it.
fn shares_of(metrics: &str) -> Shares {
    let sum = |name: &str, label: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    };
    let claims = sum("sheaf_queue_seconds_sum", "\"claim\"");
    let looking = sum("sheaf_queue_seconds_sum", "\"look\"");
    let kept = |part: &str| sum("sheaf_keep_seconds_sum", &format!("part=\"{part}\""));
    let all = (claims + sum("sheaf_stage_seconds_sum", "")).max(f64::MIN_POSITIVE);
    Shares {
        queue: (claims + kept("state")) / all,
        wait: kept("wait") / all,
        results: kept("results") / all,
        looking: looking / all,
    }
}

/// All files below a folder.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
