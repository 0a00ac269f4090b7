//! `sheaf demo`: makes a sample in a temporary folder, gives it labels, and says what came out. Nothing else has to run.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use sheaf_analysis::classification::NONE_BELOW;
use sheaf_domain::ModelName;
use sheaf_engine::backlog::{Request, Statistics, Tally, process, sample};

use super::{plain, start_log};

/// Records that are shown with their labels.
const SHOWN: usize = 8;

/// Show what `process` does, on a sample that is made for it: nothing else has to run, and nothing stays behind.
#[derive(clap::Args)]
pub struct Args {
    /// Records of the sample.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// accurate or fast.
    #[arg(long, default_value_t)]
    model: ModelName,
}

pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    start_log("warn");
    let folder = tempfile::tempdir().context("there is no place for temporary files")?;
    let made = sample(&folder.path().join("sample"), args.count, 0).map_err(|failure| plain(&failure))?;
    let out = folder.path().join("results");
    let request = Request {
        input: made.backlog.clone(),
        labels: made.labels,
        examples: None,
        out: Some(out.clone()),
        id_field: None,
        text_field: None,
        model: args.model,
        none_below: NONE_BELOW,
        batch_size: 64,
        max_concurrent: 4,
        models: sheaf_analysis::find_models(),
    };
    let statistics = process(&request, &Tally::default(), &mut |_, _| {}).map_err(|failure| plain(&failure))?;
    report(&made.backlog, &made.truth, &out, &statistics, args.model)?;
    Ok(ExitCode::SUCCESS)
}

fn report(backlog: &Path, truth: &Path, out: &Path, statistics: &Statistics, model: ModelName) -> anyhow::Result<()> {
    let truth = fs::read_to_string(truth)?;
    let truth: HashMap<&str, &str> = truth.lines().skip(1).filter_map(|line| line.split_once('\t')).collect();
    let (backlog, results) = (fs::read_to_string(backlog)?, fs::read_to_string(out.join("results.jsonl"))?);
    println!(
        "A sample of {} letters to a shop, labelled by the words of 8 labels ({model} model)\n",
        statistics.records
    );
    let (mut right, mut shown) = (0, 0);
    for (record, result) in backlog.lines().zip(results.lines()) {
        let record: serde_json::Value = serde_json::from_str(record)?;
        let result: serde_json::Value = serde_json::from_str(result)?;
        let label = result["label"].as_str().unwrap_or("none of these");
        let expected = record["id"].as_str().and_then(|id| truth.get(id)).copied().unwrap_or_default();
        right += u64::from(label == expected);
        if shown < SHOWN {
            let probability = result["probability"].as_f64().unwrap_or_default();
            println!("  {label:16} {:3.0} %  {}", probability * 100.0, record["text"].as_str().unwrap_or_default());
            shown += 1;
        }
    }
    println!("\n{:16} {:>8}", "label", "letters");
    for (label, count) in &statistics.by_label {
        println!("{label:16} {count:>8}");
    }
    println!("\n{right} of {} have the label that they were written for.", statistics.records);
    println!(
        "{:.0} letters a second, after {:.1} seconds of preparation.",
        per_second(statistics),
        statistics.prepare_seconds
    );
    println!("Your own: sheaf process FILE --labels labels.json --out RESULTS");
    Ok(())
}

fn per_second(statistics: &Statistics) -> f64 {
    statistics.records as f64 / (statistics.wall_seconds - statistics.prepare_seconds).max(1e-9)
}
