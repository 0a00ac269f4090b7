//! Attention of one sequence in f32 by AVX-512: eight queries at a time against 32 keys at a time.
#![expect(unsafe_code, reason = "vector instructions need raw loads and a promise about the processor")]

use std::arch::x86_64::*;

use super::{LANES, exp2};
use crate::embedding::minilm::int8::attention::{KEYS, Scratch};
use crate::embedding::minilm::int8::linear::PANEL;
use crate::embedding::minilm::{HEAD, HIDDEN};

/// Queries that are worked on at a time.
pub(super) const QUERIES: usize = 8;

const _: () =
    assert!(KEYS == 2 * LANES && HEAD == 2 * LANES, "two registers of keys at a time, and of a head's values");

/// See [`Kernel::attend`](crate::embedding::minilm::int8::kernel::Kernel::attend); the lengths are checked by the caller.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
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
            multiply_values(&scratch.scores, padded, inverse, &scratch.values, rows, context);
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[inline]
unsafe fn multiply_keys(queries: &[f32], rows: [usize; QUERIES], keys: &[f32], padded: usize, scores: &mut [f32]) {
    let q = rows.map(|row| queries[row * PANEL..][..HEAD].as_ptr());
    for at in (0..padded).step_by(KEYS) {
        let mut sums = [[_mm512_setzero_ps(); 2]; QUERIES];
        for d in 0..HEAD {
            // SAFETY: there are `HEAD` rows of `padded` keys, and each query has `HEAD` values.
            unsafe {
                let k = keys.as_ptr().add(d * padded + at);
                let k = [_mm512_loadu_ps(k), _mm512_loadu_ps(k.add(LANES))];
                for (sums, q) in sums.iter_mut().zip(q) {
                    let x = _mm512_set1_ps(*q.add(d));
                    sums[0] = _mm512_fmadd_ps(x, k[0], sums[0]);
                    sums[1] = _mm512_fmadd_ps(x, k[1], sums[1]);
                }
            }
        }
        for (row, sums) in sums.into_iter().enumerate() {
            // SAFETY: there are `QUERIES` rows of `padded` scores.
            unsafe {
                let out = scores.as_mut_ptr().add(row * padded + at);
                _mm512_storeu_ps(out, sums[0]);
                _mm512_storeu_ps(out.add(LANES), sums[1]);
            }
        }
    }
}

/// `exp((score - max) / sqrt(HEAD))` in place for the first `len` scores, zero for the rest; returns the sum.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
unsafe fn softmax(scores: &mut [f32], len: usize) -> f32 {
    // log2(e) / sqrt(32)
    const SCALE: f32 = std::f32::consts::LOG2_E * 0.176_776_7;
    let mask = |at: usize| -> __mmask16 { if len - at >= LANES { !0 } else { (1 << (len - at)) - 1 } };
    let mut max = _mm512_set1_ps(f32::NEG_INFINITY);
    for at in (0..len).step_by(LANES) {
        // SAFETY: the row is padded to whole registers.
        let v = unsafe { _mm512_loadu_ps(scores.as_ptr().add(at)) };
        max = _mm512_mask_max_ps(max, mask(at), max, v);
    }
    let shift = _mm512_set1_ps(-_mm512_reduce_max_ps(max) * SCALE);
    let mut sum = _mm512_setzero_ps();
    for at in (0..len).step_by(LANES) {
        // SAFETY: as above.
        unsafe {
            let v = _mm512_loadu_ps(scores.as_ptr().add(at));
            let p = _mm512_maskz_mov_ps(mask(at), exp2(_mm512_fmadd_ps(v, _mm512_set1_ps(SCALE), shift)));
            sum = _mm512_add_ps(sum, p);
            _mm512_storeu_ps(scores.as_mut_ptr().add(at), p);
        }
    }
    _mm512_reduce_add_ps(sum)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
#[inline]
unsafe fn multiply_values(
    scores: &[f32],
    padded: usize,
    inverse: [f32; QUERIES],
    values: &[f32],
    rows: [usize; QUERIES],
    context: &mut [f32],
) {
    let mut sums = [[_mm512_setzero_ps(); 2]; QUERIES];
    for (token, value) in values.chunks_exact(HEAD).enumerate() {
        // SAFETY: a value has `HEAD` numbers, two registers; there are `QUERIES` rows of more than `token` scores.
        unsafe {
            let v = [_mm512_loadu_ps(value.as_ptr()), _mm512_loadu_ps(value.as_ptr().add(LANES))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let p = _mm512_set1_ps(*scores.as_ptr().add(row * padded + token));
                sums[0] = _mm512_fmadd_ps(p, v[0], sums[0]);
                sums[1] = _mm512_fmadd_ps(p, v[1], sums[1]);
            }
        }
    }
    for ((row, sums), inverse) in rows.into_iter().zip(sums).zip(inverse) {
        let out = &mut context[row * HIDDEN..][..HEAD];
        // SAFETY: `out` has `HEAD` values, two registers.
        unsafe {
            _mm512_storeu_ps(out.as_mut_ptr(), _mm512_mul_ps(sums[0], _mm512_set1_ps(inverse)));
            _mm512_storeu_ps(out.as_mut_ptr().add(LANES), _mm512_mul_ps(sums[1], _mm512_set1_ps(inverse)));
        }
    }
}
