//! Attention of one head in f32 by AVX2: six queries at a time against sixteen keys at a time.
#![expect(unsafe_code, reason = "vector instructions need raw loads and a promise about the processor")]

use std::arch::x86_64::*;

use super::{LANES, exp2, lanes};
use crate::embedding::minilm::int8::attention::{KEYS, Scratch};
use crate::embedding::minilm::int8::linear::PANEL;
use crate::embedding::minilm::{HEAD, HIDDEN};

/// Queries that are worked on at a time.
pub(super) const QUERIES: usize = 6;
/// What two registers hold: keys, or values of a head, that are worked on at a time.
const STEP: usize = 2 * LANES;

const _: () = assert!(KEYS.is_multiple_of(STEP) && HEAD.is_multiple_of(STEP), "whole steps");

/// See [`Kernel::attend`](crate::embedding::minilm::int8::kernel::Kernel::attend); the lengths are checked by the caller.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn attend(queries: &[f32], scratch: &mut Scratch, len: usize, context: &mut [f32]) {
    let padded = len.next_multiple_of(KEYS);
    for start in (0..len).step_by(QUERIES) {
        // The last group is filled up with the last query: it is then calculated several times, with one result.
        let rows: [usize; QUERIES] = std::array::from_fn(|i| (start + i).min(len - 1));
        let mut inverse = [0.0; QUERIES];
        // SAFETY: rows are below `len`, and the scratch is sized for `padded` keys and `len` values.
        unsafe {
            multiply_keys(queries, rows, &scratch.keys, padded, &mut scratch.scores);
            for (row, inverse) in inverse.iter_mut().enumerate() {
                *inverse = 1.0 / softmax(&mut scratch.scores[row * padded..][..padded], len);
            }
            for part in (0..HEAD).step_by(STEP) {
                multiply_values(&scratch.scores, padded, inverse, (&scratch.values, part), rows, context);
            }
        }
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn multiply_keys(queries: &[f32], rows: [usize; QUERIES], keys: &[f32], padded: usize, scores: &mut [f32]) {
    let q = rows.map(|row| queries[row * PANEL..][..HEAD].as_ptr());
    for at in (0..padded).step_by(STEP) {
        let mut sums = [[_mm256_setzero_ps(); 2]; QUERIES];
        for d in 0..HEAD {
            // SAFETY: there are `HEAD` rows of `padded` keys, and each query has `HEAD` values.
            unsafe {
                let k = keys.as_ptr().add(d * padded + at);
                let k = [_mm256_loadu_ps(k), _mm256_loadu_ps(k.add(LANES))];
                for (sums, q) in sums.iter_mut().zip(q) {
                    let x = _mm256_set1_ps(*q.add(d));
                    sums[0] = _mm256_fmadd_ps(x, k[0], sums[0]);
                    sums[1] = _mm256_fmadd_ps(x, k[1], sums[1]);
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            // SAFETY: there are `QUERIES` rows of `padded` scores.
            unsafe {
                let out = scores.as_mut_ptr().add(row * padded + at);
                _mm256_storeu_ps(out, sums[0]);
                _mm256_storeu_ps(out.add(LANES), sums[1]);
            }
        }
    }
}

/// `exp((score - max) / sqrt(HEAD))` in place for the first `len` scores, zero for the rest; returns the sum.
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn softmax(scores: &mut [f32], len: usize) -> f32 {
    // log2(e) / sqrt(32)
    const SCALE: f32 = std::f32::consts::LOG2_E * 0.176_776_7;
    // What pads is so small that it becomes zero.
    scores[len..].fill(f32::MIN);
    let mut max = _mm256_set1_ps(f32::MIN);
    for part in scores.chunks_exact(LANES) {
        // SAFETY: `part` has `LANES` values.
        max = _mm256_max_ps(max, unsafe { _mm256_loadu_ps(part.as_ptr()) });
    }
    let max = lanes(max).into_iter().fold(f32::MIN, f32::max);
    let shift = _mm256_set1_ps(-max * SCALE);
    let mut sum = _mm256_setzero_ps();
    for part in scores.chunks_exact_mut(LANES) {
        // SAFETY: `part` has `LANES` values.
        unsafe {
            let p = exp2(_mm256_fmadd_ps(_mm256_loadu_ps(part.as_ptr()), _mm256_set1_ps(SCALE), shift));
            sum = _mm256_add_ps(sum, p);
            _mm256_storeu_ps(part.as_mut_ptr(), p);
        }
    }
    lanes(sum).iter().sum()
}

/// The values `part..part + STEP` of each row's result.
#[target_feature(enable = "avx2,fma")]
#[inline]
unsafe fn multiply_values(
    scores: &[f32],
    padded: usize,
    inverse: [f32; QUERIES],
    (values, part): (&[f32], usize),
    rows: [usize; QUERIES],
    context: &mut [f32],
) {
    let mut sums = [[_mm256_setzero_ps(); 2]; QUERIES];
    for (token, value) in values.chunks_exact(HEAD).enumerate() {
        // SAFETY: a value has `HEAD` numbers, two registers of them from `part` on; there are `QUERIES` rows of more than
        // `token` scores.
        unsafe {
            let v = value.as_ptr().add(part);
            let v = [_mm256_loadu_ps(v), _mm256_loadu_ps(v.add(LANES))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let p = _mm256_set1_ps(*scores.as_ptr().add(row * padded + token));
                sums[0] = _mm256_fmadd_ps(p, v[0], sums[0]);
                sums[1] = _mm256_fmadd_ps(p, v[1], sums[1]);
            }
        }
    }
    for ((row, sums), inverse) in rows.into_iter().zip(sums).zip(inverse) {
        let out = &mut context[row * HIDDEN + part..][..STEP];
        // SAFETY: `out` has `STEP` values, two registers.
        unsafe {
            _mm256_storeu_ps(out.as_mut_ptr(), _mm256_mul_ps(sums[0], _mm256_set1_ps(inverse)));
            _mm256_storeu_ps(out.as_mut_ptr().add(LANES), _mm256_mul_ps(sums[1], _mm256_set1_ps(inverse)));
        }
    }
}
