//! `cargo xtask quality`: how well clusters agree with labels, ours beside Python's usual recipe on the same documents.

use std::path::PathBuf;

use anyhow::Result;

use super::Model;
use super::python::Python;
use crate::paths::{ACCURATE_MODEL, Paths, Profile};
use crate::{build, run, setup};

/// What can be measured besides clusters.
#[derive(clap::Subcommand)]
pub enum What {
    /// The words that are found in real documents, by suffix.
    Parsing(super::parsing::Parsing),
    /// Families of near-duplicates, beside pairs that were made to be alike or not.
    Families(super::families::Families),
    /// Labels of support queries, beside the true ones.
    Support(super::support::Support),
}

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Quality {
    #[command(subcommand)]
    what: Option<What>,
    /// Which of Sheaf's models to measure, both when not given; the Python side always embeds with the accurate one.
    #[arg(long, value_enum)]
    model: Vec<Model>,
    /// Documents of each text set, evenly taken; 0 for all of them.
    #[arg(long, default_value_t = 1500)]
    most: usize,
    /// Only these sets, such as `bbc-news`, `brown-genres`, `banking77`, `cs-papers`.
    #[arg(long)]
    set: Vec<String>,
    /// Only the Python side.
    #[arg(long)]
    python_only: bool,
    /// Write the table into `docs/quality.md`.
    #[arg(long)]
    write: bool,
}

impl Quality {
    pub fn run(self, paths: &Paths) -> Result<()> {
        match self.what {
            Some(What::Parsing(parsing)) => return parsing.run(paths),
            Some(What::Families(families)) => return families.run(paths),
            Some(What::Support(support)) => return support.run(paths),
            None => {}
        }
        let corpora = paths.corpora()?;
        setup::setup(paths)?;
        let python = Python::ready(paths)?;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let mut script = python.script("quality.py", threads);
        script.arg("--corpora").arg(corpora).arg("--model-folder").arg(paths.model(ACCURATE_MODEL));
        script.args(["--most", &self.most.to_string(), "--threads", &threads.to_string()]);
        for model in &self.model {
            script.args(["--model", model.name()]);
        }
        for set in &self.set {
            script.args(["--set", set]);
        }
        if !self.python_only {
            script.arg("--sheaf").arg(build::build(paths, Profile::Release)?);
        }
        if self.write {
            script.arg("--write").arg(PathBuf::from(&paths.root).join("docs/quality.md"));
        }
        run::checked(&mut script)
    }
}
