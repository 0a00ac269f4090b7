//! What is held in memory of each text while candidates are sought: a fixed number of bytes, however long the text.

use super::fingerprint::{Fingerprint, mix};
use super::pairs::{BANDS, LEAST_WORDS, ROWS};

/// The MinHash signature of a text with its hash and its length: 1.4 kB, of a short text 32 bytes.
#[derive(Clone, Debug)]
pub struct Sketch {
    text: Option<u128>,
    words: u32,
    signature: Vec<u32>,
}

impl Sketch {
    /// The smallest value of each of many hash functions over the shingles (Broder 1997).
    pub fn of(print: &Fingerprint) -> Self {
        let signature = if print.words() >= LEAST_WORDS { signature(print) } else { Vec::new() };
        Self { text: print.text(), words: print.words(), signature }
    }

    /// The hash of its words in their order; absent when there are none.
    pub fn text(&self) -> Option<u128> {
        self.text
    }

    /// How many words there are.
    pub fn words(&self) -> u32 {
        self.words
    }

    /// The rows of a band.
    pub(super) fn band(&self, band: usize) -> &[u32] {
        &self.signature[band * ROWS..(band + 1) * ROWS]
    }
}

fn signature(print: &Fingerprint) -> Vec<u32> {
    let mut least = vec![u32::MAX; BANDS * ROWS];
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
