//! `cargo xtask quality families`: whether the built binary joins what was made to be alike, and nothing else.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::parsing::{analyze, replaced};
use crate::paths::{Paths, Profile};
use crate::{build, setup};

/// Where in `docs/quality.md` the table stands.
const MARKS: (&str, &str) = ("<!-- families: written by cargo xtask quality families -->", "<!-- families: end -->");
/// Classes of pairs that belong together.
const ALIKE: [&str; 3] = ["exact", "same-text", "near"];

#[derive(clap::Args)]
pub struct Families {
    /// A built `sheaf` to measure, instead of building one.
    #[arg(long)]
    sheaf: Option<PathBuf>,
    /// Name every pair that is judged otherwise than it was made.
    #[arg(long)]
    wrong: bool,
    /// Write the table to `docs/quality.md`.
    #[arg(long)]
    write: bool,
}

impl Families {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let folder = paths.corpora()?.join("neardup");
        let sheaf = match &self.sheaf {
            Some(sheaf) => sheaf.canonicalize().with_context(|| format!("cannot find `{}`", sheaf.display()))?,
            None => {
                setup::setup(paths)?;
                setup::recognition()?;
                build::build(paths, Profile::Release)?
            }
        };
        let work = tempfile::tempdir()?;
        analyze(&sheaf, &folder.join("files"), work.path())?;
        let families = family_of_each(&work.path().join("families.json"))?;

        let mut classes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let pairs = fs::read_to_string(folder.join("pairs.tsv")).context("the corpora have no pairs")?;
        for line in pairs.lines().skip(1) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [a, b, class, ..] = columns[..] else { continue };
            let family = |path: &str| families.get(path.strip_prefix("files/").unwrap_or(path));
            let joined = family(a).is_some() && family(a) == family(b);
            let counts = classes.entry(class.to_owned()).or_default();
            counts.0 += 1;
            counts.1 += usize::from(joined);
            if self.wrong && joined != ALIKE.contains(&class) {
                eprintln!("  {class}, {}: {a} {b}", if joined { "joined" } else { "not joined" });
            }
        }
        let table = table(&classes);
        println!("\n{table}");
        if self.write {
            let page = paths.root.join("docs/quality.md");
            fs::write(&page, replaced(&fs::read_to_string(&page)?, MARKS, &table)?)?;
        }
        Ok(())
    }
}

/// The number of the family of each path that is in one.
fn family_of_each(file: &Path) -> Result<HashMap<String, usize>> {
    let families: Vec<Value> = serde_json::from_slice(&fs::read(file)?)?;
    let members = families.iter().enumerate().flat_map(|(number, family)| {
        let members = family["members"].as_array().into_iter().flatten();
        members.filter_map(move |member| Some((member["path"].as_str()?.to_owned(), number)))
    });
    Ok(members.collect())
}

fn table(classes: &BTreeMap<String, (usize, usize)>) -> String {
    let mut table = "| pairs that were made | pairs | in one family |\n|---|---|---|\n".to_owned();
    let mut found = [0.0; 3];
    for (class, &(pairs, joined)) in classes {
        table.push_str(&format!("| {class} | {pairs} | {joined} |\n"));
        if ALIKE.contains(&class.as_str()) {
            found[0] += joined as f64;
            found[2] += pairs as f64;
        } else {
            found[1] += joined as f64;
        }
    }
    let [right, wrong, wanted] = found;
    let (precision, recall) = (right / (right + wrong).max(1.0), right / wanted.max(1.0));
    let f1 = 2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE);
    table.push_str(&format!(
        "\nExact, same text and near against all others: precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}.\n"
    ));
    table
}
