//! The picture as a file: the colours of the page in the light, cell by cell.

use std::io::Cursor;

use image::{ImageFormat, ImageResult, Rgb, RgbImage};
use sheaf_domain::{Heatmap, HeatmapBand, HeatmapCells};

/// A side of the square of cells is about as many pixels long, and a cell within these bounds.
const SIDE: u32 = 960;
const CELL: (u32, u32) = (4, 32);
/// The strips of clusters, and what is around the picture.
const STRIP: u32 = 12;
const MARGIN: u32 = 12;
/// The scale below the picture.
const SCALE: u32 = 14;
/// Steps of the scale, as on the page.
const STEPS: u32 = 32;

/// As in `style/tokens.css`: lightness, chroma, hue.
const PAPER: [f32; 3] = [0.988, 0.006, 88.0];
const LOW: [f32; 3] = [0.95, 0.018, 100.0];
const HIGH: [f32; 3] = [0.29, 0.07, 172.0];
const MARK: [f32; 2] = [0.63, 0.115];
const OUTLIER: [f32; 3] = [0.63, 0.02, 85.0];
const HUES: [f32; 12] = [168.0, 52.0, 262.0, 95.0, 335.0, 215.0, 25.0, 300.0, 130.0, 0.0, 238.0, 75.0];

/// Draws and encodes.
///
/// # Errors
/// When the encoder refuses.
pub fn encode(heatmap: &Heatmap, cells: HeatmapCells) -> ImageResult<Vec<u8>> {
    let (values, scale) = heatmap.cells(cells);
    let bands = u32::try_from(heatmap.bands.len()).unwrap_or(u32::MAX);
    let cell = SIDE.checked_div(bands).unwrap_or(CELL.1).clamp(CELL.0, CELL.1);
    let side = cell * bands;
    let (width, height) = (2 * MARGIN + STRIP + side, 3 * MARGIN + STRIP + side + SCALE);
    let mut image = RgbImage::from_pixel(width, height, colour(oklab(PAPER)));
    let corner = MARGIN + STRIP;
    for (row, band) in (0..bands).zip(&heatmap.bands) {
        let mark = mark(band);
        fill(&mut image, (corner + row * cell, MARGIN), (cell, STRIP - 2), mark);
        fill(&mut image, (MARGIN, corner + row * cell), (STRIP - 2, cell), mark);
        for column in 0..bands {
            let value = values.get((row * bands + column) as usize).copied().unwrap_or_default();
            let at = (corner + column * cell, corner + row * cell);
            fill(&mut image, at, (cell, cell), step(value, scale));
        }
    }
    let width = (side / STEPS).max(1);
    for number in 0..STEPS.min(side) {
        let share = number as f32 / (STEPS - 1) as f32;
        fill(&mut image, (corner + number * width, corner + side + MARGIN), (width, SCALE), mixed(share));
    }
    let mut file = Cursor::new(Vec::new());
    image.write_to(&mut file, ImageFormat::Png)?;
    Ok(file.into_inner())
}

fn fill(image: &mut RgbImage, (left, top): (u32, u32), (width, height): (u32, u32), colour: Rgb<u8>) {
    for y in top..top + height {
        for x in left..left + width {
            image.put_pixel(x, y, colour);
        }
    }
}

/// The colour of a similarity: the ends of the scale take what lies beyond them.
fn step(value: f32, (low, high): (f32, f32)) -> Rgb<u8> {
    let last = (STEPS - 1) as f32;
    let share = (value - low) / (high - low).max(0.001);
    mixed((share * STEPS as f32).floor().clamp(0.0, last) / last)
}

/// Between the ends of the scale, mixed in Oklab as the page does.
fn mixed(share: f32) -> Rgb<u8> {
    let (low, high) = (oklab(LOW), oklab(HIGH));
    colour(std::array::from_fn(|i| low[i] + (high[i] - low[i]) * share))
}

fn mark(band: &HeatmapBand) -> Rgb<u8> {
    let [lightness, chroma] = MARK;
    let of = |id: u32| [lightness, chroma, HUES[id as usize % HUES.len()]];
    colour(oklab(band.cluster.map_or(OUTLIER, |cluster| of(cluster.0))))
}

/// From lightness, chroma and hue in degrees.
fn oklab([lightness, chroma, hue]: [f32; 3]) -> [f32; 3] {
    let hue = hue.to_radians();
    [lightness, chroma * hue.cos(), chroma * hue.sin()]
}

/// From Oklab to sRGB (Björn Ottosson, "A perceptual color space for image processing", 2020).
fn colour([lightness, a, b]: [f32; 3]) -> Rgb<u8> {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    let linear = [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ];
    Rgb(linear.map(|value| {
        let value = value.clamp(0.0, 1.0);
        let encoded = if value <= 0.003_130_8 { 12.92 * value } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (encoded * 255.0).round() as u8
    }))
}

#[cfg(test)]
mod tests {
    use sheaf_domain::ClusterId;

    use super::*;

    #[test]
    fn colours_are_those_of_the_page() {
        // As a browser computes them.
        assert_eq!(colour(oklab([1.0, 0.0, 0.0])), Rgb([255, 255, 255]));
        assert_eq!(colour(oklab([0.627_955, 0.257_683, 29.234])), Rgb([255, 0, 0]));
        assert_eq!(mixed(0.0), colour(oklab(LOW)));
        assert_eq!(mixed(1.0), colour(oklab(HIGH)));
    }

    #[test]
    fn a_cell_has_the_colour_of_its_value() {
        let band = |cluster| HeatmapBand {
            start: 0,
            len: 1,
            cluster: Some(ClusterId(cluster)),
            label: String::new(),
            document: None,
        };
        let heatmap = Heatmap {
            bands: vec![band(0), band(1)],
            values: vec![1.0, 0.1, 0.1, 1.0],
            scale: (0.1, 1.0),
            documents: 2,
            strongest: vec![1.0, 0.9, 0.9, 1.0],
            strongest_scale: (0.1, 0.9),
            ..Heatmap::default()
        };
        let drawn = |cells: HeatmapCells| {
            let file = encode(&heatmap, cells).expect("it is drawn");
            image::load_from_memory(&file).expect("it is a picture").to_rgb8()
        };
        let image = drawn(HeatmapCells::Mean);
        let corner = MARGIN + STRIP;
        let strongest = drawn(HeatmapCells::Strongest);
        assert_eq!(*strongest.get_pixel(corner + CELL.1 + 1, corner + 1), mixed(1.0));
        assert_eq!(*image.get_pixel(corner + 1, corner + 1), mixed(1.0));
        assert_eq!(*image.get_pixel(corner + CELL.1 + 1, corner + 1), mixed(0.0));
        assert_eq!(*image.get_pixel(0, 0), colour(oklab(PAPER)));
        assert!(encode(&Heatmap::default(), HeatmapCells::Mean).is_ok());
    }
}
