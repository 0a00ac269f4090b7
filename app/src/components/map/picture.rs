//! Points and names of the map as SVG.

use std::collections::BTreeMap;
use std::fmt::Write;

use leptos::prelude::*;
use sheaf_domain::{DocumentMap, MapLabel};

use crate::boxed::Boxed;
use crate::format::count;
use crate::words::hue_class;

/// The most points that are drawn; of more documents as many are taken evenly.
const POINTS: usize = 2_000;
/// Letters of a name that the map shows.
const LETTERS: usize = 34;
/// A letter's width, as a part of the height of the type.
const LETTER: f32 = 0.56;

/// The picture's size in its own units, and how the map is laid into it: the same scale in both directions, all of it in sight.
#[derive(Clone, Copy)]
pub struct Frame {
    width: f32,
    height: f32,
    scale: f32,
}

impl Frame {
    /// Of the page of the map. The script knows the proportion from the style sheet.
    pub const LARGE: (f32, f32) = (1000.0, 640.0);
    /// Of the picture on a batch's page.
    pub const SMALL: (f32, f32) = (1000.0, 420.0);
    /// Left free at each side.
    const MARGIN: f32 = 28.0;

    /// For this map.
    pub fn of(map: &DocumentMap, (width, height): (f32, f32)) -> Self {
        let extent = |values: &[i16]| {
            let most = values.iter().map(|value| f32::from(*value).abs()).fold(0.0, f32::max);
            (most / f32::from(DocumentMap::EDGE)).max(0.01)
        };
        let scale_x = (width / 2.0 - Self::MARGIN) / extent(&map.x);
        let scale_y = (height / 2.0 - Self::MARGIN) / extent(&map.y);
        Self { width, height, scale: scale_x.min(scale_y) }
    }

    /// The attribute of the picture.
    pub fn view_box(self) -> String {
        format!("0 0 {} {}", self.width, self.height)
    }

    fn at(self, x: i16, y: i16) -> (f32, f32) {
        let unit = |value: i16| f32::from(value) / f32::from(DocumentMap::EDGE) * self.scale;
        (self.width / 2.0 + unit(x), self.height / 2.0 - unit(y))
    }
}

/// Every document as a dot in the colour of its cluster, grey when it does not match: one path for each colour.
#[component]
pub fn Points(frame: Frame, map: DocumentMap) -> impl IntoView {
    let step = map.documents.len().div_ceil(POINTS).max(1);
    let mut paths: BTreeMap<(bool, String), String> = BTreeMap::new();
    for row in (0..map.documents.len()).step_by(step) {
        let (x, y) = frame.at(map.x[row], map.y[row]);
        let is_matching = u32::try_from(row).is_ok_and(|row| map.is_matching(row));
        let class = if is_matching { hue_class(map.clusters[row]) } else { "rest".to_owned() };
        let path = paths.entry((is_matching, class)).or_default();
        // Writing to memory does not fail.
        let _ = write!(path, "M{x:.0} {y:.0}h0");
    }
    let size = match map.documents.len() {
        0..=300 => "large",
        301..=1_500 => "medium",
        _ => "small",
    };
    let path = |((_, class), d): ((bool, String), String)| view! { <path class=class d=d></path> };
    view! {
        <g class=format!("map-points {size}") aria-hidden="true">
            {paths.into_iter().map(path).collect_view()}
        </g>
    }
    .boxed()
}

