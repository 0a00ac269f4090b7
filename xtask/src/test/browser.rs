//! The browser tests: what they need on a fresh machine, and how they are run and counted.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::tally::Tally;
use crate::paths::{Paths, given};
use crate::{run, setup};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Node's packages by the lock file, and a Chromium.
pub fn install(paths: &Paths) -> Result<()> {
    let folder = paths.root.join("end2end");
    if !run::succeeds(Command::new("npm").arg("--version")) {
        bail!("Node with npm is missing: the browser tests need it (Debian: `apt-get install nodejs npm`)");
    }
    let (lock, stamp) = (folder.join("package-lock.json"), folder.join("node_modules/.package-lock.json"));
    if !stamp.is_file() || fs::metadata(&stamp)?.modified()? < fs::metadata(&lock)?.modified()? {
        run::step("npm ci", || {
            run::checked(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder))
        })?;
    }
    if browser().is_none() {
        let by_hand = "install it (Debian: `apt-get install chromium`) or set SHEAF_CHROMIUM to one";
        setup::debian::install("Chromium", &["chromium"], by_hand)?;
    }
    Ok(())
}

/// Playwright strips types without looking at them.
pub fn check_types(paths: &Paths) -> Result<()> {
    run::checked(
        Command::new("npx").args(["--no-install", "tsc", "--project", "."]).current_dir(paths.root.join("end2end")),
    )
}

/// Drives the built binary; Playwright starts and ends it.
pub fn drive(paths: &Paths, sheaf: &Path, args: &[String], tally: &mut Tally) -> Result<()> {
    let browser = browser().context("no Chromium was found after installing it")?;
    let mut playwright = Command::new("npx");
    playwright
        .args(["--no-install", "playwright", "test", "--reporter", "list"])
        .args(args)
        .current_dir(paths.root.join("end2end"))
        .env("SHEAF_BIN", sheaf)
        .env("SHEAF_CHROMIUM", browser)
        .env("FORCE_COLOR", "0");
    tally.tests("browser tests", &mut playwright)
}

fn browser() -> Option<PathBuf> {
    if let Some(own) = given("SHEAF_CHROMIUM") {
        return own.is_file().then_some(own);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).flat_map(|folder| BROWSERS.map(|name| folder.join(name))).find(|file| file.is_file())
}
