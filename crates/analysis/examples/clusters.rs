//! One side of `cargo xtask bench clusters`: makes vectors, and groups them as a batch is grouped.
//!
//! `clusters embed DATA.jsonl ROWS OUT`: the fast model's vectors of texts that are evenly taken, as f32, and `OUT.labels`.
//! `clusters make ROWS OUT`: a mixture of 50 directions of unequal weight in 384 dimensions, each with noise of 1.2 times its length.
//! `clusters group VECTORS OUT`: groups them by the usual method with all that a batch gets but words: neighbours, memberships,
//! outliers, hierarchy, order. Writes seconds, the number of clusters and how well they fit the labels as JSON.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use sheaf_analysis::metrics::{adjusted_rand_index, v_measure};
use sheaf_analysis::{AnalyseInput, AnalyseParams, Step, Terms, analyse, embed_documents, find_models, load_model};
use sheaf_domain::ModelName;

const TOPICS: usize = 50;
const DIMENSIONS: usize = 384;
const SPREAD: f32 = 1.2;

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["embed", data, rows, out] => embed(Path::new(data), rows.parse()?, Path::new(out)),
        ["make", rows, out] => make(rows.parse()?, Path::new(out)),
        ["group", vectors, out] => group(Path::new(vectors), Path::new(out)),
        _ => bail!("say embed, make or group"),
    }
}

/// What stands beside the vectors.
#[derive(Serialize, Deserialize)]
struct Labels {
    dimensions: usize,
    labels: Vec<usize>,
}

#[derive(Deserialize)]
struct Row {
    text: String,
    label: String,
}

fn embed(data: &Path, wanted: usize, out: &Path) -> Result<()> {
    let text = fs::read_to_string(data).with_context(|| data.display().to_string())?;
    let all: Vec<Row> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let rows: Vec<&Row> = (0..wanted.min(all.len())).map(|i| &all[i * all.len() / wanted.min(all.len())]).collect();
    let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let model = load_model(ModelName::Fast, &find_models().context("there are no models")?)?;
    let vectors = embed_documents(&*model, &texts, &|_| ())?;
    let mut names: Vec<&str> = rows.iter().map(|row| row.label.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let (kept, labels): (Vec<Vec<f32>>, Vec<usize>) = vectors
        .into_iter()
        .zip(&rows)
        .filter_map(|(vector, row)| Some((vector?, names.binary_search(&row.label.as_str()).ok()?)))
        .unzip();
    write(out, &kept, labels)
}

fn make(rows: usize, out: &Path) -> Result<()> {
    let labels: Vec<usize> = (0..rows)
        .map(|row| {
            // The first are the largest.
            let uniform = mixed(row as u64) as f64 / u64::MAX as f64;
            ((uniform * uniform * TOPICS as f64) as usize).min(TOPICS - 1)
        })
        .collect();
    let centres: Vec<Vec<f32>> = (0..TOPICS).map(|topic| direction(u64::MAX - topic as u64, 1.0)).collect();
    let vectors: Vec<Vec<f32>> = labels
        .iter()
        .enumerate()
        .map(|(row, &label)| {
            let noise = direction(row as u64, SPREAD);
            unit(centres[label].iter().zip(noise).map(|(centre, noise)| centre + noise).collect())
        })
        .collect();
    write(out, &vectors, labels)
}

fn write(out: &Path, vectors: &[Vec<f32>], labels: Vec<usize>) -> Result<()> {
    let dimensions = vectors.first().map_or(0, Vec::len);
    let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(out, bytes).with_context(|| out.display().to_string())?;
    fs::write(out.with_extension("labels"), serde_json::to_string(&Labels { dimensions, labels })?)?;
    Ok(())
}

fn group(vectors: &Path, out: &Path) -> Result<()> {
    let Labels { dimensions, labels } = serde_json::from_str(&fs::read_to_string(vectors.with_extension("labels"))?)?;
    let values: Vec<f32> =
        fs::read(vectors)?.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
    let terms = Terms::default();
    let keys: Vec<String> = (0..labels.len()).map(|row| format!("{row:09}")).collect();
    let inputs: Vec<AnalyseInput<'_>> = values
        .chunks_exact(dimensions)
        .zip(&keys)
        .map(|(vector, key)| AnalyseInput { key, vector, terms: &terms })
        .collect();
    let started = Instant::now();
    let analysis = analyse(&inputs, &AnalyseParams::default().check()?, &|_: Step| ())?;
    let seconds = started.elapsed().as_secs_f64();
    let found: Vec<usize> = analysis.placements.iter().map(|place| place.nearest as usize).collect();
    let outliers = analysis.placements.iter().filter(|place| place.cluster.is_none()).count();
    let report = serde_json::json!({
        "seconds": seconds,
        "clusters": analysis.clusters.len(),
        "outliers": outliers as f64 / labels.len().max(1) as f64,
        "v": v_measure(&labels, &found),
        "ari": adjusted_rand_index(&labels, &found),
    });
    fs::write(out, report.to_string())?;
    Ok(())
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A vector of the given length: sums of four uniform numbers are normal enough.
fn direction(seed: u64, length: f32) -> Vec<f32> {
    let base = mixed(seed);
    let numbers = (0..DIMENSIONS as u64).map(|i| {
        let bits = mixed(base ^ i);
        (0..4).map(|part| f32::from((bits >> (16 * part)) as u16) / 65_535.0 - 0.5).sum::<f32>()
    });
    unit(numbers.collect()).into_iter().map(|x| x * length).collect()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}
