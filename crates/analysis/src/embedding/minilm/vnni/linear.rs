//! Quantised matrices as the kernel wants them: activations row by row, weights in panels of 64 outputs.

use super::kernel::Avx512;
use crate::embedding::minilm::layers::Linear;

/// Rows that the kernel works on at a time; rows are padded to a multiple of it.
pub(super) const ROWS: usize = 6;
/// Outputs of a panel: four registers of sixteen sums.
pub(super) const PANEL: usize = 64;
/// Inputs that one instruction multiplies and adds up.
pub(super) const GROUP: usize = 4;

/// Where the results of a linear map go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Row by row.
    Rows,
    /// Row by row, after [GELU](crate::embedding::minilm::float).
    RowsWithGelu,
    /// Panel by panel, within a panel row by row: 64 outputs of all rows lie together.
    Panels,
}

/// A linear map with int8 weights: `w ≈ scale[output] * q`.
pub(super) struct PackedLinear {
    pub inputs: usize,
    pub outputs: usize,
    /// Panel, group of [`GROUP`] inputs, output, input.
    pub weights: Vec<i8>,
    /// Of each output.
    pub scales: Vec<f32>,
    /// Sum of the quantised weights of each output.
    pub sums: Vec<i32>,
    pub biases: Vec<f32>,
}

impl PackedLinear {
    /// Quantises each output's weights symmetrically to -127..=127.
    pub(super) fn new(map: Linear<'_>, inputs: usize) -> Self {
        let outputs = map.bias.len();
        assert!(
            inputs.is_multiple_of(GROUP) && outputs.is_multiple_of(PANEL) && map.weight.len() == inputs * outputs,
            "the model's shapes fit the panels"
        );
        let mut packed = Self {
            inputs,
            outputs,
            weights: vec![0; inputs * outputs],
            scales: vec![0.0; outputs],
            sums: vec![0; outputs],
            biases: map.bias.to_vec(),
        };
        for (output, row) in map.weight.chunks_exact(inputs).enumerate() {
            let scale = row.iter().fold(0.0_f32, |most, w| most.max(w.abs())).max(f32::MIN_POSITIVE) / 127.0;
            let panel = &mut packed.weights[output / PANEL * PANEL * inputs..][..PANEL * inputs];
            for (input, w) in row.iter().enumerate() {
                let q = (w / scale).round().clamp(-127.0, 127.0) as i8;
                panel[(input / GROUP * PANEL + output % PANEL) * GROUP + input % GROUP] = q;
                packed.sums[output] += i32::from(q);
            }
            packed.scales[output] = scale;
        }
        packed
    }
}

/// Rows of activations in u8: `x ≈ scale * (q - zero)`, each row with its own scale and zero.
#[derive(Default)]
pub(super) struct Quantised {
    /// Rows, without those that pad.
    pub rows: usize,
    pub columns: usize,
    /// Padded to a multiple of [`ROWS`] rows.
    pub values: Vec<u8>,
    pub scales: Vec<f32>,
    pub zeros: Vec<i32>,
}

impl Quantised {
    /// Quantises `data`, rows of `columns`.
    pub(super) fn fill(&mut self, cpu: Avx512, data: &[f32], columns: usize) {
        let rows = data.len() / columns;
        let padded = rows.next_multiple_of(ROWS);
        (self.rows, self.columns) = (rows, columns);
        self.values.resize(padded * columns, 0);
        self.scales.resize(padded, 0.0);
        self.zeros.resize(padded, 0);
        for (row, x) in data.chunks_exact(columns).enumerate() {
            let (scale, zero) = cpu.quantise(x, &mut self.values[row * columns..][..columns]);
            self.scales[row] = scale;
            self.zeros[row] = zero;
        }
    }

    /// Rows including those that pad.
    pub(super) const fn padded(&self) -> usize {
        self.rows.next_multiple_of(ROWS)
    }
}
