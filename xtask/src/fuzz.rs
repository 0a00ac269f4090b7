//! `cargo xtask fuzz`: the mutation tests of the parsers, for longer and from another seed each time.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;

use crate::paths::Paths;
use crate::run;

#[derive(clap::Args)]
pub struct Fuzz {
    /// Seconds for each target; there are about a dozen.
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// Where chance begins; the clock when left out. A finding names it.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Only targets with this in their name: mail, zip, pdf …
    #[arg(value_name = "TARGET")]
    target: Option<String>,
}

impl Fuzz {
    /// Stops at the end of the targets; a finding fails its target and says where its file is.
    pub fn run(self, paths: &Paths) -> Result<()> {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
        let seed = self.seed.unwrap_or(clock);
        eprintln!("seed {seed}");
        let mut cargo = run::cargo(paths);
        cargo.args(["test", "-p", "sheaf-parsing", "--test", "fuzz", "--no-fail-fast", "--"]);
        cargo.args(["--nocapture", "--test-threads", "2"]).args(self.target);
        cargo.env("SHEAF_FUZZ_SECONDS", self.seconds.to_string()).env("SHEAF_FUZZ_SEED", seed.to_string());
        cargo.env("SHEAF_CACHE_DIR", &paths.cache);
        run::checked(&mut cargo)
    }
}
