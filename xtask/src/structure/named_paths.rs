//! A path that a document names in backticks must exist, so that documents cannot fall behind the code unnoticed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

/// What a path of this repository begins with; anything else in backticks is no path of ours.
const TOPS: [&str; 18] = [
    ".cargo/",
    ".ci/",
    "app/",
    "bench/",
    "crates/",
    "deploy/",
    "docs/",
    "end2end/",
    "fixtures/",
    "frontend/",
    "migrations/",
    "public/",
    "server/",
    "style/",
    "xtask/",
    "ARCHITECTURE.md",
    "README.md",
    "Cargo.toml",
];

pub fn findings(root: &Path) -> Result<Vec<String>> {
    let mut findings = Vec::new();
    for document in documents(root)? {
        let name = document.strip_prefix(root)?.display().to_string();
        let mut fenced = false;
        for (number, line) in fs::read_to_string(&document)?.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            }
            if fenced {
                continue;
            }
            for path in line.split('`').skip(1).step_by(2).flat_map(paths_in) {
                if !root.join(&path).exists() {
                    findings.push(format!("{name}:{}: `{path}` does not exist", number + 1));
                }
            }
        }
    }
    Ok(findings)
}

fn documents(root: &Path) -> Result<Vec<PathBuf>> {
    let mut documents: Vec<PathBuf> = ["ARCHITECTURE.md", "README.md"]
        .map(|name| root.join(name))
        .into_iter()
        .filter(|path| path.is_file())
        .collect();
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path);
            }
        }
    }
    documents.sort();
    Ok(documents)
}

/// The paths that a span of code names: `a/{b,c}.rs` names two, a pattern such as `a/<name>.rs` or a command names none.
fn paths_in(span: &str) -> Vec<String> {
    let span = span.trim_end_matches('/');
    let is_path =
        TOPS.iter().any(|top| span.starts_with(top) || span == top.trim_end_matches('/')) && span.contains(['/', '.']);
    if !is_path || span.contains([' ', '*', '<', '…', '$', ':', '(']) {
        return Vec::new();
    }
    let Some((start, rest)) = span.split_once('{') else { return vec![span.to_owned()] };
    let Some((choices, end)) = rest.split_once('}') else { return Vec::new() };
    choices.split(',').flat_map(|choice| paths_in(&format!("{start}{}{end}", choice.trim()))).collect()
}

#[cfg(test)]
mod tests {
    use super::paths_in;

    #[test]
    fn tells_paths_from_other_code() {
        let check = |span: &str, expect: &[&str]| assert_eq!(paths_in(span), expect, "{span}");
        check("crates/domain/src/lib.rs", &["crates/domain/src/lib.rs"]);
        check("crates/domain/", &["crates/domain"]);
        check("migrations/{sqlite,postgres}", &["migrations/sqlite", "migrations/postgres"]);
        check("app/src/routes/<resource>/<verb>.rs", &[]);
        check("app/src/*.rs", &[]);
        check("cargo xtask serve", &[]);
        check("app", &[]);
        check("target/release/sheaf", &[]);
    }
}
