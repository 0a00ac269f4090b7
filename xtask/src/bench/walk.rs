//! `cargo xtask bench walk`: one folder through `sheaf analyze` and through `bench/walk.py`, in turns, ratios printed.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::json;

use super::Model;
use super::measure::{Cost, measure, median};
use super::python::Python;
use crate::paths::{ACCURATE_MODEL, Paths, Profile};
use crate::{build, setup};

#[derive(clap::Args)]
pub struct Walk {
    /// Documents; the corpora's PDFs when not given.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Which model both sides use; Python's fast one is WordLlama's static vectors.
    #[arg(long, value_enum, default_value = "accurate")]
    model: Model,
    /// Runs of each side.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Threads of each side; all cores when not given.
    #[arg(long)]
    threads: Option<usize>,
    /// Also write the figures here, as JSON.
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Walk {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let folder = match &self.folder {
            Some(folder) => folder.canonicalize().with_context(|| format!("cannot find `{}`", folder.display()))?,
            None => paths.corpora()?.join("documents/pdf"),
        };
        let threads = self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        setup::setup(paths)?;
        let sheaf = build::build(paths, Profile::Release)?;
        let python = Python::ready(paths)?;
        let results = tempfile::tempdir()?;
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for run in 1..=self.runs.max(1) {
            ours.push(measure(&mut self.ours(&sheaf, &folder, &results.path().join("sheaf"), threads), &[0, 2])?);
            eprintln!("  run {run}, sheaf: {}", figures(&ours[run - 1]));
            theirs.push(measure(
                &mut self.theirs(paths, &python, &folder, &results.path().join("python"), threads),
                &[0],
            )?);
            eprintln!("  run {run}, Python: {}", figures(&theirs[run - 1]));
        }
        let (ours, theirs) = (median(&ours), median(&theirs));
        self.print(&folder, threads, &ours, &theirs);
        if let Some(out) = &self.out {
            let side = |cost: &Cost| json!({"wall_seconds": cost.wall, "cpu_seconds": cost.cpu, "peak_bytes": cost.peak_bytes});
            let report = json!({"model": self.model.name(), "runs": self.runs, "threads": threads, "sheaf": side(&ours), "python": side(&theirs)});
            std::fs::write(out, serde_json::to_string_pretty(&report)?)?;
        }
        Ok(())
    }

    fn ours(&self, sheaf: &Path, folder: &Path, out: &Path, threads: usize) -> Command {
        // Results of an earlier run must not be found again.
        let _ = std::fs::remove_dir_all(out);
        let mut command = Command::new(sheaf);
        command.arg("analyze").arg(folder).arg("--out").arg(out);
        command.args(["--model", self.model.name(), "--threads", &threads.to_string()]);
        // The other side recognises no text on pictures: neither does this one.
        command.env("SHEAF_TESSERACT", "none");
        command
    }

    fn theirs(&self, paths: &Paths, python: &Python, folder: &Path, out: &Path, threads: usize) -> Command {
        let mut command = python.script("walk.py", threads);
        command.arg(folder).arg("--out").arg(out).args([
            "--model",
            self.model.name(),
            "--threads",
            &threads.to_string(),
        ]);
        command.arg("--model-folder").arg(paths.model(ACCURATE_MODEL));
        command
    }

    fn print(&self, folder: &Path, threads: usize, ours: &Cost, theirs: &Cost) {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        println!("\n`{name}`, model {}, {threads} threads, medians of {} runs\n", self.model.name(), self.runs.max(1));
        println!("| | wall s | CPU s | peak MB |\n|---|---|---|---|");
        for (side, cost) in [("sheaf", ours), ("Python", theirs)] {
            println!("| {side} | {:.2} | {:.2} | {:.0} |", cost.wall, cost.cpu, cost.peak_bytes as f64 / 1e6);
        }
        println!(
            "| Python / sheaf | {:.2} | {:.2} | {:.2} |",
            theirs.wall / ours.wall,
            theirs.cpu / ours.cpu,
            theirs.peak_bytes as f64 / ours.peak_bytes.max(1) as f64
        );
    }
}

fn figures(cost: &Cost) -> String {
    format!("{:.2} s wall, {:.2} s CPU, {:.0} MB", cost.wall, cost.cpu, cost.peak_bytes as f64 / 1e6)
}
