//! What no compiler checks: which crate may know which, that documents name paths that exist, that files stay short.

mod dependencies;
mod ledger;
mod length;
mod named_paths;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

pub use self::workspace::Workspace;
use crate::paths::Paths;

/// All findings as one error.
pub fn check(paths: &Paths) -> Result<()> {
    let findings = findings(paths)?;
    if findings.is_empty() {
        return Ok(());
    }
    bail!("{} findings\n  {}", findings.len(), findings.join("\n  "))
}

/// `cargo xtask structure`.
pub fn report(paths: &Paths) -> Result<ExitCode> {
    let findings = findings(paths)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("{} findings", findings.len());
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(paths: &Paths) -> Result<Vec<String>> {
    let workspace = Workspace::read(paths)?;
    let mut findings = dependencies::findings(&workspace);
    findings.extend(named_paths::findings(&paths.root)?);
    findings.extend(length::findings(&paths.root)?);
    findings.extend(ledger::findings(&paths.root)?);
    Ok(findings)
}