/// The names of clusters at their documents, each a link. A name that would cover that of a larger cluster is left out; its
/// circle stays.
#[component]
pub fn Names(frame: Frame, labels: Vec<MapLabel>, to: impl Fn(&MapLabel) -> String + Send + 'static) -> impl IntoView {
    let all: u32 = labels.iter().map(|label| label.documents).sum();
    let is_wide = apart(frame, &labels, WIDE, |label| short(&label.name, LETTERS));
    let is_narrow = apart(frame, &labels, NARROW, |label| first(&label.name));
    let name = |(at, label): (usize, MapLabel)| {
        let (x, y) = frame.at(label.x, label.y);
        let href = to(&label);
        let radius = 8.0 + 60.0 * (f64::from(label.documents) / f64::from(all.max(1))).sqrt();
        let in_words = format!("{}, {} documents", label.name, count(u64::from(label.documents)));
        let shown = match (is_wide[at], is_narrow[at]) {
            (true, true) => "",
            (true, false) => "only-wide",
            (false, true) => "only-narrow",
            (false, false) => "covered",
        };
        let rest = if label.matching == 0 { "rest" } else { "" };
        let tenth = |value: f32| format!("{value:.1}");
        view! {
            <a
                class=format!("map-name {} {shown} {rest}", hue_class(Some(label.cluster)))
                href=href
                aria-label=in_words
                data-testid="map-name"
                data-cluster=label.cluster.to_string()
                data-x=label.x.to_string()
                data-y=label.y.to_string()
            >
                <circle cx=tenth(x) cy=tenth(y) r=format!("{radius:.1}")></circle>
                <text x=tenth(x) y=tenth(y)>
                    <tspan class="wide">{short(&label.name, LETTERS)}</tspan>
                    <tspan class="narrow">{first(&label.name)}</tspan>
                </text>
            </a>
        }
    };
    let names: Vec<_> = labels.into_iter().enumerate().map(name).collect();
    view! { <g class="map-names">{names}</g> }.boxed()
}

/// The height of the type in the picture's units, as the style sheet has it.
const WIDE: f32 = 15.0;
/// On a narrow screen, where the picture is smaller and the type is not.
const NARROW: f32 = 34.0;

/// Which names can stand there when larger clusters come first and none may touch another.
fn apart(frame: Frame, labels: &[MapLabel], size: f32, text: impl Fn(&MapLabel) -> String) -> Vec<bool> {
    let mut taken: Vec<[f32; 4]> = Vec::new();
    labels
        .iter()
        .map(|label| {
            let (x, y) = frame.at(label.x, label.y);
            #[expect(clippy::cast_precision_loss, reason = "a name has few letters")]
            let half = text(label).chars().count() as f32 * size * LETTER / 2.0;
            let place = [x - half, y - 0.8 * size, x + half, y + 0.8 * size];
            let [left, top, right, bottom] = place;
            let is_inside = left >= 0.0 && right <= frame.width;
            let is_free = taken.iter().all(|t| right < t[0] || left > t[2] || bottom < t[1] || top > t[3]);
            if is_inside && is_free {
                taken.push(place);
            }
            is_inside && is_free
        })
        .collect()
}

/// At most so many letters.
fn short(name: &str, letters: usize) -> String {
    match name.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", name[..end].trim_end_matches([' ', ','])),
        None => name.to_owned(),
    }
}

/// The first of a name's words.
fn first(name: &str) -> String {
    short(name.split(',').next().unwrap_or(name), 16)
}

#[cfg(test)]
mod tests {
    use sheaf_domain::ClusterId;

    use super::*;

    fn label(id: u32, name: &str, x: i16, y: i16) -> MapLabel {
        MapLabel { cluster: ClusterId(id), name: name.to_owned(), x, y, documents: 10 - id, matching: 1 }
    }

    #[test]
    fn a_name_never_covers_that_of_a_larger_cluster() {
        let map = DocumentMap { x: vec![i16::MAX, -i16::MAX], y: vec![20_000, -20_000], ..DocumentMap::default() };
        let frame = Frame::of(&map, Frame::LARGE);
        let labels = [
            label(0, "football, league", 0, 0),
            label(1, "budget, tax", 900, 100),
            label(2, "violin", 0, 9_000),
            label(3, "at the very edge of it", i16::MAX, 0),
        ];
        assert_eq!(apart(frame, &labels, WIDE, |label| label.name.clone()), [true, false, true, false]);
    }

    #[test]
    fn names_are_cut_at_words() {
        assert_eq!(short("football, league, cup", 9), "football…");
        assert_eq!(short("ball", 9), "ball");
        assert_eq!(first("football, league"), "football");
    }

    #[test]
    fn the_whole_map_is_in_the_frame() {
        let map = DocumentMap { x: vec![i16::MAX, -i16::MAX], y: vec![i16::MAX, -i16::MAX], ..DocumentMap::default() };
        for size in [Frame::LARGE, Frame::SMALL] {
            let frame = Frame::of(&map, size);
            let (x, y) = frame.at(i16::MAX, i16::MAX);
            assert!(x <= size.0 && y >= 0.0, "{x} {y}");
        }
    }
}
