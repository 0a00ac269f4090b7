//! Measurements: against what a user would write in Python today (the same input, model, chunks and threads), and of the server.

mod clusters;
mod explore;
pub mod families;
mod measure;
mod pages;
pub mod parsing;
mod python;
pub mod quality;
mod runs;
mod search;
pub mod support;
mod texts;
mod walk;

use anyhow::Result;

use crate::paths::Paths;

#[derive(clap::Subcommand)]
pub enum Bench {
    /// A folder of documents to clusters: wall, CPU and peak memory of both.
    Walk(walk::Walk),
    /// PDFs to text and to pictures: pages a second of both.
    Parsing(pages::Pages),
    /// Batches through the server: throughput, answers meanwhile, cancellations, a crowd.
    Runs(runs::Runs),
    /// Filters, orders and pages of large batches that are done.
    Explore(explore::Explore),
    /// The same vectors grouped: wall, CPU and peak memory beside scikit-learn, and UMAP with HDBSCAN.
    Clusters(clusters::Clusters),
    /// Questions among many short texts: how long the API takes.
    Search(search::Search),
}

impl Bench {
    pub fn run(self, paths: &Paths) -> Result<()> {
        match self {
            Self::Walk(walk) => walk.run(paths),
            Self::Parsing(parsing) => parsing.run(paths),
            Self::Runs(runs) => runs.run(paths),
            Self::Explore(explore) => explore.run(paths),
            Self::Clusters(clusters) => clusters.run(paths),
            Self::Search(search) => search.run(paths),
        }
    }
}

/// Which of the two models a comparison uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Model {
    Accurate,
    Fast,
}

impl Model {
    pub fn name(self) -> &'static str {
        match self {
            Self::Accurate => "accurate",
            Self::Fast => "fast",
        }
    }
}
