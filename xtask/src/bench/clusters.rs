//! `cargo xtask bench clusters`: the same vectors grouped by Sheaf, by scikit-learn's k-means and by UMAP with HDBSCAN, in turns.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde::Deserialize;

use super::measure::{Cost, measure, median};
use super::python::Python;
use crate::paths::Paths;
use crate::{run, setup};

/// The largest number of vectors that are made of real texts; above it a mixture is made.
const REAL: usize = 13_000;
/// From so many vectors on the others are measured on demand only: they take many minutes.
const LONG: usize = 50_000;

#[derive(clap::Args)]
pub struct Clusters {
    /// Numbers of vectors.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    rows: Vec<usize>,
    /// Measure the others at 100,000 too.
    #[arg(long)]
    all: bool,
    /// Runs of each side.
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Threads of each side; all cores when not given.
    #[arg(long)]
    threads: Option<usize>,
    /// A Python with numpy, scikit-learn, umap-learn and hdbscan, instead of one that is set up.
    #[arg(long)]
    python: Option<PathBuf>,
}

/// How well the groups fit the labels.
#[derive(Deserialize)]
struct Found {
    seconds: f64,
    clusters: usize,
    outliers: f64,
    v: f64,
    ari: f64,
}

/// One of those that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Sheaf,
    KMeans,
    Bertopic,
}

impl Side {
    const ALL: [Self; 3] = [Self::Sheaf, Self::KMeans, Self::Bertopic];

    const fn title(self) -> &'static str {
        match self {
            Self::Sheaf => "Sheaf",
            Self::KMeans => "scikit-learn's k-means, true k",
            Self::Bertopic => "UMAP and HDBSCAN",
        }
    }
}

impl Clusters {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let threads = self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        setup::setup(paths)?;
        let ours = run::step("build the example that groups vectors", || {
            let mut cargo = run::cargo(paths);
            cargo.args(["build", "--release", "--package", "sheaf-analysis", "--example", "clusters"]);
            run::checked(&mut cargo)?;
            Ok(paths.target.join("release/examples").join(format!("clusters{}", std::env::consts::EXE_SUFFIX)))
        })?;
        let python = match &self.python {
            Some(program) => Python::given(paths, program.clone()),
            None => Python::ready(paths)?,
        };
        println!("| vectors | | wall s | of it grouping s | CPU s | peak MB | clusters | outliers | V | ARI |");
        println!("|---|---|---|---|---|---|---|---|---|---|");
        for &rows in &self.rows {
            self.compare(paths, &ours, &python, rows, threads)?;
        }
        Ok(())
    }

    /// All sides on so many vectors.
    fn compare(&self, paths: &Paths, ours: &Path, python: &Python, rows: usize, threads: usize) -> Result<()> {
        let work = tempfile::tempdir()?;
        let vectors = work.path().join("vectors.f32");
        let mut make = Command::new(ours);
        let texts = paths.corpora().map(|corpora| corpora.join("text/banking77/data.jsonl")).ok();
        let source = match texts.filter(|texts| rows <= REAL && texts.is_file()) {
            Some(texts) => {
                make.arg("embed").arg(texts).arg(rows.to_string()).arg(&vectors);
                make.env("SHEAF_MODEL_DIR", paths.models());
                "queries"
            }
            None => {
                make.arg("make").arg(rows.to_string()).arg(&vectors);
                "made"
            }
        };
        run::checked(&mut make)?;
        let mut own: Option<Cost> = None;
        for side in Side::ALL {
            if side != Side::Sheaf && rows >= LONG && !self.all {
                continue;
            }
            let out = work.path().join("found.json");
            let mut costs = Vec::new();
            for _ in 0..self.runs.max(1) {
                let mut command = match side {
                    Side::Sheaf => {
                        let mut command = Command::new(ours);
                        command.arg("group").env("RAYON_NUM_THREADS", threads.to_string());
                        command
                    }
                    Side::KMeans | Side::Bertopic => {
                        let mut command = python.script("clusters.py", threads);
                        command.arg("--threads").arg(threads.to_string());
                        command.arg(if side == Side::KMeans { "kmeans" } else { "bertopic" });
                        command
                    }
                };
                costs.push(measure(command.arg(&vectors).arg(&out), &[0])?);
            }
            let cost = median(&costs);
            let report = fs::read_to_string(&out).context("no report was written")?;
            let Found { seconds, clusters, outliers, v, ari } = serde_json::from_str(&report)?;
            // The figure of another side with how many times Sheaf's it is.
            let cell = |figure: fn(&Cost) -> f64, decimals: usize| {
                let value = figure(&cost);
                own.map_or_else(
                    || format!("{value:.decimals$}"),
                    |own| format!("{value:.decimals$} ({:.1} ×)", value / figure(&own).max(1e-9)),
                )
            };
            println!(
                "| {rows}, {source} | {} | {} | {seconds:.2} | {} | {} | {clusters} | {:.0} % | {v:.3} | {ari:.3} |",
                side.title(),
                cell(|cost| cost.wall, 2),
                cell(|cost| cost.cpu, 2),
                cell(|cost| cost.peak_bytes as f64 / 1e6, 0),
                outliers * 100.0,
            );
            if side == Side::Sheaf {
                own = Some(cost);
            }
        }
        Ok(())
    }
}
