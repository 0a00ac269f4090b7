//! Measurements against what a user would write in Python today.

pub mod quality;

use anyhow::Result;

use crate::paths::Paths;

#[derive(clap::Subcommand)]
pub enum Bench {
    /// A folder of documents to clusters: wall, CPU and peak memory of both.
    Walk,
}

impl Bench {
    pub fn run(self, _paths: &Paths) -> Result<()> {
        Ok(())
    }
}
