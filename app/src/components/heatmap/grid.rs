//! The square itself, walked by pointer and keyboard: one handler for all cells, one line that says what is under it.

use std::sync::Arc;

use leptos::ev::KeyboardEvent;
use leptos::html::Div;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use leptos_router::NavigateOptions;
use leptos_router::hooks::use_navigate;
use sheaf_domain::{BatchId, HeatmapBand, HeatmapCells};
use web_sys::{Element, Event, HtmlElement};

use super::cells::{Cells, DENSE};
use super::runs::{Strip, runs};
use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::views::HeatmapPicture;

/// A cell by row and column.
type Place = (usize, usize);

/// The grid with its axes and its readout.
#[component]
pub fn Grid(batch: BatchId, filters: Filters, picture: HeatmapPicture) -> impl IntoView {
    let hrefs: Arc<[String]> = hrefs(batch, &filters, &picture.bands).into();
    let cells = filters.cells;
    let axis = runs(&picture);
    let size = picture.bands.len();
    let class = if size < DENSE { format!("heat named n-{size}") } else { "heat dense".to_owned() };
    let picture = Arc::new(picture);
    let shown = Cells { picture: Arc::clone(&picture), cells, hrefs: Arc::clone(&hrefs) };
    let picture = StoredValue::new(picture);
    let hrefs = StoredValue::new(hrefs);

    let place = RwSignal::new(None::<Place>);
    let grid = NodeRef::<Div>::new();
    Effect::new(move |_| {
        if let Some(grid) = grid.get() {
            leave_headings_to_the_readout(&grid);
        }
    });

    let show = move |event: Event| {
        if let Some(found) = cell_of(&event).and_then(|cell| place_of(&cell)) {
            place.set(Some(found));
        }
    };
    let on_focus = move |event: Event| {
        let Some(cell) = cell_of(&event) else { return };
        let Some(found) = place_of(&cell) else { return };
        // Names are given to a cell when it is reached; a name for each of thousands would weigh more than the page.
        let name = picture.with_value(|picture| sentence(picture, found, cells));
        drop(cell.set_attribute("aria-label", &name));
        place.set(Some(found));
    };
    let on_click = move |event: Event| {
        if let Some(grid) = grid.get_untracked()
            && let Some(found) = cell_of(&event).and_then(|cell| place_of(&cell))
        {
            focus(&grid, found);
        }
    };
    let navigate = use_navigate();
    let on_key = move |event: KeyboardEvent| {
        let Some(grid) = grid.get_untracked() else { return };
        let Some(from) = cell_of(event.as_ref()).and_then(|cell| place_of(&cell)) else { return };
        if event.key() == "Enter" {
            if let Some(href) = hrefs.with_value(|hrefs| hrefs.get(from.0).cloned()) {
                navigate(&href, NavigateOptions { scroll: false, ..NavigateOptions::default() });
            }
        } else if let Some(to) = step(&event.key(), event.ctrl_key(), from, size) {
            event.prevent_default();
            focus(&grid, to);
        }
    };
    view! {
        <div class="heat-main">
            <div class=class>
                <Strip batch filters=filters.clone() runs=axis.clone() horizontal=true />
                <Strip batch filters runs=axis horizontal=false />
                <div
                    {..shown}
                    class="grid"
                    role="grid"
                    data-testid="heatmap"
                    aria-label="Similarity of the documents to each other"
                    aria-describedby="heat-help"
                    aria-readonly="true"
                    node_ref=grid
                    on:keydown=on_key
                    on:pointerover=move |event| show(event.into())
                    on:focusin=move |event| on_focus(event.into())
                    on:click=move |event| on_click(event.into())
                ></div>
            </div>
            <div class="readout" data-testid="heatmap-readout">
                {move || match place.get() {
                    None => {
                        view! {
                            <p class="fine" id="heat-help">
                                "Point at a cell, or reach the picture with Tab and walk it with the arrow keys. Enter \
                                opens the row."
                            </p>
                        }
                            .boxed()
                    }
                    Some(place) => {
                        let (value, words, other) = picture.with_value(|picture| picture.said(place.0, place.1, cells));
                        let side = move |index: usize| {
                            let label = picture.with_value(|p| p.bands.get(index).map(|band| band.label.clone()));
                            let href = hrefs.with_value(|hrefs| hrefs.get(index).cloned());
                            view! {
                                <a href=href data-noscroll="">
                                    <bdi>{label}</bdi>
                                </a>
                            }
                        };
                        view! {
                            <p class="readout-value tabular">
                                {value} <span class="readout-other">{format!(" {words} {other}")}</span>
                            </p>
                            <p class="readout-names">{side(place.0)} {side(place.1)}</p>
                        }
                            .boxed()
                    }
                }}
            </div>
        </div>
    }
    .boxed()
}

