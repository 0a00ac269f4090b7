//! Analyses a mixture of directions of any size, and prints seconds, peak memory and how well the mixture is found.
//!
//! `scale ROWS [TOPICS] [SPREAD] [OUT.npy]`: unit vectors of 384 dimensions; topics of unequal size; a row is its topic's
//! direction plus noise of length SPREAD.

use std::time::Instant;

use anyhow::{Context, Result};
use rayon::prelude::*;
use sheaf_analysis::metrics::{adjusted_rand_index, v_measure};
use sheaf_analysis::{AnalyseInput, AnalyseParams, Step, Terms, analyse};

const DIMENSIONS: usize = 384;

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let rows: usize = args.next().context("how many rows?")?.parse()?;
    let topics: usize = args.next().map_or(Ok(50), |arg| arg.parse())?;
    let spread: f32 = args.next().map_or(Ok(1.2), |arg| arg.parse())?;
    let labels: Vec<usize> = (0..rows).map(|row| topic(row, topics)).collect();
    let centres: Vec<Vec<f32>> = (0..topics).map(|topic| gaussian(u64::MAX - topic as u64, 1.0)).collect();
    let vectors: Vec<Vec<f32>> = (0..rows)
        .into_par_iter()
        .map(|row| {
            let noise = gaussian(row as u64, spread);
            unit(centres[labels[row]].iter().zip(noise).map(|(centre, noise)| centre + noise).collect())
        })
        .collect();
    if let Some(out) = args.next() {
        let bytes: Vec<u8> = vectors.iter().flatten().flat_map(|x| x.to_le_bytes()).collect();
        std::fs::write(&out, bytes).with_context(|| out.clone())?;
    }
    let terms: Vec<Terms> =
        labels.iter().map(|label| Terms::of(&format!("subject{} common words", letters(*label)), None)).collect();
    let keys: Vec<String> = (0..rows).map(|row| format!("{row:09}")).collect();
    let inputs: Vec<AnalyseInput<'_>> =
        (0..rows).map(|row| AnalyseInput { key: &keys[row], vector: &vectors[row], terms: &terms[row] }).collect();
    let started = Instant::now();
    let steps = std::cell::RefCell::new(Vec::new());
    let params = AnalyseParams::default().check()?;
    let analysis =
        analyse(&inputs, &params, &|step: Step| steps.borrow_mut().push((step, started.elapsed().as_secs_f32())));
    let found: Vec<usize> = analysis.placements.iter().map(|place| place.nearest as usize).collect();
    println!(
        "{rows} rows, {topics} topics: {} clusters, {} merges, V {:.3}, ARI {:.3}; {:.1} s; began {:.1?}; peak {} MB",
        analysis.clusters.len(),
        analysis.merges.len(),
        v_measure(&labels, &found),
        adjusted_rand_index(&labels, &found),
        started.elapsed().as_secs_f64(),
        steps.borrow(),
        peak_kib().unwrap_or_default() / 1024,
    );
    Ok(())
}

/// The first topics are the largest: row `i` of each hundred falls on a slope.
fn topic(row: usize, topics: usize) -> usize {
    let uniform = mixed(row as u64) as f64 / u64::MAX as f64;
    ((uniform * uniform * topics as f64) as usize).min(topics - 1)
}

fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(b'a' + (digit - b'0'))).collect()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
fn mixed(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0xD1B5_4A32_D192_ED03);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// A direction of the given length: sums of four uniform numbers are normal enough.
fn gaussian(seed: u64, length: f32) -> Vec<f32> {
    let base = mixed(seed);
    let numbers = (0..DIMENSIONS as u64).map(|i| {
        let bits = mixed(base ^ i);
        (0..4).map(|part| f32::from((bits >> (16 * part)) as u16) / 65_535.0 - 0.5).sum::<f32>()
    });
    let vector = unit(numbers.collect());
    vector.into_iter().map(|x| x * length).collect()
}

fn unit(mut vector: Vec<f32>) -> Vec<f32> {
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

/// The largest resident memory so far, where the system tells it.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().trim_end_matches(" kB").parse().ok()
}
