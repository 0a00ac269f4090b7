//! What the encoder asks of a family of processors, and how the numbers that it multiplies are laid out.

use super::attention::Scratch;
use super::linear::{Layout, PackedLinear, Quantised};
use super::rows::Norm;

/// Proof that this processor has some instructions, and the arithmetic in them. All kernels quantise alike and have the same
/// sums in i32, to the last bit; what they do in f32 they may round differently.
pub(super) trait Kernel: Copy + Send + Sync {
    /// A quantised activation, 0 to 255, as wide as the product wants it.
    type Activation: Copy + Default + Into<i32> + Send;

    /// How weights lie in memory.
    const PACKING: Packing;
    /// Queries that attention works on at a time.
    const QUERIES: usize;

    /// The proof, where it can be given.
    fn detect() -> Option<Self>;

    /// Quantises `x` into `out` such that `x ≈ scale * (out - zero)`; returns scale and zero.
    fn quantise(self, x: &[f32], out: &mut [Self::Activation]) -> (f32, i32);

    /// `out = W a + b` for every row of `a`; `out` is resized to the padded rows.
    fn linear(self, a: &Quantised<Self>, map: &PackedLinear, layout: Layout, out: &mut Vec<f32>);

    /// Normalises every row of `HIDDEN`.
    fn layer_norm(self, states: &mut [f32], norm: &Norm);

    /// Adds `added` to `states` and normalises every row of `HIDDEN`.
    fn add_norm(self, states: &mut [f32], added: &[f32], norm: &Norm);

    /// Softmax attention in one head: `queries` in rows of stride `PANEL` against the `len` keys and values in `scratch`,
    /// into rows of stride `HIDDEN`.
    fn attend(self, queries: &[f32], scratch: &mut Scratch, len: usize, context: &mut [f32]);
}

/// The order of a matrix of weights: strips of `outputs` outputs; in each, groups of `group` inputs; in each, output by output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packing {
    /// Outputs whose sums the kernel has in registers at a time; a divisor of `PANEL`.
    pub outputs: usize,
    /// Inputs that one instruction multiplies and adds up.
    pub group: usize,
}