/// Where the heading of each band leads: to its document, or to the picture of its documents alone. A band's place is
/// counted within what is filtered, as the URL counts.
fn hrefs(batch: BatchId, filters: &Filters, bands: &[HeatmapBand]) -> Vec<String> {
    let mut start = filters.heatmap_start;
    bands
        .iter()
        .map(|band| {
            let href = match band.document {
                Some(document) => format!("/batches/{batch}/documents/{document}"),
                None => filters.zoomed(start, band.len).heatmap_href(batch),
            };
            start += band.len;
            href
        })
        .collect()
}

/// What a screen reader says about a cell.
fn sentence(picture: &HeatmapPicture, (row, column): Place, cells: HeatmapCells) -> String {
    let label = |index: usize| picture.bands.get(index).map_or("", |band| band.label.as_str());
    let (value, words, other) = picture.said(row, column, cells);
    let value = [&value, words, &other].join(" ");
    format!("{}: {} and {}", value.trim_end(), label(row), label(column))
}

/// The cell that a key leads to; `None` for keys that are not ours.
fn step(key: &str, whole: bool, (row, column): Place, size: usize) -> Option<Place> {
    let last = size.saturating_sub(1);
    match key {
        "ArrowUp" => Some((row.saturating_sub(1), column)),
        "ArrowDown" => Some(((row + 1).min(last), column)),
        "ArrowLeft" => Some((row, column.saturating_sub(1))),
        "ArrowRight" => Some((row, (column + 1).min(last))),
        "PageUp" => Some((row.saturating_sub(10), column)),
        "PageDown" => Some(((row + 10).min(last), column)),
        "Home" => Some((if whole { 0 } else { row }, 0)),
        "End" => Some((if whole { last } else { row }, last)),
        _ => None,
    }
}

fn cell_of(event: &Event) -> Option<Element> {
    event.target()?.dyn_into::<Element>().ok()?.closest("[role=gridcell]").ok()?
}

/// Row and column of a cell, by its place among its siblings; the first child of a row is its heading.
fn place_of(cell: &Element) -> Option<Place> {
    let row = cell.parent_element()?;
    Some((before(&row), before(cell).checked_sub(1)?))
}

fn before(element: &Element) -> usize {
    std::iter::successors(element.previous_element_sibling(), Element::previous_element_sibling).count()
}

/// Moves the focus, and with it the one cell that Tab reaches.
fn focus(grid: &HtmlElement, (row, column): Place) {
    let cell = u32::try_from(row)
        .ok()
        .and_then(|row| grid.children().item(row))
        .zip(u32::try_from(column + 1).ok())
        .and_then(|(row, column)| row.children().item(column))
        .and_then(|cell| cell.dyn_into::<HtmlElement>().ok());
    let Some(cell) = cell else { return };
    if let Ok(Some(former)) = grid.query_selector("[role=gridcell][tabindex='0']") {
        drop(former.set_attribute("tabindex", "-1"));
    }
    cell.set_tab_index(0);
    drop(cell.focus());
}

/// With JavaScript, Tab goes to the grid once; its headings are reached by Enter and through the readout.
fn leave_headings_to_the_readout(grid: &HtmlElement) {
    let Ok(links) = grid.query_selector_all("[role=rowheader] a") else { return };
    for index in 0..links.length() {
        if let Some(link) = links.item(index).and_then(|node| node.dyn_into::<Element>().ok()) {
            drop(link.set_attribute("tabindex", "-1"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_walk_and_stop_at_the_edges() {
        let check = |key: &str, whole: bool, from: Place, expect: Option<Place>| {
            assert_eq!(step(key, whole, from, 60), expect, "{key}");
        };
        check("ArrowUp", false, (0, 5), Some((0, 5)));
        check("ArrowDown", false, (58, 5), Some((59, 5)));
        check("ArrowDown", false, (59, 5), Some((59, 5)));
        check("ArrowRight", false, (3, 59), Some((3, 59)));
        check("Home", false, (3, 9), Some((3, 0)));
        check("End", true, (3, 9), Some((59, 59)));
        check("Tab", false, (3, 9), None);
    }
}
