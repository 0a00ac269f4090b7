//! The similarity of all documents as a square of cells, in the order of the clusters. Its cells are one string of HTML:
//! thousands of views would cost the browser more than they are worth.

mod cells;
mod grid;
mod pairs;
mod runs;

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{BatchId, HeatmapCells};

use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::format::{counted, ratio};
use crate::views::HeatmapPicture;
use cells::STEPS;
use grid::Grid;
use pairs::Pairs;

/// The picture, its scale, what is under the pointer, and the most similar pairs as a table.
#[component]
pub fn HeatmapSection(batch: BatchId, filters: Filters, picture: HeatmapPicture) -> impl IntoView {
    if picture.bands.len() < 2 {
        return Either::Left(view! {
            <div class="empty" data-testid="no-heatmap">
                <p class="empty-title">"Nothing to compare"</p>
                <p>"At least two documents with text are needed here. Filter less, or clear the filters."</p>
            </div>
        });
    }
    let pairs = picture.pairs.clone();
    Either::Right(view! {
        <Caption batch filters=filters.clone() picture=picture.clone() />
        <div class="heat-layout">
            <Grid batch filters picture />
            <Pairs batch pairs />
        </div>
    })
}

/// What the picture covers, and the way back out of a part of it.
#[component]
fn Caption(batch: BatchId, filters: Filters, picture: HeatmapPicture) -> impl IntoView {
    let bands = picture.bands.len() as u64;
    let documents = u64::from(picture.documents);
    let covered = counted(documents, "document", "documents");
    let has_blocks = bands < documents;
    let text = match (has_blocks, filters.cells) {
        (true, HeatmapCells::Mean) => {
            format!("{covered} in {bands} blocks, ordered by cluster. A cell is the mean similarity of two blocks.")
        }
        (true, HeatmapCells::Strongest) => {
            format!("{covered} in {bands} blocks, ordered by cluster. A cell is the most similar pair of two blocks.")
        }
        (false, HeatmapCells::Mean | HeatmapCells::Strongest) => {
            format!("{covered}, ordered by cluster. A cell is the similarity of two documents.")
        }
    };
    let choice = has_blocks.then(|| {
        let (other, text) = match filters.cells {
            HeatmapCells::Mean => (HeatmapCells::Strongest, "Show the strongest pairs"),
            HeatmapCells::Strongest => (HeatmapCells::Mean, "Show the means"),
        };
        view! {
            <a data-testid="heatmap-cells" href=filters.with_cells(other).heatmap_href(batch) data-noscroll="">
                {text}
            </a>
            " "
            <a href=filters.heatmap_file(batch, "-blocks.csv") rel="external" download="" data-testid="heatmap-blocks">
                "CSV of the blocks"
            </a>
            " "
        }
    });
    let (_, scale) = picture.cells(filters.cells);
    let is_zoomed = filters.heatmap_start > 0 || filters.heatmap_len > 0;
    let out = is_zoomed.then(|| {
        view! {
            <a class="heat-out" data-testid="heatmap-out" href=filters.zoomed(0, 0).heatmap_href(batch)>
                "Show all of it"
            </a>
        }
    });
    view! {
        <div class="heat-caption">
            <p>
                {text} " " {out} " " {choice}
                <a href=filters.heatmap_file(batch, ".png") rel="external" download="" data-testid="heatmap-png">
                    "PNG"
                </a>
                " "
                <a href=filters.heatmap_file(batch, ".csv") rel="external" download="" data-testid="heatmap-csv">
                    "CSV"
                </a>
            </p>
            <Legend low=scale.0 high=scale.1 />
        </div>
    }
    .boxed()
}

/// The ends of the scale: the 5th and the 95th percentile of what is shown.
#[component]
fn Legend(low: i16, high: i16) -> impl IntoView {
    let number = |permille: i16| ratio(f32::from(permille) / 1000.0);
    view! {
        <div class="legend" data-testid="heatmap-legend">
            <span class="tabular">{format!("≤ {}", number(low))}</span>
            <span class="legend-scale" aria-hidden="true">
                {(0..STEPS).map(|step| view! { <i class=format!("h-{step}")></i> }).collect_view()}
            </span>
            <span class="tabular">{format!("≥ {}", number(high))}</span>
        </div>
    }
    .boxed()
}
