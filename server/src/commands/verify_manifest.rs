//! `sheaf verify-manifest`: does the same input still give the same clusters?

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;
use sheaf_domain::{BatchParams, Passwords};
use sheaf_engine::ProcessingConfig;
use sheaf_engine::folder::{Fields, Replay, Request};

use super::analyze::with_bar;
use super::bounds::Bounds;
use super::reading::Reading;
use super::start_log;

/// Something came out otherwise.
const DIFFERENT: u8 = 2;

/// Differences that are listed.
const SHOWN: usize = 20;

/// Files of results that say what the clusters are; what is not there on either side is no difference.
const CLUSTERS: [&str; 2] = ["clusters.json", "merges.json"];

/// Analyse an input again as the manifest of its results says, and compare the clusters.
///
/// Ends with 0 when every document has the same cluster and probability and the clusters have the same names, with 2 when
/// something differs (it is listed), and with 1 when it could not run.
#[derive(clap::Args)]
pub struct Args {
    /// A folder of results, as `sheaf analyze` wrote it.
    results: PathBuf,
    /// What it was made of, named as it was then.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Read records: the field that holds the id.
    #[arg(long, value_name = "FIELD")]
    id_field: Option<String>,
    /// Read records: the field that holds the text.
    #[arg(long, value_name = "FIELD")]
    text_field: Option<String>,
    /// A file of passwords, one on each line, that are tried on documents and ZIPs that ask for one.
    #[arg(long, value_name = "FILE")]
    passwords: Option<PathBuf>,
    #[command(flatten)]
    reading: Reading,
    #[command(flatten)]
    bounds: Bounds,
}

/// What a replay needs of a manifest.
#[derive(Deserialize)]
struct Recorded {
    params: BatchParams,
    /// What there was before, and what people changed.
    #[serde(default)]
    identity: Option<Replay>,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let manifest = args.results.join("manifest.json");
    let Recorded { params, identity } = serde_json::from_value(json(&manifest)?)
        .with_context(|| format!("`{}` is no manifest of an analysis", manifest.display()))?;
    let mut processing = ProcessingConfig::new(std::env::current_exe().context("this program cannot be found")?);
    args.reading.apply(&mut processing);
    args.bounds.apply(&mut processing);
    let again = tempfile::tempdir().context("no temporary folder can be made")?;
    let passwords = match &args.passwords {
        Some(file) => Passwords::from_lines(&text(file)?),
        None => Passwords::default(),
    };
    let request = Request {
        passwords,
        inputs: args.inputs,
        out: again.path().to_owned(),
        fields: Fields::of(args.id_field, args.text_field),
        params,
        replay: identity,
        text: false,
        processing,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(with_bar(request, None, true))?;

    let differences = differences(&args.results, again.path())?;
    for difference in differences.iter().take(SHOWN) {
        println!("{difference}");
    }
    if differences.len() > SHOWN {
        println!("… and {} more", differences.len() - SHOWN);
    }
    if differences.is_empty() {
        println!("The clusters are identical.");
        return Ok(ExitCode::SUCCESS);
    }
    Ok(ExitCode::from(DIFFERENT))
}

/// What differs between two folders of results: first what the clusters depend on, then the documents, then the names.
fn differences(before: &Path, after: &Path) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let (old, new) = (json(&before.join("manifest.json"))?, json(&after.join("manifest.json"))?);
    for key in ["sheaf", "parser", "chunking", "clustering", "model", "params"] {
        if old[key] != new[key] {
            found.push(format!("manifest: `{key}` was {}, is {}", old[key], new[key]));
        }
    }
    compare("hash", &hashes(&old), &hashes(&new), &mut found);
    compare("cluster and probability", &placements(before)?, &placements(after)?, &mut found);
    for name in CLUSTERS {
        let (old, new) = (before.join(name), after.join(name));
        if old.is_file() && new.is_file() && json(&old)? != json(&new)? {
            found.push(format!("{name}: names or figures differ"));
        }
    }
    Ok(found)
}

/// Adds what two tables by path do not agree on.
fn compare(what: &str, old: &BTreeMap<String, Value>, new: &BTreeMap<String, Value>, found: &mut Vec<String>) {
    for (path, value) in old {
        match new.get(path) {
            None => found.push(format!("{path}: is not in the input any more")),
            Some(other) if other != value => found.push(format!("{path}: {what} was {value}, is {other}")),
            Some(_) => {}
        }
    }
    let added = new.keys().filter(|path| !old.contains_key(*path));
    found.extend(added.map(|path| format!("{path}: was not in the input")));
    // A path that is missing or new is missing or new in every table.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|line| seen.insert(line.clone()));
}

fn hashes(manifest: &Value) -> BTreeMap<String, Value> {
    let files = manifest["files"].as_object();
    files.into_iter().flatten().map(|(path, hash)| (path.clone(), hash.clone())).collect()
}

fn placements(results: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let file = results.join("documents.jsonl");
    let rows = text(&file)?;
    rows.lines()
        .map(|line| {
            let row: Value = serde_json::from_str(line).with_context(|| format!("`{}` is no JSON", file.display()))?;
            let path = row["path"].as_str().unwrap_or_default().to_owned();
            Ok((path, Value::from(vec![row["cluster"].clone(), row["probability"].clone(), row["outlier"].clone()])))
        })
        .collect()
}

fn json(file: &Path) -> anyhow::Result<Value> {
    serde_json::from_str(&text(file)?).with_context(|| format!("`{}` is no JSON", file.display()))
}

fn text(file: &Path) -> anyhow::Result<String> {
    fs::read_to_string(file).with_context(|| format!("`{}` cannot be read", file.display()))
}
