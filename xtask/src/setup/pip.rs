//! Packages by pip: Python is only the way by which PDFium and the model arrive, and what the benchmarks compare with.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::run;

/// The first Python of the usual names that starts.
pub fn python() -> Result<&'static str> {
    ["python3", "python"]
        .into_iter()
        .find(|name| run::succeeds(Command::new(name).arg("--version")))
        .context("Python 3 is missing: install it (Debian: `apt-get install python3 python3-pip python3-venv`)")
}

/// Downloads exactly this package, without what it depends on, and returns its file.
pub fn download(package: &str, into: &Path) -> Result<PathBuf> {
    let python = python()?;
    if !run::succeeds(Command::new(python).args(["-m", "pip", "--version"])) {
        bail!("pip is missing: install it (Debian: `apt-get install python3-pip`)");
    }
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest"]).arg(into).arg(package);
    if !std::io::stderr().is_terminal() {
        pip.arg("--quiet");
    }
    run::checked(&mut pip).with_context(|| format!("pip could not download {package}"))?;
    let mut files = fs::read_dir(into)?.collect::<Result<Vec<_>, _>>()?;
    match (files.pop(), files.pop()) {
        (Some(file), None) => Ok(file.path()),
        _ => bail!("pip left no single file for {package}"),
    }
}
