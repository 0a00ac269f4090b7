//! Attention of one sequence in f32: the heads are taken out of the panels one by one, and a kernel calculates each.

use super::kernel::Kernel;
use super::linear::PANEL;
use crate::embedding::minilm::{HEAD, HEADS, HIDDEN};

/// Keys are padded to a multiple of this: whole registers for every kernel.
pub(super) const KEYS: usize = 32;

/// Working memory for one head of one sequence.
#[derive(Default)]
pub(super) struct Scratch {
    /// `HEAD` rows of keys, padded to a multiple of [`KEYS`].
    pub keys: Vec<f32>,
    /// One row of `HEAD` for each token.
    pub values: Vec<f32>,
    /// [`Kernel::QUERIES`] rows of scores, padded like `keys`.
    pub scores: Vec<f32>,
}

impl Scratch {
    /// Panics unless everything that a kernel reads and writes for `len` tokens is there.
    pub(super) fn check(&self, rows: usize, queries: &[f32], len: usize, context: &[f32]) {
        let padded = len.next_multiple_of(KEYS);
        assert!(len > 0 && queries.len() >= (len - 1) * PANEL + HEAD && context.len() >= (len - 1) * HIDDEN + HEAD);
        assert!(
            self.keys.len() == HEAD * padded && self.values.len() == len * HEAD && self.scores.len() == rows * padded
        );
    }
}

/// Softmax attention of the tokens `first..first + len` among themselves. `query_key_value` is laid out in panels (two heads
/// each, first all of the queries, then keys, then values); `context` row by row.
pub(super) fn attention<K: Kernel>(
    kernel: K,
    query_key_value: &[f32],
    (first, len): (usize, usize),
    context: &mut [f32],
    scratch: &mut Scratch,
) {
    let rows = query_key_value.len() / (3 * HIDDEN);
    assert!(len > 0 && first + len <= rows && context.len() >= (first + len) * HIDDEN);
    let padded = len.next_multiple_of(KEYS);
    scratch.keys.clear();
    scratch.keys.resize(HEAD * padded, 0.0);
    scratch.values.resize(len * HEAD, 0.0);
    scratch.scores.resize(K::QUERIES * padded, 0.0);
    for head in 0..HEADS {
        let part = |kind: usize| {
            let at = kind * HEADS + head;
            let start = (at / 2 * rows + first) * PANEL + at % 2 * HEAD;
            &query_key_value[start..start + (len - 1) * PANEL + HEAD]
        };
        for (token, key) in part(1).chunks(PANEL).enumerate() {
            for (d, x) in key[..HEAD].iter().enumerate() {
                scratch.keys[d * padded + token] = *x;
            }
        }
        for (value, out) in part(2).chunks(PANEL).zip(scratch.values.chunks_exact_mut(HEAD)) {
            out.copy_from_slice(&value[..HEAD]);
        }
        let context = &mut context[first * HIDDEN + head * HEAD..][..(len - 1) * HIDDEN + HEAD];
        kernel.attend(part(0), scratch, len, context);
    }
}
