//! The int8 matrix product in AVX2 and AVX-VNNI: six rows of activations times sixteen outputs at a time, exact in i32.
#![expect(unsafe_code, reason = "vector instructions need raw loads and a promise about the processor")]

use std::arch::x86_64::*;

use super::{LANES, gelu};
use crate::embedding::minilm::int8::kernel::Kernel;
use crate::embedding::minilm::int8::linear::{Layout, PANEL, PackedLinear, Quantised, ROWS};

/// Outputs of a strip: two registers of sums for each of [`ROWS`] rows, twelve of the sixteen that there are.
pub(super) const STRIP: usize = 2 * LANES;

/// What a tile adds up to, row by row.
pub(super) type Sums = [[i32; STRIP]; ROWS];

/// The sums of [`ROWS`] rows of activations times a strip of weights.
type Product<A> = unsafe fn(&[A], &[i8]) -> Sums;

/// See [`Kernel::linear`]. The weights of a strip stay in the first cache while all rows pass.
///
/// # Safety
/// The processor must have AVX2, FMA and the instructions of `product`, which must fit the packing of `K`.
pub(super) unsafe fn linear<K: Kernel>(
    a: &Quantised<K>,
    map: &PackedLinear,
    layout: Layout,
    out: &mut Vec<f32>,
    product: Product<K::Activation>,
) {
    assert_eq!(a.columns, map.inputs, "the map must fit the rows");
    let rows = a.padded();
    assert!(a.values.len() >= rows * a.columns && a.scales.len() >= rows && a.zeros.len() >= rows);
    out.resize(rows * map.outputs, 0.0);
    let row_stride = match layout {
        Layout::Rows | Layout::RowsWithGelu => map.outputs,
        Layout::Panels => PANEL,
    };
    for first in (0..map.outputs).step_by(STRIP) {
        let weights = &map.weights[first * map.inputs..][..STRIP * map.inputs];
        let parameters = Parameters {
            scales: &map.scales[first..][..STRIP],
            sums: &map.sums[first..][..STRIP],
            biases: &map.biases[first..][..STRIP],
            gelu: layout == Layout::RowsWithGelu,
        };
        let start = match layout {
            Layout::Rows | Layout::RowsWithGelu => first,
            Layout::Panels => first / PANEL * rows * PANEL + first % PANEL,
        };
        for row in (0..rows).step_by(ROWS) {
            // SAFETY: the caller promises the instructions; rows and strip are complete.
            let sums = unsafe { product(&a.values[row * a.columns..][..ROWS * a.columns], weights) };
            let tile = &mut out[start + row * row_stride..][..(ROWS - 1) * row_stride + STRIP];
            let scaling = (&a.scales[row..][..ROWS], &a.zeros[row..][..ROWS]);
            // SAFETY: as above; the tile reaches to the end of its last row.
            unsafe { finish(&sums, scaling, &parameters, tile, row_stride) };
        }
    }
}

/// Two inputs at a time, in sixteen bits: 255 times 127 twice is far from filling the 32 bits that they are added up in.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn of_pairs(a: &[i16], weights: &[i8]) -> Sums {
    const PAIR: usize = 2;
    let columns = a.len() / ROWS;
    let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
    let (a, weights) = (a.as_ptr(), weights.as_ptr());
    for pair in 0..columns / PAIR {
        // SAFETY: a strip has `columns / PAIR` groups of `STRIP * PAIR` bytes, a row as many pairs of activations.
        unsafe {
            let w = weights.add(pair * STRIP * PAIR).cast::<__m128i>();
            let w = [_mm256_cvtepi8_epi16(_mm_loadu_si128(w)), _mm256_cvtepi8_epi16(_mm_loadu_si128(w.add(1)))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let x = _mm256_set1_epi32(a.add(row * columns + pair * PAIR).cast::<i32>().read_unaligned());
                sums[0] = _mm256_add_epi32(sums[0], _mm256_madd_epi16(x, w[0]));
                sums[1] = _mm256_add_epi32(sums[1], _mm256_madd_epi16(x, w[1]));
            }
        }
    }
    stored(sums)
}

/// Four inputs at a time, by the instruction that is made for it.
#[target_feature(enable = "avx2,fma,avxvnni")]
pub(super) unsafe fn of_fours(a: &[u8], weights: &[i8]) -> Sums {
    const FOUR: usize = 4;
    let columns = a.len() / ROWS;
    let mut sums = [[_mm256_setzero_si256(); 2]; ROWS];
    let (a, weights) = (a.as_ptr(), weights.as_ptr());
    for four in 0..columns / FOUR {
        // SAFETY: a strip has `columns / FOUR` groups of `STRIP * FOUR` bytes, a row as many groups of four activations.
        unsafe {
            let w = weights.add(four * STRIP * FOUR).cast::<__m256i>();
            let w = [_mm256_loadu_si256(w), _mm256_loadu_si256(w.add(1))];
            for (row, sums) in sums.iter_mut().enumerate() {
                let x = _mm256_set1_epi32(a.add(row * columns + four * FOUR).cast::<i32>().read_unaligned());
                sums[0] = _mm256_dpbusd_avx_epi32(sums[0], x, w[0]);
                sums[1] = _mm256_dpbusd_avx_epi32(sums[1], x, w[1]);
            }
        }
    }
    stored(sums)
}

#[target_feature(enable = "avx2,fma")]
#[inline]
fn stored(registers: [[__m256i; 2]; ROWS]) -> Sums {
    let mut sums = [[0; STRIP]; ROWS];
    for (sums, registers) in sums.iter_mut().zip(registers) {
        // SAFETY: a row has two registers of sums.
        unsafe {
            _mm256_storeu_si256(sums.as_mut_ptr().cast(), registers[0]);
            _mm256_storeu_si256(sums.as_mut_ptr().add(LANES).cast(), registers[1]);
        }
    }
    sums
}

/// What is known about the outputs of a strip, [`STRIP`] values each.
struct Parameters<'a> {
    scales: &'a [f32],
    sums: &'a [i32],
    biases: &'a [f32],
    gelu: bool,
}

/// From sums to outputs: zeros taken out, scaled, biased.
#[target_feature(enable = "avx2,fma")]
unsafe fn finish(
    sums: &Sums,
    (scales, zeros): (&[f32], &[i32]),
    parameters: &Parameters<'_>,
    out: &mut [f32],
    row_stride: usize,
) {
    for at in [0, LANES] {
        // SAFETY: all of these have `STRIP` values, and `out` reaches `STRIP` values past the start of the last row.
        unsafe {
            let w_scale = _mm256_loadu_ps(parameters.scales.as_ptr().add(at));
            let w_sum = _mm256_loadu_si256(parameters.sums.as_ptr().add(at).cast());
            let bias = _mm256_loadu_ps(parameters.biases.as_ptr().add(at));
            for (row, sums) in sums.iter().enumerate() {
                let sum = _mm256_loadu_si256(sums.as_ptr().add(at).cast());
                let shift = _mm256_mullo_epi32(w_sum, _mm256_set1_epi32(zeros[row]));
                let sum = _mm256_cvtepi32_ps(_mm256_sub_epi32(sum, shift));
                let y = _mm256_fmadd_ps(sum, _mm256_mul_ps(w_scale, _mm256_set1_ps(scales[row])), bias);
                let y = if parameters.gelu { gelu(y) } else { y };
                _mm256_storeu_ps(out.as_mut_ptr().add(row * row_stride + at), y);
            }
        }
    }
}
