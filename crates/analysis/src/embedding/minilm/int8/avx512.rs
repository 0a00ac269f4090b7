//! The arithmetic in AVX-512 with VNNI: quantising rows, the int8 matrix product, and layer norms.
#![expect(unsafe_code, reason = "vector instructions need raw loads and a promise about the processor")]

mod attention;

use std::arch::x86_64::*;

use super::attention::Scratch;
use super::kernel::{Kernel, Packing};
use super::linear::{Layout, PANEL, PackedLinear, Quantised, ROWS};
use super::rows::Norm;
use crate::embedding::minilm::{HIDDEN, LAYER_NORM_EPSILON};

/// f32 values in a register.
const LANES: usize = 16;
/// Inputs that one instruction multiplies and adds up.
const GROUP: usize = 4;

/// Proof that this processor has the instructions used here.
#[derive(Clone, Copy)]
pub(super) struct Avx512Vnni(());

impl Kernel for Avx512Vnni {
    type Activation = u8;

    const PACKING: Packing = Packing { outputs: PANEL, group: GROUP };
    const QUERIES: usize = attention::QUERIES;

    fn detect() -> Option<Self> {
        let all = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vnni");
        all.then_some(Self(()))
    }

    fn quantise(self, x: &[f32], out: &mut [u8]) -> (f32, i32) {
        assert!(x.len() == out.len() && x.len().is_multiple_of(LANES), "rows are whole registers");
        // SAFETY: `self` proves the instructions; lengths are equal and whole registers.
        unsafe { quantise(x, out) }
    }

    fn linear(self, a: &Quantised<Self>, map: &PackedLinear, layout: Layout, out: &mut Vec<f32>) {
        assert_eq!(a.columns, map.inputs, "the map must fit the rows");
        assert!(
            a.values.len() >= a.padded() * a.columns && a.scales.len() >= a.padded() && a.zeros.len() >= a.padded()
        );
        out.resize(a.padded() * map.outputs, 0.0);
        // SAFETY: `self` proves the instructions; `a` and `out` hold all padded rows, and `map` was packed by
        // `PackedLinear::new`.
        unsafe { linear(a, map, layout, out) }
    }

    fn layer_norm(self, states: &mut [f32], norm: &Norm) {
        assert!(norm.weight.len() == HIDDEN && norm.bias.len() == HIDDEN);
        for state in states.chunks_exact_mut(HIDDEN) {
            // SAFETY: `self` proves the instructions; all slices have `HIDDEN` values.
            unsafe { layer_norm(state, None, norm) }
        }
    }

    fn add_norm(self, states: &mut [f32], added: &[f32], norm: &Norm) {
        assert!(norm.weight.len() == HIDDEN && norm.bias.len() == HIDDEN && states.len() == added.len());
        for (state, added) in states.chunks_exact_mut(HIDDEN).zip(added.chunks_exact(HIDDEN)) {
            // SAFETY: `self` proves the instructions; all slices have `HIDDEN` values.
            unsafe { layer_norm(state, Some(added), norm) }
        }
    }

