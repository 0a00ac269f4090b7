//! `cargo xtask quality support`: how often the built binary gives a support query its true label, with the words of the labels alone
//! and with ten examples of each label. The truth of a query is never among the examples.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::Model;
use super::parsing::replaced;
use crate::paths::{Paths, Profile};
use crate::{build, run, setup};

/// Where in `docs/quality.md` the table stands.
const MARKS: (&str, &str) = ("<!-- support: written by cargo xtask quality support -->", "<!-- support: end -->");
/// The sets, and their files of queries.
const SETS: [(&str, &str); 3] =
    [("backlog-77", "queries.json"), ("backlog-10", "queries.jsonl"), ("backlog-imbalanced", "queries.csv")];
/// Examples of each label.
const EXAMPLES: usize = 10;
/// Bins of the calibration error.
const BINS: usize = 10;

#[derive(clap::Args)]
pub struct Support {
    /// A built `sheaf` to measure, instead of building one.
    #[arg(long)]
    sheaf: Option<PathBuf>,
    /// Write the table to `docs/quality.md`.
    #[arg(long)]
    write: bool,
}

/// How a set went.
struct Score {
    accuracy: f64,
    macro_f1: f64,
    /// Expected calibration error of the likeliest label's probability, in ten bins of equal width.
    calibration: f64,
}

impl Support {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let corpora = paths.corpora()?;
        let sheaf = match &self.sheaf {
            Some(sheaf) => sheaf.canonicalize().with_context(|| format!("cannot find `{}`", sheaf.display()))?,
            None => {
                setup::setup(paths)?;
                build::build(paths, Profile::Release)?
            }
        };
        let work = tempfile::tempdir()?;
        let mut table = String::from("| set | model | from | accuracy | macro F1 | ECE |\n|---|---|---|---|---|---|\n");
        for (set, queries) in SETS {
            let folder = corpora.join("support").join(set);
            let examples = work.path().join(format!("{set}.tsv"));
            fs::write(&examples, ten_of_each(&corpora, &folder.join("labels.json"))?)?;
            for model in [Model::Accurate, Model::Fast] {
                for from in [None, Some(examples.as_path())] {
                    let out = work.path().join("results");
                    let mut command = Command::new(&sheaf);
                    command.arg("process").arg(folder.join(queries)).arg("--labels").arg(folder.join("labels.json"));
                    command.arg("--out").arg(&out).args(["--model", model.name()]);
                    if let Some(examples) = from {
                        command.arg("--examples").arg(examples);
                    }
                    run::checked(&mut command)?;
                    let Score { accuracy, macro_f1, calibration } = score(&folder.join("gold.tsv"), &out)?;
                    let (model, from) = (model.name(), if from.is_some() { "10 examples a label" } else { "words" });
                    writeln!(table, "| {set} | {model} | {from} | {accuracy:.3} | {macro_f1:.3} | {calibration:.3} |")?;
                }
            }
        }
        println!("\n{table}");
        if self.write {
            let page = paths.root.join("docs/quality.md");
            fs::write(&page, replaced(&fs::read_to_string(&page)?, MARKS, &table)?)?;
        }
        Ok(())
    }
}

/// Texts with labels from the set that the backlogs were taken from, without any text of a backlog.
fn ten_of_each(corpora: &Path, labels: &Path) -> Result<String> {
    let labels: Vec<Value> = serde_json::from_slice(&fs::read(labels)?)?;
    let mut backlogs = String::new();
    for (set, queries) in SETS {
        backlogs.push_str(&fs::read_to_string(corpora.join("support").join(set).join(queries))?);
    }
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in fs::read_to_string(corpora.join("text/banking77/data.jsonl"))?.lines() {
        let row: Value = serde_json::from_str(line)?;
        if let (Some(label), Some(text)) = (row["label"].as_str(), row["text"].as_str()) {
            let (as_json, as_csv) = (row["text"].to_string(), text.replace('"', "\"\""));
            if !text.contains(['\t', '\n', '"']) && !backlogs.contains(&as_json) && !backlogs.contains(&as_csv) {
                texts.entry(label.to_owned()).or_default().push(text.to_owned());
            }
        }
    }
    let mut rows = String::from("text\tlabel\n");
    for label in labels.iter().filter_map(|label| label["name"].as_str()) {
        let of = texts.get(label).with_context(|| format!("no text has the label `{label}`"))?;
        ensure!(of.len() >= EXAMPLES, "label `{label}` has too few texts");
        for i in 0..EXAMPLES {
            writeln!(rows, "{}\t{label}", of[i * of.len() / EXAMPLES])?;
        }
    }
    Ok(rows)
}

fn score(gold: &Path, out: &Path) -> Result<Score> {
    let gold = fs::read_to_string(gold)?;
    let gold: HashMap<&str, &str> = gold.lines().skip(1).filter_map(|line| line.split_once('\t')).collect();
    let results = fs::read_to_string(out.join("results.jsonl"))?;
    let mut rows = Vec::new();
    for line in results.lines() {
        let row: Value = serde_json::from_str(line)?;
        let id = row["id"].as_str().context("a row without an id")?;
        let truth = gold.get(id).with_context(|| format!("`{id}` has no truth"))?;
        let label = row["label"].as_str().unwrap_or_default().to_owned();
        rows.push(((*truth).to_owned(), label, row["probability"].as_f64().unwrap_or_default()));
    }
    ensure!(rows.len() == gold.len(), "{} rows for {} queries", rows.len(), gold.len());
    Ok(of_rows(&rows))
}

/// Truth, label and probability of each query.
fn of_rows(rows: &[(String, String, f64)]) -> Score {
    let right = rows.iter().filter(|(truth, label, _)| truth == label).count();
    let truths: BTreeSet<&str> = rows.iter().map(|(truth, _, _)| truth.as_str()).collect();
    let f1 = |name: &str| {
        let hits = rows.iter().filter(|(truth, label, _)| truth == name && label == name).count();
        let sum =
            rows.iter().map(|(truth, label, _)| usize::from(truth == name) + usize::from(label == name)).sum::<usize>();
        2.0 * hits as f64 / sum.max(1) as f64
    };
    let mut bins = [(0.0_f64, 0.0_f64); BINS];
    for (truth, label, probability) in rows {
        let bin = &mut bins[((probability * BINS as f64) as usize).min(BINS - 1)];
        bin.0 += f64::from(u8::from(truth == label));
        bin.1 += probability;
    }
    Score {
        accuracy: right as f64 / rows.len() as f64,
        macro_f1: truths.iter().map(|name| f1(name)).sum::<f64>() / truths.len() as f64,
        calibration: bins.iter().map(|(right, promised)| (right - promised).abs()).sum::<f64>() / rows.len() as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_with_their_definitions() {
        let row = |truth: &str, label: &str, probability| (truth.to_owned(), label.to_owned(), probability);
        let score = of_rows(&[row("a", "a", 0.95), row("a", "b", 0.55), row("b", "b", 0.55), row("b", "", 0.05)]);
        assert!((score.accuracy - 0.5).abs() < 1e-9);
        // Label a: 2 * 1 / (2 + 1); label b: 2 * 1 / (2 + 2).
        assert!((score.macro_f1 - (2.0 / 3.0 + 0.5) / 2.0).abs() < 1e-9);
        assert!((score.calibration - (0.05 + 0.1 + 0.05) / 4.0).abs() < 1e-9);
    }
}
