//! A file of Rust stays below 400 lines, unless a reason is listed here.

use std::fs;
use std::path::Path;

use anyhow::Result;

const LIMIT: usize = 400;

/// Longer files, each with the reason why it is one thing.
const REASONS: &[(&str, &str)] = &[];

pub fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    let mut folders: Vec<_> =
        ["app", "crates", "frontend", "server", "xtask"].iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root)?.display().to_string();
                let text = fs::read_to_string(&path)?;
                let listed = REASONS.iter().any(|(file, _)| *file == name);
                findings.extend(finding(&name, &text, listed));
            }
        }
    }
    findings.extend(
        REASONS
            .iter()
            .filter(|(file, _)| !root.join(file).is_file())
            .map(|(file, _)| format!("{file} is listed as long and does not exist")),
    );
    findings.sort();
    Ok(findings)
}

fn finding(name: &str, text: &str, listed: bool) -> Option<String> {
    let lines = text.lines().count();
    if lines > LIMIT && !listed {
        return Some(format!("{name} has {lines} lines; above {LIMIT} a file needs a listed reason"));
    }
    if lines > 0 && !text.starts_with("//!") && !text.starts_with("#!") {
        return Some(format!("{name} does not begin with `//!`, what it owns and what it refuses"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_long_files_and_missing_headers() {
        let long = format!("//! Long.\n{}", "\n".repeat(LIMIT));
        assert!(finding("a.rs", &long, false).is_some());
        assert!(finding("a.rs", &long, true).is_none());
        assert!(finding("a.rs", "//! Short.\n", false).is_none());
        assert!(finding("a.rs", "fn main() {}\n", false).is_some());
    }
}
