//! The arithmetic in AVX2, with AVX-VNNI where there is that: quantising rows, the int8 matrix product, and layer norms.
#![expect(unsafe_code, reason = "vector instructions need raw loads and a promise about the processor")]

mod attention;
mod product;

use std::arch::x86_64::*;

use super::attention::Scratch;
use super::kernel::{Kernel, Packing};
use super::linear::{Layout, PackedLinear, Quantised};
use super::rows::Norm;
use crate::embedding::minilm::{HIDDEN, LAYER_NORM_EPSILON};
use product::STRIP;

/// f32 values in a register.
const LANES: usize = 8;

/// Proof that this processor has AVX2 and FMA. Products are taken in sixteen bits, two inputs at a time: the instruction
/// that multiplies bytes (`maddubs`) caps its sums at 32,767, which two products of 255 and 127 pass, and to keep below that
/// would cost a bit of precision or more instructions than it saves.
#[derive(Clone, Copy)]
pub(super) struct Avx2(());

/// Proof that it has AVX-VNNI besides. Every result is that of [`Avx2`], to the last bit.
#[derive(Clone, Copy)]
pub(super) struct AvxVnni(Avx2);

impl Kernel for Avx2 {
    type Activation = i16;

    const PACKING: Packing = Packing { outputs: STRIP, group: 2 };
    const QUERIES: usize = attention::QUERIES;

    fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Self(()))
    }

    fn quantise(self, x: &[f32], out: &mut [i16]) -> (f32, i32) {
        assert!(x.len() == out.len() && x.len().is_multiple_of(LANES), "rows are whole registers");
        // SAFETY: `self` proves the instructions.
        let scaling = unsafe { Scaling::of(x) };
        for (part, out) in x.chunks_exact(LANES).zip(out.chunks_exact_mut(LANES)) {
            // SAFETY: `self` proves the instructions; both parts have `LANES` values.
            unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), scaling.apply(part)) };
        }
        (scaling.scale, scaling.zero)
    }

    fn linear(self, a: &Quantised<Self>, map: &PackedLinear, layout: Layout, out: &mut Vec<f32>) {
        // SAFETY: `self` proves the instructions of the product.
        unsafe { product::linear(a, map, layout, out, product::of_pairs) };
    }

    fn layer_norm(self, states: &mut [f32], norm: &Norm) {
        assert!(norm.weight.len() == HIDDEN && norm.bias.len() == HIDDEN);
        for state in states.chunks_exact_mut(HIDDEN) {
            // SAFETY: `self` proves the instructions; all slices have `HIDDEN` values.
            unsafe { layer_norm(state, norm) }
        }
    }

    fn add_norm(self, states: &mut [f32], added: &[f32], norm: &Norm) {
        assert_eq!(states.len(), added.len(), "one to add for each");
        states.iter_mut().zip(added).for_each(|(state, added)| *state += added);
        self.layer_norm(states, norm);
    }

    fn attend(self, queries: &[f32], scratch: &mut Scratch, len: usize, context: &mut [f32]) {
        scratch.check(Self::QUERIES, queries, len, context);
        // SAFETY: `self` proves the instructions; the lengths were checked just now.
        unsafe { attention::attend(queries, scratch, len, context) };
    }
}

impl Kernel for AvxVnni {
    type Activation = u8;

    const PACKING: Packing = Packing { outputs: STRIP, group: 4 };
    const QUERIES: usize = attention::QUERIES;

    fn detect() -> Option<Self> {
        Avx2::detect().filter(|_| is_x86_feature_detected!("avxvnni")).map(Self)
    }

    fn quantise(self, x: &[f32], out: &mut [u8]) -> (f32, i32) {
        assert!(x.len() == out.len() && x.len().is_multiple_of(LANES), "rows are whole registers");
        // SAFETY: `self` proves the instructions.
        let scaling = unsafe { Scaling::of(x) };
        for (part, out) in x.chunks_exact(LANES).zip(out.chunks_exact_mut(LANES)) {
            // SAFETY: `self` proves the instructions; both parts have `LANES` values, and the values are below 256.
            unsafe {
                let q = scaling.apply(part);
                _mm_storel_epi64(out.as_mut_ptr().cast(), _mm_packus_epi16(q, q));
            }
        }
        (scaling.scale, scaling.zero)
    }

    fn linear(self, a: &Quantised<Self>, map: &PackedLinear, layout: Layout, out: &mut Vec<f32>) {
        // SAFETY: `self` proves the instructions of the product.
        unsafe { product::linear(a, map, layout, out, product::of_fours) };
    }

    fn layer_norm(self, states: &mut [f32], norm: &Norm) {
        self.0.layer_norm(states, norm);
    }

    fn add_norm(self, states: &mut [f32], added: &[f32], norm: &Norm) {
        self.0.add_norm(states, added, norm);
    }

    fn attend(self, queries: &[f32], scratch: &mut Scratch, len: usize, context: &mut [f32]) {
        self.0.attend(queries, scratch, len, context);
    }
}

/// How a row is quantised.
struct Scaling {
    scale: f32,
    zero: i32,
}

