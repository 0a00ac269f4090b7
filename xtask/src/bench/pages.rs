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

/// One way to do it.
#[derive(Clone, Copy)]
enum Side {
    Sheaf {
        processes: usize,
    },
    /// PDFium in a loop.
    Bare,
    /// A tool in a process pool; `deliver`: the pixels go to the process that asked.
    Python {
        tool: &'static str,
        processes: usize,
        deliver: bool,
    },
}

/// Where everything is that a side needs.
struct Places<'a> {
    release: PathBuf,
    cache: &'a Path,
    folder: &'a Path,
    python: Python,
}

impl Side {
    fn all(workers: usize) -> Vec<Self> {
        let python = |tool, deliver| Self::Python { tool, processes: workers, deliver };
        vec![
            Self::Sheaf { processes: workers },
            Self::Sheaf { processes: 1 },
            Self::Bare,
            python("pymupdf", false),
            python("pypdfium2", false),
            python("pdftotext", false),
            python("pymupdf", true),
            python("pypdfium2", true),
        ]
    }

    fn processes(self) -> usize {
        match self {
            Self::Sheaf { processes } | Self::Python { processes, .. } => processes,
            Self::Bare => 1,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Sheaf { .. } => "Sheaf".to_owned(),
            Self::Bare => "PDFium in a loop".to_owned(),
            Self::Python { tool, deliver: true, .. } => format!("{tool}, pixels delivered as Sheaf's are"),
            Self::Python { tool, deliver: false, .. } => tool.to_owned(),
        }
    }

    /// Nothing for what the side does not do.
    fn command(self, mode: &str, places: &Places<'_>) -> Option<Command> {
        let examples = places.release.join("examples");
        let mut command = match self {
            Self::Sheaf { processes } => {
                let mut command = Command::new(examples.join("pages"));
                command.arg(places.release.join("sheaf-parse-worker")).arg(places.folder);
                command.args([mode, &processes.to_string()]);
                command
            }
            Self::Bare => {
                let mut command = Command::new(examples.join("bare"));
                command.arg(places.folder).arg(mode);
                command
            }
            Self::Python { tool: "pdftotext", .. } if mode != "text" => return None,
            Self::Python { deliver: true, .. } if mode == "text" => return None,
            Self::Python { tool, processes, deliver } => {
                let mut command = places.python.script("parsing.py", 1);
                command.arg(places.folder).args(["--tool", tool, "--mode", mode, "--workers", &processes.to_string()]);
                command.args(deliver.then_some("--deliver"));
                command
            }
        };
        command.env("SHEAF_CACHE_DIR", places.cache);
        Some(command)
    }
}

impl Pages {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let folder = match &self.folder {
            Some(folder) => folder.canonicalize().with_context(|| format!("cannot find `{}`", folder.display()))?,
            None => paths.corpora()?.join("documents/pdf"),
        };
        setup::setup(paths)?;
        run::checked(run::cargo(paths).args(["build", "--release", "-p", "sheaf-parsing", "--bins", "--examples"]))?;
        let (release, python) = (paths.bin_dir(Profile::Release), Python::ready(paths)?);
        let places = Places { release, cache: &paths.cache, folder: &folder, python };
        let sides = Side::all(self.workers);
        let mut best = vec![[None::<Best>; MODES.len()]; sides.len()];
        for _ in 0..self.runs.max(1) {
            for (side, best) in sides.iter().zip(&mut best) {
                for (mode, best) in MODES.iter().zip(best) {
                    let Some(mut command) = side.command(mode, &places) else { continue };
                    let now = measured(&mut command, side.processes())?;
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
            let (name, processes) = (side.name(), side.processes());
            println!("| {name} | {processes} | {} | {} | {}, {} |", rate(text), rate(drawn), busy(text), busy(drawn));
        }
        Ok(())
    }
}

fn measured(command: &mut Command, processes: usize) -> Result<Best> {
    let (started, before) = (Instant::now(), cpu_of_children()?);
    let Measured { pages, seconds } = serde_json::from_str(run::output(command)?.trim())?;
    let busy = (cpu_of_children()? - before) / (started.elapsed().as_secs_f64() * processes as f64);
    Ok(Best { rate: pages as f64 / seconds, busy })
}
