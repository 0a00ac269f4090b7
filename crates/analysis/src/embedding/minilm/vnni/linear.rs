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

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers between -1 and 1 that look random.
    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + 1) * (seed * 2 + 7919)) % 2003) as f32 / 1001.5 - 1.0).collect()
    }

    #[test]
    fn the_product_is_what_the_definition_says() {
        let Some(cpu) = Avx512::detect() else {
            eprintln!("SKIPPED: this processor has no AVX-512 VNNI");
            return;
        };
        for (rows, inputs, outputs) in [(1, 64, 64), (6, 64, 128), (13, 128, 192)] {
            let (weight, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let packed = PackedLinear::new(Linear { weight: &weight, bias: &bias }, inputs);
            let data = numbers(rows * inputs, 3);
            let mut quantised = Quantised::default();
            quantised.fill(cpu, &data, inputs);
            let mut out = Vec::new();
            cpu.linear(&quantised, &packed, Layout::Rows, &mut out);
            for row in 0..rows {
                for output in 0..outputs {
                    // By the quantised numbers exactly, by the given ones as well as eight bits can.
                    let (q, w) = (&quantised.values[row * inputs..][..inputs], &weight[output * inputs..][..inputs]);
                    let step = packed.scales[output];
                    let sum: i32 = q
                        .iter()
                        .zip(w)
                        .map(|(&q, w)| (i32::from(q) - quantised.zeros[row]) * (w / step).round() as i32)
                        .sum();
                    let exact = sum as f32 * step * quantised.scales[row] + bias[output];
                    let found = out[row * outputs + output];
                    assert!((found - exact).abs() < 1e-3, "{rows}×{inputs}×{outputs}: {found}, not {exact}");
                    let given: f32 =
                        w.iter().zip(&data[row * inputs..]).map(|(w, x)| w * x).sum::<f32>() + bias[output];
                    assert!((found - given).abs() < 0.15, "{rows}×{inputs}×{outputs}: {found} is far from {given}");
                }
            }
        }
    }
}