    fn attend(self, queries: &[f32], scratch: &mut Scratch, len: usize, context: &mut [f32]) {
        scratch.check(Self::QUERIES, queries, len, context);
        // SAFETY: `self` proves the instructions; the lengths were checked just now.
        unsafe { attention::attend(queries, scratch, len, context) };
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
unsafe fn quantise(x: &[f32], out: &mut [u8]) -> (f32, i32) {
    // Zero is always representable, or the padding of the range would be lost.
    let (mut low, mut high) = (_mm512_setzero_ps(), _mm512_setzero_ps());
    for part in x.chunks_exact(LANES) {
        // SAFETY: `part` has `LANES` values.
        let v = unsafe { _mm512_loadu_ps(part.as_ptr()) };
        low = _mm512_min_ps(low, v);
        high = _mm512_max_ps(high, v);
    }
    let (low, high) = (_mm512_reduce_min_ps(low), _mm512_reduce_max_ps(high));
    let scale = ((high - low) / 255.0).max(f32::MIN_POSITIVE);
    let zero = (-low / scale).round_ties_even() as i32;
    let (inverse, shift) = (_mm512_set1_ps(1.0 / scale), _mm512_set1_epi32(zero));
    for (part, out) in x.chunks_exact(LANES).zip(out.chunks_exact_mut(LANES)) {
        // SAFETY: `part` has `LANES` values.
        let v = unsafe { _mm512_loadu_ps(part.as_ptr()) };
        let q = _mm512_add_epi32(_mm512_cvtps_epi32(_mm512_mul_ps(v, inverse)), shift);
        let q = _mm512_min_epi32(_mm512_max_epi32(q, _mm512_setzero_si512()), _mm512_set1_epi32(255));
        // SAFETY: `out` has `LANES` bytes.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(q)) };
    }
    (scale, zero)
}

#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
unsafe fn linear(a: &Quantised<Avx512Vnni>, map: &PackedLinear, layout: Layout, out: &mut [f32]) {
    let rows = a.padded();
    let (row_stride, panel_stride) = match layout {
        Layout::Rows | Layout::RowsWithGelu => (map.outputs, PANEL),
        Layout::Panels => (PANEL, rows * PANEL),
    };
    for panel in 0..map.outputs / PANEL {
        let weights = &map.weights[panel * PANEL * map.inputs..][..PANEL * map.inputs];
        let parameters = Parameters {
            scales: &map.scales[panel * PANEL..][..PANEL],
            sums: &map.sums[panel * PANEL..][..PANEL],
            biases: &map.biases[panel * PANEL..][..PANEL],
            gelu: layout == Layout::RowsWithGelu,
        };
        for row in (0..rows).step_by(ROWS) {
            let scaling = (&a.scales[row..][..ROWS], &a.zeros[row..][..ROWS]);
            let first = panel * panel_stride + row * row_stride;
            let tile = &mut out[first..first + (ROWS - 1) * row_stride + PANEL];
            // SAFETY: the rows and the panel are complete, and `tile` reaches to the end of its last row.
            unsafe {
                tile_product(
                    &a.values[row * a.columns..][..ROWS * a.columns],
                    scaling,
                    weights,
                    &parameters,
                    tile,
                    row_stride,
                )
            };
        }
    }
}

/// What is known about the outputs of a panel, [`PANEL`] values each.
struct Parameters<'a> {
    scales: &'a [f32],
    sums: &'a [i32],
    biases: &'a [f32],
    gelu: bool,
}

/// [`ROWS`] rows times one panel: 24 registers of sums, four of weights, and a broadcast group of inputs.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
unsafe fn tile_product(
    a: &[u8],
    (scales, zeros): (&[f32], &[i32]),
    weights: &[i8],
    parameters: &Parameters<'_>,
    out: &mut [f32],
    row_stride: usize,
) {
    const REGISTERS: usize = PANEL / LANES;
    let columns = a.len() / ROWS;
    let mut sums = [[_mm512_setzero_si512(); REGISTERS]; ROWS];
    let (a, weights) = (a.as_ptr(), weights.as_ptr());
    for group in 0..columns / GROUP {
        // SAFETY: a panel has `columns / GROUP` groups of `PANEL * GROUP` bytes, a row as many groups of `GROUP` bytes.
        unsafe {
            let w = weights.add(group * PANEL * GROUP);
            let w: [__m512i; REGISTERS] = std::array::from_fn(|j| _mm512_loadu_si512(w.add(j * LANES * GROUP).cast()));
            for (row, sums) in sums.iter_mut().enumerate() {
                let x = _mm512_set1_epi32(a.add(row * columns + group * GROUP).cast::<i32>().read_unaligned());
                for (sum, w) in sums.iter_mut().zip(w) {
                    *sum = _mm512_dpbusd_epi32(*sum, x, w);
                }
            }
        }
    }
    #[expect(clippy::needless_range_loop, reason = "it indexes registers and the places they are stored to alike")]
    for j in 0..REGISTERS {
        // SAFETY: all of these have `PANEL` values, and `out` reaches `PANEL` values past the start of the last row.
        unsafe {
            let w_scale = _mm512_loadu_ps(parameters.scales.as_ptr().add(j * LANES));
            let w_sum = _mm512_loadu_si512(parameters.sums.as_ptr().add(j * LANES).cast());
            let bias = _mm512_loadu_ps(parameters.biases.as_ptr().add(j * LANES));
            for row in 0..ROWS {
                let shift = _mm512_mullo_epi32(w_sum, _mm512_set1_epi32(zeros[row]));
                let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[row][j], shift));
                let y = _mm512_fmadd_ps(sum, _mm512_mul_ps(w_scale, _mm512_set1_ps(scales[row])), bias);
                let y = if parameters.gelu { gelu(y) } else { y };
                _mm512_storeu_ps(out.as_mut_ptr().add(row * row_stride + j * LANES), y);
            }
        }
    }
}