impl Scaling {
    /// By the least and the greatest of `x`, whole registers.
    #[target_feature(enable = "avx2,fma")]
    fn of(x: &[f32]) -> Self {
        // Zero is always representable, or the padding of the range would be lost.
        let (mut low, mut high) = (_mm256_setzero_ps(), _mm256_setzero_ps());
        for part in x.chunks_exact(LANES) {
            // SAFETY: `part` has `LANES` values.
            let v = unsafe { _mm256_loadu_ps(part.as_ptr()) };
            low = _mm256_min_ps(low, v);
            high = _mm256_max_ps(high, v);
        }
        let low = lanes(low).into_iter().fold(0.0, f32::min);
        let high = lanes(high).into_iter().fold(0.0, f32::max);
        let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
        Self { scale, zero: (-low / scale).round_ties_even() as i32 }
    }

    /// The numbers from 0 to 255 for `LANES` values.
    #[target_feature(enable = "avx2,fma")]
    #[inline]
    fn apply(&self, part: &[f32]) -> __m128i {
        debug_assert_eq!(part.len(), LANES);
        // SAFETY: `part` has `LANES` values.
        let v = unsafe { _mm256_loadu_ps(part.as_ptr()) };
        let q = _mm256_cvtps_epi32(_mm256_mul_ps(v, _mm256_set1_ps(1.0 / self.scale)));
        let q = _mm256_add_epi32(q, _mm256_set1_epi32(self.zero));
        let q = _mm256_min_epi32(_mm256_max_epi32(q, _mm256_setzero_si256()), _mm256_set1_epi32(255));
        _mm_packs_epi32(_mm256_castsi256_si128(q), _mm256_extracti128_si256::<1>(q))
    }
}

/// `x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x³)))`, see the reference in f32.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn gelu(x: __m256) -> __m256 {
    // exp2(t) = exp(-2 sqrt(2/pi) (..)): both constants carry log2(e).
    const LINEAR: f32 = -1.595_769_2 * std::f32::consts::LOG2_E;
    const CUBIC: f32 = LINEAR * 0.044_715;
    let square = _mm256_mul_ps(x, x);
    let t = _mm256_mul_ps(x, _mm256_fmadd_ps(square, _mm256_set1_ps(CUBIC), _mm256_set1_ps(LINEAR)));
    let t = _mm256_min_ps(t, _mm256_set1_ps(126.0));
    _mm256_div_ps(x, _mm256_add_ps(_mm256_set1_ps(1.0), exp2(t)))
}

/// Two to the power of `t`, for `t` up to 127: relative error below 3e-6; below -127 it is zero.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn exp2(t: __m256) -> __m256 {
    let t = _mm256_max_ps(t, _mm256_set1_ps(-127.0));
    let whole = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(t);
    let part = _mm256_sub_ps(t, whole);
    // Taylor's series of 2^part on -0.5..=0.5.
    let mut y = _mm256_set1_ps(1.333_355_8e-3);
    for c in [9.618_129e-3, 5.550_411e-2, 2.402_265e-1, 6.931_472e-1, 1.0] {
        y = _mm256_fmadd_ps(y, part, _mm256_set1_ps(c));
    }
    // The exponent of an f32 is stored with 127 added; of -127 all bits are zero, and so is the number.
    let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(whole), _mm256_set1_epi32(127));
    _mm256_mul_ps(y, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
}

/// Normalises `state`; all have `HIDDEN` values.
#[target_feature(enable = "avx2,fma")]
unsafe fn layer_norm(state: &mut [f32], norm: &Norm) {
    // SAFETY: every slice has `HIDDEN` values, whole registers.
    let read = |x: &[f32], at: usize| unsafe { _mm256_loadu_ps(x.as_ptr().add(at)) };
    let (mut sum, mut squares) = (_mm256_setzero_ps(), _mm256_setzero_ps());
    for at in (0..HIDDEN).step_by(LANES) {
        sum = _mm256_add_ps(sum, read(state, at));
    }
    let mean = _mm256_set1_ps(lanes(sum).iter().sum::<f32>() / HIDDEN as f32);
    for at in (0..HIDDEN).step_by(LANES) {
        let x = _mm256_sub_ps(read(state, at), mean);
        squares = _mm256_fmadd_ps(x, x, squares);
    }
    let variance = lanes(squares).iter().sum::<f32>() / HIDDEN as f32;
    let scale = _mm256_set1_ps(1.0 / (variance + LAYER_NORM_EPSILON).sqrt());
    for at in (0..HIDDEN).step_by(LANES) {
        let x = _mm256_mul_ps(_mm256_sub_ps(read(state, at), mean), scale);
        let y = _mm256_fmadd_ps(x, read(&norm.weight, at), read(&norm.bias, at));
        // SAFETY: as above.
        unsafe { _mm256_storeu_ps(state.as_mut_ptr().add(at), y) };
    }
}

/// The values of a register, first to last.
#[target_feature(enable = "avx2,fma")]
#[inline]
fn lanes(x: __m256) -> [f32; LANES] {
    let mut lanes = [0.0; LANES];
    // SAFETY: there is room for `LANES` values.
    unsafe { _mm256_storeu_ps(lanes.as_mut_ptr(), x) };
    lanes
}
