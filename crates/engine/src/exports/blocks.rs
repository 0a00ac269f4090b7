//! The cells of the heatmap as CSV: one line for each two blocks that it shows, with all that is known of them.

use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{Failure, Heatmap, HeatmapBand};

use super::record::write_csv;

/// The first line.
const COLUMNS: [&str; 6] = ["a", "a_documents", "b", "b_documents", "mean", "strongest"];

/// Each pair of blocks once, in the order of the picture, a block with itself among them. Of two documents both values are their
/// similarity.
pub(super) fn csv(heatmap: &Heatmap) -> Result<Vec<u8>, Failure> {
    let size = heatmap.bands.len();
    let mut lines = Vec::with_capacity(size * size * 40);
    write_csv(&mut lines, COLUMNS.into_iter().map(str::to_owned))?;
    let name = |band: &HeatmapBand| neutralise_cell(&band.label).into_owned();
    for (row, a) in heatmap.bands.iter().enumerate() {
        for (column, b) in heatmap.bands.iter().enumerate().skip(row) {
            let at = row * size + column;
            let mean = heatmap.values.get(at).copied().unwrap_or_default();
            let strongest = heatmap.strongest.get(at).copied().unwrap_or(mean);
            let values = [mean, strongest].map(|value| format!("{value:.4}"));
            let [mean, strongest] = values;
            let cells = [name(a), a.len.to_string(), name(b), b.len.to_string(), mean, strongest];
            write_csv(&mut lines, cells.into_iter())?;
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_blocks_has_a_line() {
        let band =
            |label: &str, len: u32| HeatmapBand { start: 0, len, cluster: None, label: label.into(), document: None };
        let mut heatmap = Heatmap {
            bands: vec![band("=1, two", 3), band("b", 2)],
            values: vec![0.5, 0.25, 0.25, -0.5],
            strongest: vec![0.9, 0.75, 0.75, -0.1],
            ..Heatmap::default()
        };
        let text = |heatmap: &Heatmap| String::from_utf8(csv(heatmap).expect("written")).expect("text");
        let first = text(&heatmap);
        let lines: Vec<&str> = first.lines().collect();
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[0], "a,a_documents,b,b_documents,mean,strongest");
        assert_eq!(lines[2], "\"'=1, two\",3,b,2,0.2500,0.7500");
        assert_eq!(lines[3], "b,2,b,2,-0.5000,-0.1000");
        heatmap.strongest.clear();
        assert!(
            text(&heatmap).contains("b,2,b,2,-0.5000,-0.5000"),
            "what is known of two documents is their similarity"
        );
    }
}
