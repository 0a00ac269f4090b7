//! `sheaf sample`: a backlog to try things with.

use std::path::PathBuf;
use std::process::ExitCode;

use super::plain;

/// Make a backlog to try things with: letters to a shop, a set of labels and the true label of each letter.
#[derive(clap::Args)]
pub struct Args {
    /// Records of the backlog.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    count: u32,
    /// The folder to put backlog.jsonl, labels.json and truth.tsv into; made if absent.
    #[arg(long, default_value = "sample", value_name = "FOLDER")]
    out: PathBuf,
    /// Another seed makes another backlog.
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let made = sheaf_engine::backlog::sample(&args.out, args.count, args.seed).map_err(|failure| plain(&failure))?;
    println!("{} records are in {}", args.count, made.backlog.display());
    println!("Next: sheaf process {} --labels {} --out results", made.backlog.display(), made.labels.display());
    Ok(ExitCode::SUCCESS)
}
