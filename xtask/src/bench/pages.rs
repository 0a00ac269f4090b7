//! `cargo xtask bench parsing`: pages a second of text and of drawing, against what a user would write in Python, in one run.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::python::Python;
use crate::paths::{Paths, Profile};
use crate::{build, run, setup};

#[derive(clap::Args)]
pub struct Pages {
    /// PDFs; the corpora's when not given.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Runs of each side.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Processes of each side.
    #[arg(long, default_value_t = 2)]
    workers: usize,
}

/// What each side prints.
#[derive(Clone, Copy, Deserialize)]
struct Measured {
    pages: u64,
    seconds: f64,
}

impl Measured {
    fn rate(self) -> f64 {
        self.pages as f64 / self.seconds
    }
}

impl Pages {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let folder = match &self.folder {
            Some(folder) => folder.canonicalize().with_context(|| format!("cannot find `{}`", folder.display()))?,
            None => paths.corpora()?.join("documents/pdf"),
        };
        setup::setup(paths)?;
        let sheaf = build::build(paths, Profile::Release)?;
        run::checked(run::cargo(paths).args(["build", "--release", "-p", "sheaf-parsing", "--example", "pages"]))?;
        let pages = paths.target.join("release/examples/pages");
        let python = Python::ready(paths)?;
        println!("\nPages a second, `{}`, {} processes, best of {} runs\n", folder.display(), self.workers, self.runs);
        println!("| | text | drawn at 150 DPI, grey |\n|---|---|---|");
        let ours = |mode: &str, workers: usize| {
            let mut command = Command::new(&pages);
            command.arg(&sheaf).arg(&folder).args([mode, &workers.to_string()]);
            command.env("SHEAF_CACHE_DIR", &paths.cache);
            command
        };
        self.row("Sheaf", |mode| Some(ours(mode, self.workers)))?;
        self.row("Sheaf, one process", |mode| Some(ours(mode, 1)))?;
        for tool in ["pymupdf", "pypdfium2", "pdftotext"] {
            self.row(tool, |mode| {
                (tool != "pdftotext" || mode == "text").then(|| self.theirs(&python, &folder, tool, mode))
            })?;
        }
        Ok(())
    }

    fn theirs(&self, python: &Python, folder: &Path, tool: &str, mode: &str) -> Command {
        let mut command = python.script("parsing.py", 1);
        command.arg(folder).args(["--tool", tool, "--mode", mode, "--workers", &self.workers.to_string()]);
        command
    }

    fn row(&self, name: &str, command: impl Fn(&str) -> Option<Command>) -> Result<()> {
        let mut cells = Vec::new();
        for mode in ["text", "render"] {
            let mut best: Option<f64> = None;
            for _ in 0..self.runs.max(1) {
                let Some(mut command) = command(mode) else { break };
                let measured: Measured = serde_json::from_str(run::output(&mut command)?.trim())?;
                best = Some(best.map_or(measured.rate(), |best| best.max(measured.rate())));
            }
            cells.push(best.map_or("–".to_owned(), |best| format!("{best:.0}")));
        }
        println!("| {name} | {} |", cells.join(" | "));
        Ok(())
    }
}
