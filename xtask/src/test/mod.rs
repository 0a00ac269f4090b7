//! `cargo xtask test`: every check and test there is, in the order in which a mistake shows soonest, and one count at the end.

mod browser;
mod tally;

use std::process::ExitCode;

use anyhow::Result;

use self::tally::Tally;
use crate::paths::{Paths, Profile};
use crate::structure::Workspace;
use crate::{build, run, setup, structure};

/// What runs in the browser is compiled and linted for it alone: its features are not the server's.
const PAGE: &str = "frontend";

#[derive(clap::Args)]
pub struct Test {
    /// Leave out the browser tests.
    #[arg(long)]
    no_browser: bool,
    /// Only the browser tests.
    #[arg(long, conflicts_with = "no_browser")]
    browser: bool,
    /// Drive the browser tests against the debug build.
    #[arg(long)]
    dev: bool,
    /// Handed to Playwright, such as the name of one test file.
    #[arg(last = true)]
    playwright: Vec<String>,
}

impl Test {
    /// Goes on after a failure, so that one run shows all of them.
    pub fn run(self, paths: &Paths) -> Result<ExitCode> {
        let mut tally = Tally::default();
        if !self.browser {
            checks(paths, &mut tally)?;
            tests(paths, &mut tally)?;
        }
        if !self.no_browser {
            tally.outcome("browser tests", self.in_browser(paths, &mut Tally::default()));
        }
        Ok(tally.close())
    }

    fn in_browser(&self, paths: &Paths, tally: &mut Tally) -> Result<Tally> {
        setup::recognition()?;
        browser::install(paths)?;
        tally.check("types of the browser tests", browser::check_types(paths));
        let sheaf = build::build(paths, if self.dev { Profile::Dev } else { Profile::Release })?;
        browser::drive(paths, &sheaf, &self.playwright, tally)?;
        Ok(std::mem::take(tally))
    }
}

/// Formatting, structure and lints.
fn checks(paths: &Paths, tally: &mut Tally) -> Result<()> {
    tally.check("formatting", run::checked(run::cargo(paths).args(["fmt", "--all", "--check"])));
    tally.check("structure", structure::check(paths));
    let workspace = Workspace::read(paths)?;
    let mut clippy = run::cargo(paths);
    clippy.arg("clippy").args(native(&workspace)).args(["--all-targets", "--", "-D", "warnings"]);
    tally.check("clippy, native", run::checked(&mut clippy));
    setup::wasm_target()?;
    let mut clippy = run::cargo(paths);
    clippy.args(["clippy", "-p", PAGE, "--target", "wasm32-unknown-unknown", "--target-dir"]);
    clippy.arg(paths.target.join("front")).args(["--", "-D", "warnings"]);
    tally.check("clippy, page", run::checked(&mut clippy));
    Ok(())
}

/// Unit, property, contract, walk, crash, HTTP and CLI tests. There are no examples in the documentation to be run: their
/// features differ, and everything would be compiled once more.
fn tests(paths: &Paths, tally: &mut Tally) -> Result<()> {
    setup::setup(paths)?;
    setup::recognition()?;
    setup::postgres()?;
    setup::small_model(paths);
    let workspace = Workspace::read(paths)?;
    // The tests use both models; the fast one is made by the program that they test.
    run::checked(run::cargo(paths).args(["build", "-p", "server"]))?;
    setup::fast_model(paths, &paths.target.join("debug/sheaf"))?;
    let nextest = run::succeeds(run::cargo(paths).args(["nextest", "--version"]));
    let mut cargo = run::cargo(paths);
    cargo.env("SHEAF_CACHE_DIR", &paths.cache);
    if nextest {
        // A test that passes the second time only is told at the end as flaky.
        cargo.args(["nextest", "run", "--no-fail-fast", "--no-tests", "pass", "--retries", "1"]);
    } else {
        cargo.args(["test", "--no-fail-fast", "--all-targets"]);
    }
    cargo.args(native(&workspace));
    tally.tests("tests", &mut cargo)
}

/// `-p` for every package but the page's: `--workspace` would switch `ssr` and `hydrate` on together.
fn native(workspace: &Workspace) -> Vec<&str> {
    workspace
        .packages
        .iter()
        .filter(|package| package.name != PAGE)
        .flat_map(|package| ["-p", package.name.as_str()])
        .collect()
}
