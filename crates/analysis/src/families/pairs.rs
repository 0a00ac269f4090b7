//! Pairs of texts that are nearly the same.

use std::borrow::Cow;

use rayon::prelude::*;
use rustc_hash::{FxHashMap, FxHashSet};

use super::fingerprint::{Fingerprint, mix};
use super::sketch::Sketch;

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
pub const BANDS: usize = 112;
pub const ROWS: usize = 3;
/// In a bucket of a band a text is compared with so many before it, so that a pile of forms costs no `n²`: they are in the
/// order of length, and meet their like in other bands too.
const COMPANY: usize = 64;

/// Fingerprints that are loaded together: at most 64 MB.
const LOADED: usize = 4096;

/// Fingerprints in the order in which they were asked for.
pub type Loaded<'p, E> = Result<Vec<Cow<'p, Fingerprint>>, E>;

/// All pairs (smaller index first) with their Jaccard similarity, in order. `load` gives the fingerprints of texts.
///
/// # Errors
/// The first one of `load`.
pub fn near<'p, E>(
    sketches: &[Option<&Sketch>],
    load: &mut dyn FnMut(&[u32]) -> Loaded<'p, E>,
) -> Result<Vec<(u32, u32, f32)>, E> {
    let texts: Vec<(u32, &Sketch)> = (0..)
        .zip(sketches)
        .filter_map(|(index, sketch)| Some((index, (*sketch)?)).filter(|(_, sketch)| sketch.words() >= LEAST_WORDS))
        .collect();
    let candidates = candidates(&texts);
    let mut found = Vec::new();
    let mut rest = candidates.as_slice();
    while !rest.is_empty() {
        let mut places: FxHashMap<u32, usize> = FxHashMap::default();
        let mut wanted = Vec::new();
        let together = rest.iter().take_while(|(a, b)| {
            for text in [a, b] {
                places.entry(*text).or_insert_with(|| {
                    wanted.push(*text);
                    wanted.len() - 1
                });
            }
            wanted.len() <= LOADED
        });
        let (these, others) = rest.split_at(together.count());
        let prints = load(&wanted)?;
        let look = |&(a, b): &(u32, u32)| {
            let jaccard = prints[places[&a]].jaccard(&prints[places[&b]]);
            (jaccard >= LEAST_JACCARD).then_some((a, b, jaccard))
        };
        found.par_extend(these.par_iter().filter_map(look));
        rest = others;
    }
    Ok(found)
}

/// Pairs that meet in a band, the smaller number first, in order.
fn candidates(texts: &[(u32, &Sketch)]) -> Vec<(u32, u32)> {
    let mut candidates: FxHashSet<(u32, u32)> = FxHashSet::default();
    for band in 0..BANDS {
        let mut places: Vec<(u64, u32, u32)> = texts
            .par_iter()
            .map(|(number, sketch)| {
                let hash = sketch.band(band).iter().fold(band as u64, |hash, &row| mix(hash ^ u64::from(row)));
                (hash, sketch.words(), *number)
            })
            .collect();
        places.par_sort_unstable();
        for bucket in places.chunk_by(|a, b| a.0 == b.0) {
            for (behind, &(_, words, b)) in bucket.iter().enumerate() {
                for &(_, shorter, a) in &bucket[behind.saturating_sub(COMPANY)..behind] {
                    if f64::from(shorter) >= LEAST_LENGTH_RATIO * f64::from(words) {
                        candidates.insert((a.min(b), a.max(b)));
                    }
                }
            }
        }
    }
    let mut candidates: Vec<(u32, u32)> = candidates.into_iter().collect();
    candidates.par_sort_unstable();
    candidates
}
