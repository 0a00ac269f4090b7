//! `cargo xtask bench parsing`: pages a second of text and of drawing, against what a user would write in Python, in one run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::measure::cpu_of_children;
use super::python::Python;
use crate::paths::{Paths, Profile};
use crate::{run, setup};

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

/// The best of a side's runs in one mode.
#[derive(Clone, Copy, Default)]
struct Best {
    /// Pages a second.
    rate: f64,
    /// Of the cores that it may use, the share that worked, its start included.
    busy: f64,
}

/// Text of pages, or pages drawn.
const MODES: [&str; 2] = ["text", "render"];

/// One way to do it: what it is called, its processes, and its command for a mode, if it knows that.
struct Side<'a> {
    name: String,
    processes: usize,
    command: Box<dyn Fn(&str) -> Option<Command> + 'a>,
}

impl Pages {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let folder = match &self.folder {
            Some(folder) => folder.canonicalize().with_context(|| format!("cannot find `{}`", folder.display()))?,
            None => paths.corpora()?.join("documents/pdf"),
        };
        setup::setup(paths)?;
        let worker = paths.bin_dir(Profile::Release).join("sheaf-parse-worker");
        run::checked(run::cargo(paths).args(["build", "--release", "-p", "sheaf-parsing", "--bins", "--examples"]))?;
        let python = Python::ready(paths)?;
        let sides = self.sides(paths, &worker, &python, &folder);
        let mut best = vec![[None::<Best>; MODES.len()]; sides.len()];
        for _ in 0..self.runs.max(1) {
            for (side, best) in sides.iter().zip(&mut best) {
                for (mode, best) in MODES.iter().zip(best) {
                    let Some(mut command) = (side.command)(mode) else { continue };
                    let now = measured(&mut command, side.processes)?;
                    let before = best.unwrap_or_default();
                    *best = Some(Best { rate: now.rate.max(before.rate), busy: now.busy.max(before.busy) });
                }
            }
        }
        println!("\nPages a second, `{}`, best of {} runs in turn\n", folder.display(), self.runs.max(1));
        println!("| | processes | text | drawn at 150 DPI, grey | cores busy, text and drawn |\n|---|---|---|---|---|");
        for (side, [text, drawn]) in sides.iter().zip(&best) {
            let rate = |best: &Option<Best>| best.map_or("–".to_owned(), |best| format!("{:.0}", best.rate));
            let busy =
                |best: &Option<Best>| best.map_or("–".to_owned(), |best| format!("{:.0} %", 100.0 * best.busy));
            let Side { name, processes, .. } = side;
            println!("| {name} | {processes} | {} | {} | {}, {} |", rate(text), rate(drawn), busy(text), busy(drawn));
        }
        Ok(())
    }

    fn sides<'a>(&self, paths: &'a Paths, worker: &'a Path, python: &'a Python, folder: &'a Path) -> Vec<Side<'a>> {
        let examples = paths.bin_dir(Profile::Release).join("examples");
        let workers = self.workers;
        let mut sides = Vec::new();
        for processes in [workers, 1] {
            let program = examples.join("pages");
            let command = move |mode: &str| {
                let mut command = Command::new(&program);
                command.arg(worker).arg(folder).args([mode, &processes.to_string()]);
                command.env("SHEAF_CACHE_DIR", &paths.cache);
                Some(command)
            };
            sides.push(Side { name: "Sheaf".into(), processes, command: Box::new(command) });
        }
        let bare = move |mode: &str| {
            let mut command = Command::new(examples.join("bare"));
            command.arg(folder).arg(mode).env("SHEAF_CACHE_DIR", &paths.cache);
            Some(command)
        };
        sides.push(Side { name: "PDFium in a loop".into(), processes: 1, command: Box::new(bare) });
        for (tool, deliver) in
            [("pymupdf", false), ("pypdfium2", false), ("pdftotext", false), ("pymupdf", true), ("pypdfium2", true)]
        {
            let command = move |mode: &str| {
                if (mode == "render" && tool == "pdftotext") || (mode == "text" && deliver) {
                    return None;
                }
                let mut command = python.script("parsing.py", 1);
                command.arg(folder).args(["--tool", tool, "--mode", mode, "--workers", &workers.to_string()]);
                command.args(deliver.then_some("--deliver"));
                Some(command)
            };
            let name = if deliver { format!("{tool}, pixels delivered as Sheaf's are") } else { tool.to_owned() };
            sides.push(Side { name, processes: workers, command: Box::new(command) });
        }
        sides
    }
}

fn measured(command: &mut Command, processes: usize) -> Result<Best> {
    let (started, before) = (Instant::now(), cpu_of_children()?);
    let Measured { pages, seconds } = serde_json::from_str(run::output(command)?.trim())?;
    let busy = (cpu_of_children()? - before) / (started.elapsed().as_secs_f64() * processes as f64);
    Ok(Best { rate: pages as f64 / seconds, busy })
}