/// `x / (1 + exp(-2 sqrt(2/pi) (x + 0.044715 x³)))`, see the reference in f32.
#[target_feature(enable = "avx512f")]
#[inline]
fn gelu(x: __m512) -> __m512 {
    // exp2(t) = exp(-2 sqrt(2/pi) (..)): both constants carry log2(e).
    const LINEAR: f32 = -1.595_769_2 * std::f32::consts::LOG2_E;
    const CUBIC: f32 = LINEAR * 0.044_715;
    let square = _mm512_mul_ps(x, x);
    let t = _mm512_mul_ps(x, _mm512_fmadd_ps(square, _mm512_set1_ps(CUBIC), _mm512_set1_ps(LINEAR)));
    let t = _mm512_min_ps(t, _mm512_set1_ps(126.0));
    _mm512_div_ps(x, _mm512_add_ps(_mm512_set1_ps(1.0), exp2(t)))
}

/// Two to the power of `t`, for `t` up to 127: relative error below 3e-6; values far below zero become zero.
#[target_feature(enable = "avx512f")]
#[inline]
fn exp2(t: __m512) -> __m512 {
    let whole = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(t);
    let part = _mm512_sub_ps(t, whole);
    // Taylor's series of 2^part on -0.5..=0.5.
    let mut y = _mm512_set1_ps(1.333_355_8e-3);
    for c in [9.618_129e-3, 5.550_411e-2, 2.402_265e-1, 6.931_472e-1, 1.0] {
        y = _mm512_fmadd_ps(y, part, _mm512_set1_ps(c));
    }
    _mm512_scalef_ps(y, whole)
}

/// Adds `added` to `state` and normalises it; all have `HIDDEN` values.
#[target_feature(enable = "avx512f,avx512dq")]
unsafe fn layer_norm(state: &mut [f32], added: Option<&[f32]>, norm: &Norm) {
    const REGISTERS: usize = HIDDEN / LANES;
    // SAFETY: every slice has `HIDDEN` values, `REGISTERS` whole registers.
    let read = |x: &[f32], i: usize| unsafe { _mm512_loadu_ps(x.as_ptr().add(i * LANES)) };
    let mut x: [__m512; REGISTERS] = std::array::from_fn(|i| read(state, i));
    if let Some(added) = added {
        x = std::array::from_fn(|i| _mm512_add_ps(x[i], read(added, i)));
    }
    let total = |x: &[__m512; REGISTERS]| {
        _mm512_reduce_add_ps(x.iter().fold(_mm512_setzero_ps(), |sum, v| _mm512_add_ps(sum, *v)))
    };
    let mean = _mm512_set1_ps(total(&x) / HIDDEN as f32);
    x = std::array::from_fn(|i| _mm512_sub_ps(x[i], mean));
    let squares: [__m512; REGISTERS] = std::array::from_fn(|i| _mm512_mul_ps(x[i], x[i]));
    let scale = _mm512_set1_ps(1.0 / (total(&squares) / HIDDEN as f32 + LAYER_NORM_EPSILON).sqrt());
    for (i, x) in x.into_iter().enumerate() {
        let y = _mm512_fmadd_ps(_mm512_mul_ps(x, scale), read(&norm.weight, i), read(&norm.bias, i));
        // SAFETY: as above.
        unsafe { _mm512_storeu_ps(state.as_mut_ptr().add(i * LANES), y) };
    }
}
