//! What is kept of a text to tell its near-duplicates: a hash of all of it, its length, and its shingles.

use serde::{Deserialize, Serialize};

use super::words::words;

/// Words of a shingle.
pub const SHINGLE: usize = 3;
/// The most shingles that are kept of a text: those of the smallest hashes, a sample that is the same for the same shingles.
pub const SKETCH: usize = 4096;

/// A text of any length in at most 16 KiB.
///
/// Up to [`SKETCH`] distinct shingles it holds all of them, and similarities are exact; of longer texts it holds the
/// smallest hashes ("k minimum values", Bar-Yossef et al. 2002), and the standard error of a Jaccard similarity is at
/// most `0.5/√4096 = 0.008`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    /// Of the sequence of words.
    text: u128,
    words: u32,
    /// Hashes of shingles, ascending and distinct.
    shingles: Vec<u32>,
}

impl Fingerprint {
    /// The fingerprint of a text.
    pub fn of(text: &str) -> Self {
        let mut window = [0_u64; SHINGLE];
        let mut count = 0_u32;
        let mut whole = [0x6a09_e667_f3bc_c908_u64, 0xbb67_ae85_84ca_a73b];
        let mut shingles = Vec::new();
        words(text, |word| {
            let hash = hash(word);
            whole = [mix(whole[0] ^ hash), mix(whole[1].wrapping_add(hash).rotate_left(23))];
            window.rotate_left(1);
            window[SHINGLE - 1] = hash;
            count = count.saturating_add(1);
            if count as usize >= SHINGLE {
                shingles.push(shingle(&window));
            }
            if shingles.len() >= 16 * SKETCH {
                keep_smallest(&mut shingles);
            }
        });
        keep_smallest(&mut shingles);
        shingles.shrink_to_fit();
        Self { text: u128::from(whole[0]) << 64 | u128::from(whole[1]), words: count, shingles }
    }

    /// As it is kept: 16 bytes of the text's hash, 4 of its words, 4 of each shingle, little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + 4 * self.shingles.len());
        bytes.extend_from_slice(&self.text.to_le_bytes());
        bytes.extend_from_slice(&self.words.to_le_bytes());
        self.shingles.iter().for_each(|shingle| bytes.extend_from_slice(&shingle.to_le_bytes()));
        bytes
    }

    /// What [`Self::to_bytes`] wrote; nothing of other bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (text, rest) = bytes.split_first_chunk()?;
        let (words, rest) = rest.split_first_chunk()?;
        let (shingles, left) = rest.as_chunks();
        left.is_empty().then(|| Self {
            text: u128::from_le_bytes(*text),
            words: u32::from_le_bytes(*words),
            shingles: shingles.iter().map(|shingle| u32::from_le_bytes(*shingle)).collect(),
        })
    }

    /// The hash of its words in their order; absent when there are none.
    pub fn text(&self) -> Option<u128> {
        (self.words > 0).then_some(self.text)
    }

    /// How many words there are.
    pub fn words(&self) -> u32 {
        self.words
    }

    /// Hashes of its shingles, ascending: all of them, or the smallest.
    pub fn shingles(&self) -> &[u32] {
        &self.shingles
    }

    /// The Jaccard similarity of the shingles of two texts, 0 to 1.
    pub fn jaccard(&self, other: &Self) -> f32 {
        // Beyond the last hash of a sample nothing is known.
        let end = |print: &Self| (print.shingles.len() == SKETCH).then(|| print.shingles.last().copied()).flatten();
        let end = [end(self), end(other)].into_iter().flatten().min().unwrap_or(u32::MAX);
        let known = |print: &Self| print.shingles.partition_point(|&hash| hash <= end);
        let (a, b) = (&self.shingles[..known(self)], &other.shingles[..known(other)]);
        let (mut i, mut j, mut both) = (0, 0, 0_usize);
        while i < a.len() && j < b.len() {
            both += usize::from(a[i] == b[j]);
            let step = a[i].cmp(&b[j]);
            i += usize::from(step.is_le());
            j += usize::from(step.is_ge());
        }
        let all = a.len() + b.len() - both;
        if all == 0 { 0.0 } else { both as f32 / all as f32 }
    }
}

fn keep_smallest(shingles: &mut Vec<u32>) {
    shingles.sort_unstable();
    shingles.dedup();
    shingles.truncate(SKETCH);
}

/// FNV-1a, the same on every machine.
fn hash(word: &str) -> u64 {
    word.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

fn shingle(words: &[u64; SHINGLE]) -> u32 {
    (words.iter().fold(0, |hash, &word| mix(hash ^ word)) >> 32) as u32
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
pub(super) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
