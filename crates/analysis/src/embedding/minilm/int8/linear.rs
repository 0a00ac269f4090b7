//! Quantised matrices as the kernels want them: activations row by row, weights in strips.

use super::kernel::{Kernel, Packing};
use crate::embedding::minilm::layers::Linear;

/// Rows that a kernel works on at a time; rows are padded to a multiple of it.
pub(super) const ROWS: usize = 6;
/// Outputs of a panel, two heads of attention.
pub(super) const PANEL: usize = 64;

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
    /// In the order of a kernel's [`Packing`].
    pub weights: Vec<i8>,
    /// Of each output.
    pub scales: Vec<f32>,
    /// Sum of the quantised weights of each output.
    pub sums: Vec<i32>,
    pub biases: Vec<f32>,
}

impl PackedLinear {
    /// Quantises each output's weights symmetrically to -127..=127.
    pub(super) fn new(map: Linear<'_>, inputs: usize, packing: Packing) -> Self {
        let outputs = map.bias.len();
        let Packing { outputs: strip, group } = packing;
        assert!(
            inputs.is_multiple_of(group) && outputs.is_multiple_of(PANEL) && PANEL.is_multiple_of(strip),
            "the model's shapes fit the panels"
        );
        assert_eq!(map.weight.len(), inputs * outputs, "one row of inputs for each output");
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
            let strip_weights = &mut packed.weights[output / strip * strip * inputs..][..strip * inputs];
            for (input, w) in row.iter().enumerate() {
                let q = (w / scale).round().clamp(-127.0, 127.0) as i8;
                strip_weights[(input / group * strip + output % strip) * group + input % group] = q;
                packed.sums[output] += i32::from(q);
            }
            packed.scales[output] = scale;
        }
        packed
    }
}

/// Rows of activations of 0 to 255: `x ≈ scale * (q - zero)`, each row with its own scale and zero.
pub(super) struct Quantised<K: Kernel> {
    /// Rows, without those that pad.
    pub rows: usize,
    pub columns: usize,
    /// Padded to a multiple of [`ROWS`] rows.
    pub values: Vec<K::Activation>,
    pub scales: Vec<f32>,
    pub zeros: Vec<i32>,
}

impl<K: Kernel> Default for Quantised<K> {
    fn default() -> Self {
        Self { rows: 0, columns: 0, values: Vec::new(), scales: Vec::new(), zeros: Vec::new() }
    }
}

impl<K: Kernel> Quantised<K> {
    /// Quantises `data`, rows of `columns`.
    pub(super) fn fill(&mut self, kernel: K, data: &[f32], columns: usize) {
        let rows = data.len() / columns;
        let padded = rows.next_multiple_of(ROWS);
        (self.rows, self.columns) = (rows, columns);
        self.values.resize(padded * columns, K::Activation::default());
        self.scales.resize(padded, 0.0);
        self.zeros.resize(padded, 0);
        for (row, x) in data.chunks_exact(columns).enumerate() {
            let (scale, zero) = kernel.quantise(x, &mut self.values[row * columns..][..columns]);
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
    use super::super::avx2::{Avx2, AvxVnni};
    use super::super::avx512::Avx512Vnni;
    use super::*;

    /// Numbers between -1 and 1 that look random.
    fn numbers(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + 1) * (seed * 2 + 7919)) % 2003) as f32 / 1001.5 - 1.0).collect()
    }

    /// Whether this processor has the kernel. Every product is compared with its definition: by the quantised numbers
    /// exactly, by the given ones as well as eight bits can.
    fn check<K: Kernel>(name: &str) -> bool {
        let Some(kernel) = K::detect() else {
            eprintln!("SKIPPED: this processor has no {name}");
            return false;
        };
        for (rows, inputs, outputs) in [(1, 64, 64), (6, 64, 128), (13, 128, 192)] {
            let (weight, bias) = (numbers(inputs * outputs, 1), numbers(outputs, 2));
            let packed = PackedLinear::new(Linear { weight: &weight, bias: &bias }, inputs, K::PACKING);
            let data = numbers(rows * inputs, 3);
            let mut quantised = Quantised::<K>::default();
            quantised.fill(kernel, &data, inputs);
            let mut out = Vec::new();
            kernel.linear(&quantised, &packed, Layout::Rows, &mut out);
            for row in 0..rows {
                for output in 0..outputs {
                    let (q, w) = (&quantised.values[row * inputs..][..inputs], &weight[output * inputs..][..inputs]);
                    let step = packed.scales[output];
                    let sum: i32 = q
                        .iter()
                        .zip(w)
                        .map(|(&q, w)| (q.into() - quantised.zeros[row]) * (w / step).round() as i32)
                        .sum();
                    let exact = sum as f32 * step * quantised.scales[row] + bias[output];
                    let found = out[row * outputs + output];
                    assert!((found - exact).abs() < 1e-4, "{name}, {rows}×{inputs}×{outputs}: {found}, not {exact}");
                    let given: f32 =
                        w.iter().zip(&data[row * inputs..]).map(|(w, x)| w * x).sum::<f32>() + bias[output];
                    assert!((found - given).abs() < 0.15, "{name}: {found} is far from {given}");
                }
            }
        }
        true
    }

    #[test]
    fn products_are_what_the_definition_says() {
        check::<Avx512Vnni>("AVX-512 VNNI");
        check::<AvxVnni>("AVX-VNNI");
        check::<Avx2>("AVX2");
    }

    /// The largest numbers that there are, all of one sign: sums of sixteen bits would overflow.
    fn check_extremes<K: Kernel>() {
        let Some(kernel) = K::detect() else { return };
        let (inputs, outputs) = (1536, 64);
        let weight: Vec<f32> = (0..inputs * outputs).map(|i| if i / inputs % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let bias = vec![0.0; outputs];
        let packed = PackedLinear::new(Linear { weight: &weight, bias: &bias }, inputs, K::PACKING);
        let mut quantised = Quantised::<K>::default();
        quantised.fill(kernel, &vec![3.0; inputs], inputs);
        let mut out = Vec::new();
        kernel.linear(&quantised, &packed, Layout::Rows, &mut out);
        for (output, found) in out[..outputs].iter().enumerate() {
            let exact = if output % 2 == 0 { 3.0 } else { -3.0 } * inputs as f32;
            assert!((found / exact - 1.0).abs() < 1e-5, "output {output}: {found}, not {exact}");
        }
    }

    #[test]
    fn nothing_overflows() {
        check_extremes::<Avx512Vnni>();
        check_extremes::<AvxVnni>();
        check_extremes::<Avx2>();
    }
}
