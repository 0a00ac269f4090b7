//! The figures on top of a batch's page, and beside them those of the documents that the filters leave. Each is a link to the
//! documents behind it. The server makes them as text, like the facets.

use leptos::prelude::*;
use sheaf_domain::{
    BatchId, BatchParams, BatchSummary, ClusterFilter, FamilyFilter, FamilySummary, MethodName, SelectedFigures,
    SortKey, Status,
};

use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::format::{count, counted, ratio};

/// A figure: what is looked at and, where that is a part, the whole.
struct Figure {
    value: String,
    whole: Option<String>,
    note: String,
    href: String,
}

/// A number of the whole batch, or the part of it that is looked at.
fn number(whole: u64, part: Option<u64>, note: String, href: String) -> Figure {
    match part {
        Some(part) => Figure { value: count(part), whole: Some(count(whole)), note, href },
        None => Figure { value: count(whole), whole: None, note, href },
    }
}

/// The figures of the whole batch and, with `selected`, of those that the filters leave.
#[component]
pub fn Figures(
    batch: BatchId,
    params: BatchParams,
    summary: BatchSummary,
    families: Option<FamilySummary>,
    filters: Filters,
    selected: Option<SelectedFigures>,
) -> impl IntoView {
    let BatchSummary { counts, clusters, outliers, unclustered, average_probability, silhouette, pages, words, .. } =
        summary;
    let now = filters.with_page(0);
    let figure = |name: &'static str, label: &'static str, figure: Figure| {
        let Figure { value, whole, note, href } = figure;
        let zero = if value == "0" { " is-zero" } else { "" };
        view! {
            <li>
                <a class=format!("figure f-{name}{zero}") data-testid=format!("card-{name}") href=href>
                    <span class="figure-label">{label}</span>
                    <span class="figure-of">
                        <span class="figure-value">{value}</span>
                        {whole.map(|whole| view! { <span class="figure-whole">{format!(" of {whole}")}</span> })}
                    </span>
                    <span class="figure-note">{note}</span>
                </a>
            </li>
        }
    };
    // Of a batch that was stopped before its documents were grouped.
    let is_ungrouped = clusters == 0 && counts.cancelled > 0;
    let found = if params.clusters.is_some() && params.method != Some(MethodName::Mixture) {
        "as many as asked for"
    } else {
        "found in the documents"
    };
    let fitting = match silhouette {
        _ if is_ungrouped => "not grouped yet".to_owned(),
        Some(value) => format!("{found}, silhouette {}", ratio(value)),
        None => found.to_owned(),
    };
    let fit_nowhere = if is_ungrouped {
        "not grouped yet".to_owned()
    } else if unclustered > 0 {
        format!("fit nowhere; {} not compared", count(unclustered))
    } else {
        "fit nowhere".into()
    };
    let failed_note = match (counts.failed, counts.cancelled) {
        (0, 0) => "everything was read",
        (0, _) => "among those that were read",
        (_, _) => "grouped by reason below",
    };
    let probability = Figure {
        value: match selected {
            Some(selected) => selected.average_probability,
            None => average_probability,
        }
        .map_or_else(|| "\u{2013}".to_owned(), ratio),
        whole: selected.and(average_probability).map(ratio),
        note: "mean of the clustered documents".to_owned(),
        href: Filters { sort: SortKey::Probability, descending: false, ..now.clone() }.documents_href(batch),
    };
    let odd = match selected {
        Some(_) => now.with_cluster(Some(ClusterFilter::Outliers)).documents_href(batch),
        None => format!("/batches/{batch}/outliers"),
    };
    let completed = selected.map_or(counts.completed, |selected| selected.completed);
    view! {
        <ul class="figures">
            {figure(
                "documents",
                "Documents",
                number(
                    counts.total,
                    selected.map(|selected| selected.documents),
                    format!("{} completed", count(completed)),
                    now.cleared().documents_href(batch),
                ),
            )}
            {figure(
                "clusters",
                "Clusters",
                number(clusters, selected.map(|s| s.clusters), fitting, format!("{}#clusters", now.href(batch))),
            )}
            {figure(
                "outliers",
                "Outliers",
                number(
                    outliers,
                    selected.map(|selected| selected.outliers),
                    fit_nowhere,
                    odd,
                ),
            )}
            {figure("probability", "Average probability", probability)}
            {families
                .map(|families| {
                    let alike = selected.map_or(families.families, |selected| selected.families);
                    let note = match alike {
                        0 => "no two documents are alike".to_owned(),
                        many => format!("could be dropped, in {}", counted(many, "family", "families")),
                    };
                    let href = match selected {
                        Some(_) => now.with_family(Some(FamilyFilter::Spare)).documents_href(batch),
                        None => format!("/batches/{batch}/families"),
                    };
                    let spare = selected.map(|selected| selected.spare);
                    figure("duplicates", "Near-duplicates", number(families.spare(), spare, note, href))
                })}
            {figure(
                "pages",
                "Pages",
                number(
                    pages,
                    selected.map(|selected| selected.pages),
                    counted(selected.map_or(words, |selected| selected.words), "word", "words"),
                    Filters { sort: SortKey::Pages, descending: true, ..now.clone() }.documents_href(batch),
                ),
            )}
            {figure(
                "failures",
                "Failures",
                number(
                    counts.failed,
                    selected.map(|selected| selected.failed),
                    failed_note.to_owned(),
                    now.with_status(Some(Status::Failed)).documents_href(batch),
                ),
            )}
        </ul>
    }
    .boxed()
}
