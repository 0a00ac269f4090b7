//! Pairs of texts that are nearly the same.

use rayon::prelude::*;
use rustc_hash::FxHashSet;

use super::fingerprint::{Fingerprint, mix};

/// Texts of fewer words are never nearly the same: a word more or less is another question.
pub const LEAST_WORDS: u32 = 20;
/// Two texts below this Jaccard similarity of their shingles are not nearly the same: a fifth of the words changed, each by
/// itself (`J = q / (2 - q)` with `q = (1 - 1/5)³`).
pub const LEAST_JACCARD: f32 = 0.344;
/// The shorter of two texts that are nearly the same has at least this share of the words of the longer. An excerpt is no
/// duplicate.
pub const LEAST_LENGTH_RATIO: f64 = 0.75;

/// Bands of rows of MinHash values. Two texts meet in some band with the probability `1 - (1 - J³)^112`: 99 % at a
/// Jaccard similarity of 0.344, 99.9999 % at 0.5; what meets by chance (0.1 % at 0.02) is sorted out by a look.
const BANDS: usize = 112;
const ROWS: usize = 3;
/// In a bucket of a band a text is compared with so many before it, so that a pile of forms costs no `n²`: they are in the
/// order of length, and meet their like in other bands too.
const COMPANY: usize = 64;

/// All pairs (smaller index first) with their Jaccard similarity, in order.
pub fn near(prints: &[Option<&Fingerprint>]) -> Vec<(usize, usize, f32)> {
    let texts: Vec<(usize, &Fingerprint)> = prints
        .iter()
        .enumerate()
        .filter_map(|(index, print)| Some((index, (*print)?)).filter(|(_, print)| print.words() >= LEAST_WORDS))
        .collect();
    let signatures: Vec<[u32; BANDS * ROWS]> = texts.par_iter().map(|(_, print)| signature(print)).collect();
    let mut looked: FxHashSet<(u32, u32)> = FxHashSet::default();
    let mut found = Vec::new();
    for band in 0..BANDS {
        let mut places: Vec<(u64, u32, u32)> = signatures
            .par_iter()
            .enumerate()
            .map(|(place, signature)| {
                let rows = &signature[band * ROWS..(band + 1) * ROWS];
                let hash = rows.iter().fold(band as u64, |hash, &row| mix(hash ^ u64::from(row)));
                (hash, texts[place].1.words(), place as u32)
            })
            .collect();
        places.par_sort_unstable();
        let mut candidates = Vec::new();
        for bucket in places.chunk_by(|a, b| a.0 == b.0) {
            for (behind, &(_, words, b)) in bucket.iter().enumerate() {
                for &(_, shorter, a) in &bucket[behind.saturating_sub(COMPANY)..behind] {
                    let pair = (a.min(b), a.max(b));
                    if f64::from(shorter) >= LEAST_LENGTH_RATIO * f64::from(words) && looked.insert(pair) {
                        candidates.push(pair);
                    }
                }
            }
        }
        found.par_extend(candidates.into_par_iter().filter_map(|(a, b)| {
            let (a, b) = (texts[a as usize], texts[b as usize]);
            let jaccard = a.1.jaccard(b.1);
            (jaccard >= LEAST_JACCARD).then_some((a.0, b.0, jaccard))
        }));
    }
    found.sort_unstable_by_key(|&(a, b, _)| (a, b));
    found
}

/// The smallest value of each of many hash functions over the shingles (Broder 1997).
fn signature(print: &Fingerprint) -> [u32; BANDS * ROWS] {
    let mut least = [u32::MAX; BANDS * ROWS];
    // Permutations `a x + b` with odd `a` of what is a hash already, so that the high bits that decide are mixed.
    let factors: [u32; BANDS * ROWS] = std::array::from_fn(|number| (mix(2 * number as u64) >> 32) as u32 | 1);
    let offsets: [u32; BANDS * ROWS] = std::array::from_fn(|number| (mix(2 * number as u64 + 1) >> 32) as u32);
    for &shingle in print.shingles() {
        for ((least, a), b) in least.iter_mut().zip(factors).zip(offsets) {
            *least = (*least).min(a.wrapping_mul(shingle).wrapping_add(b));
        }
    }
    least
}
