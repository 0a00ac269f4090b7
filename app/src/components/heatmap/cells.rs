//! The cells of the heatmap as HTML: the same string on the server and in the browser. Names come from documents, so
//! everything that is not a number is escaped. Another picture of as many bands is put into the elements that are there.

use std::fmt::Write;
use std::sync::Arc;

use leptos::attr::any_attribute::{AnyAttribute, IntoAnyAttribute};
use leptos::attr::{Attribute, NextAttribute};
use leptos::tachys::renderer::dom::Element;
use leptos::wasm_bindgen::JsCast;
use sheaf_domain::HeatmapCells;

use crate::views::HeatmapPicture;
use crate::words::hue_class;

/// Steps of the colour scale; `style/components/heatmap.css` has a class for each.
pub const STEPS: i32 = 32;

/// From this many bands on, a row is too low for a name beside it.
pub const DENSE: usize = 37;

/// What the grid shows.
#[derive(Clone)]
pub struct Cells {
    pub picture: Arc<HeatmapPicture>,
    pub cells: HeatmapCells,
    /// Where the heading of each band leads.
    pub hrefs: Arc<[String]>,
}

impl Cells {
    /// A row of the grid for each band: a heading that links to its place, then a cell for each band.
    pub fn html(&self) -> String {
        let bands = &self.picture.bands;
        let size = bands.len();
        let mut html = String::with_capacity(size * (size * 36 + 240));
        for (row, (band, href)) in bands.iter().zip(self.hrefs.iter()).enumerate() {
            let top = if self.is_start(row) { " class=t" } else { "" };
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
            for (column, (step, left)) in self.row(row).enumerate() {
                html.push_str("<i role=gridcell class=\"");
                html.push_str(&class(step, left));
                html.push_str(if row == 0 && column == 0 { "\" tabindex=0></i>" } else { "\"></i>" });
            }
            html.push_str("</div>");
        }
        html
    }

    /// Of each cell of a row its step, and whether its column is the first of a cluster.
    fn row(&self, row: usize) -> impl Iterator<Item = (i32, bool)> {
        let (permille, scale) = self.picture.cells(self.cells);
        let size = self.picture.bands.len();
        (0..size).map(move |column| {
            let value = permille.get(row * size + column).copied().unwrap_or_default();
            (step(value, scale), self.is_start(column))
        })
    }

    /// Whether a band is the first of its cluster, and there is another one before it.
    fn is_start(&self, band: usize) -> bool {
        let cluster = |index: usize| self.picture.bands.get(index).map(|band| band.cluster);
        band > 0 && cluster(band) != cluster(band - 1)
    }

    /// Puts this in the place of another one with as many bands. Thousands of elements that stay need no place found anew, which
    /// costs the browser more than their colours. Absent when there is no other one; then it may be half done.
    fn put(&self, grid: &Element) -> Option<()> {
        let bands = &self.picture.bands;
        if bands.len() < DENSE || grid.child_element_count() as usize != bands.len() {
            return None;
        }
        // Of cells that were reached by keyboard.
        let named = grid.query_selector_all("i[aria-label]").ok()?;
        for index in 0..named.length() {
            named.item(index)?.dyn_into::<Element>().ok()?.remove_attribute("aria-label").ok()?;
        }
        let mut line = grid.first_element_child();
        for (row, (band, href)) in bands.iter().zip(self.hrefs.iter()).enumerate() {
            let element = line?;
            match self.is_start(row) {
                true => element.set_class_name("t"),
                false => element.remove_attribute("class").ok()?,
            }
            let heading = element.first_element_child()?;
            heading.set_class_name(&format!("rh {}", hue_class(band.cluster)));
            let link = heading.first_element_child()?;
            for (name, value) in [("href", href), ("title", &band.label), ("aria-label", &band.label)] {
                link.set_attribute(name, value).ok()?;
            }
            let mut cell = heading.next_element_sibling();
            for (step, left) in self.row(row) {
                let element = cell?;
                element.set_class_name(&class(step, left));
                cell = element.next_element_sibling();
            }
            // Other cells than these.
            if cell.is_some() {
                return None;
            }
            line = element.next_element_sibling();
        }
        Some(())
    }
}

/// Sets the inner HTML of the grid. Not `inner_html`, which empties an element before it is built again.
impl Attribute for Cells {
    const MIN_LENGTH: usize = 0;

    type AsyncOutput = Self;
    type State = Element;
    type Cloneable = Self;
    type CloneableOwned = Self;

    fn html_len(&self) -> usize {
        0
    }

    fn to_html(self, _: &mut String, _: &mut String, _: &mut String, inner_html: &mut String) {
        inner_html.push_str(&self.html());
    }

    fn hydrate<const FROM_SERVER: bool>(self, el: &Element) -> Self::State {
        if FROM_SERVER { el.clone() } else { self.build(el) }
    }

    /// Where types are erased an attribute is built again, not rebuilt, on the element that is there.
    fn build(self, el: &Element) -> Self::State {
        if self.put(el).is_none() {
            el.set_inner_html(&self.html());
        }
        el.clone()
    }

    fn rebuild(self, state: &mut Self::State) {
        *state = self.build(state);
    }

    fn into_cloneable(self) -> Self::Cloneable {
        self
    }

    fn into_cloneable_owned(self) -> Self::CloneableOwned {
        self
    }

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self::AsyncOutput {
        self
    }
}

impl NextAttribute for Cells {
    type Output<New: Attribute> = Vec<AnyAttribute>;

    fn add_any_attr<New: Attribute>(self, new: New) -> Self::Output<New> {
        vec![self.into_any_attr(), new.into_any_attr()]
    }
}

fn class(step: i32, left: bool) -> String {
    format!("h-{step}{}", if left { " l" } else { "" })
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

    fn html<const N: usize>(picture: HeatmapPicture, hrefs: [&str; N]) -> String {
        let hrefs = hrefs.map(str::to_owned).into_iter().collect();
        Cells { picture: Arc::new(picture), cells: HeatmapCells::Mean, hrefs }.html()
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
        let html = html(picture, ["/a", "/b"]);
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
        let html = html(picture, ["/", "/", "/"]);
        assert_eq!(html.matches("role=gridcell").count(), 9);
        assert_eq!(html.matches("role=rowheader").count(), 3);
        assert_eq!(html.matches("class=t").count(), 1);
        assert_eq!(html.matches("tabindex").count(), 1);
    }
}
