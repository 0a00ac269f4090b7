//! The cells of the heatmap as HTML: the same string on the server and in the browser. Names come from documents, so
//! everything that is not a number is escaped.

use std::fmt::Write;

use sheaf_domain::HeatmapCells;

use crate::views::HeatmapPicture;
use crate::words::hue_class;

/// Steps of the colour scale; `style/components/heatmap.css` has a class for each.
pub const STEPS: i32 = 32;

/// From this many bands on, a row is too low for a name beside it.
pub const DENSE: usize = 37;

/// A row of the grid for each band: a heading that links to `hrefs[band]`, then a cell for each band.
pub fn rows(picture: &HeatmapPicture, cells: HeatmapCells, hrefs: &[String]) -> String {
    let (permille, scale) = picture.cells(cells);
    let size = picture.bands.len();
    let starts = starts_of_runs(picture);
    let mut html = String::with_capacity(size * (size * 36 + 240));
    for (row, (band, href)) in picture.bands.iter().zip(hrefs).enumerate() {
        let top = if starts.get(row).copied().unwrap_or_default() && row > 0 { " class=t" } else { "" };
        let label = escape(&band.label);
        let text = if size < DENSE { escape(short(&band.label, band.document.is_some())) } else { String::new() };
        let hue = hue_class(band.cluster);
        let href = escape(href);
        // Writing to a string cannot fail.
        let _ = write!(
            html,
            "<div role=row{top}><span role=rowheader class=\"rh {hue}\"><a href=\"{href}\" title=\"{label}\" \
             aria-label=\"{label}\" data-noscroll><bdi>{text}</bdi></a></span>"
        );
        for column in 0..size {
            let value = permille.get(row * size + column).copied().unwrap_or_default();
            let left = starts.get(column).copied().unwrap_or_default() && column > 0;
            let step = step(value, scale);
            let tab = if row == 0 && column == 0 { " tabindex=0" } else { "" };
            let _ = if left {
                write!(html, "<i role=gridcell class=\"h-{step} l\"{tab}></i>")
            } else {
                write!(html, "<i role=gridcell class=h-{step}{tab}></i>")
            };
        }
        html.push_str("</div>");
    }
    html
}

/// Which bands are the first of their cluster.
fn starts_of_runs(picture: &HeatmapPicture) -> Vec<bool> {
    let clusters: Vec<_> = picture.bands.iter().map(|band| band.cluster).collect();
    (0..clusters.len()).map(|i| i == 0 || clusters.get(i) != clusters.get(i - 1)).collect()
}

/// The step of the colour scale for a value; the ends of the scale take what lies beyond them.
pub fn step(permille: i16, scale: (i16, i16)) -> i32 {
    let (low, high) = (i32::from(scale.0), i32::from(scale.1));
    let span = (high - low).max(1);
    ((i32::from(permille) - low) * STEPS / span).clamp(0, STEPS - 1)
}

/// A file's name without its folders; a block's label as it is.
fn short(label: &str, is_document: bool) -> &str {
    if is_document { crate::file_path::file_name(label) } else { label }
}

/// Text for use inside an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use sheaf_domain::{ClusterId, HeatmapBand};

    fn band(label: &str, cluster: u32) -> HeatmapBand {
        HeatmapBand { start: 0, len: 2, cluster: Some(ClusterId(cluster)), label: label.to_owned(), document: None }
    }

    #[test]
    fn steps_cover_the_scale() {
        let check = |value: i16, expect: i32| assert_eq!(step(value, (100, 500)), expect);
        check(-1000, 0);
        check(100, 0);
        check(300, 16);
        check(499, 31);
        check(1000, 31);
        assert_eq!(step(5, (5, 5)), 0);
    }

    #[test]
    fn hostile_names_stay_text() {
        let picture = HeatmapPicture {
            bands: vec![band("\"><script>alert(1)</script>", 0), band("b", 1)],
            permille: vec![0; 4],
            scale: (0, 1000),
            ..HeatmapPicture::default()
        };
        let html = rows(&picture, HeatmapCells::Mean, &["/a".to_owned(), "/b".to_owned()]);
        assert!(!html.contains("<script"));
        assert!(html.contains("&quot;&gt;&lt;script&gt;"));
    }

    #[test]
    fn there_is_a_cell_for_every_pair() {
        let picture = HeatmapPicture {
            bands: vec![band("a", 0), band("b", 0), band("c", 1)],
            permille: vec![500; 9],
            scale: (0, 1000),
            ..HeatmapPicture::default()
        };
        let html = rows(&picture, HeatmapCells::Mean, &["/".to_owned(), "/".to_owned(), "/".to_owned()]);
        assert_eq!(html.matches("role=gridcell").count(), 9);
        assert_eq!(html.matches("role=rowheader").count(), 3);
        assert_eq!(html.matches("class=t").count(), 1);
        assert_eq!(html.matches("tabindex").count(), 1);
    }
}
