//! The six figures on top of a batch's page. Each is a link to the documents behind it.

use leptos::prelude::*;
use sheaf_domain::{BatchId, BatchParams, BatchSummary, ClusterFilter, FamilySummary, MethodName, SortKey, Status};

use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::format::{count, counted, ratio};

/// The figures of the whole batch, whatever the filter.
#[component]
pub fn Figures(
    batch: BatchId,
    params: BatchParams,
    summary: BatchSummary,
    families: Option<FamilySummary>,
) -> impl IntoView {
    let BatchSummary { counts, clusters, outliers, unclustered, average_probability, silhouette, pages, words, .. } =
        summary;
    let all = Filters::default();
    let figure = |name: &'static str, label: &'static str, value: String, note: String, href: String| {
        let zero = if value == "0" { " is-zero" } else { "" };
        view! {
            <li>
                <a class=format!("figure f-{name}{zero}") data-testid=format!("card-{name}") href=href>
                    <span class="figure-label">{label}</span>
                    <span class="figure-value">{value}</span>
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
    view! {
        <ul class="figures">
            {figure(
                "documents",
                "Documents",
                count(counts.total),
                format!("{} completed", count(counts.completed)),
                all.documents_href(batch),
            )}
            {figure("clusters", "Clusters", count(clusters), fitting, format!("{}#clusters", all.href(batch)))}
            {figure(
                "outliers",
                "Outliers",
                count(outliers),
                fit_nowhere,
                all.with_cluster(Some(ClusterFilter::Outliers)).documents_href(batch),
            )}
            {figure(
                "probability",
                "Average probability",
                average_probability.map_or_else(|| "\u{2013}".to_owned(), ratio),
                "mean of the clustered documents".to_owned(),
                all.sorted_by(SortKey::Probability).documents_href(batch),
            )}
            {families
                .map(|families| {
                    figure(
                        "duplicates",
                        "Near-duplicates",
                        count(families.spare()),
                        match families.families {
                            0 => "no two documents are alike".to_owned(),
                            many => format!("could be dropped, in {}", counted(many, "family", "families")),
                        },
                        format!("/batches/{batch}/families"),
                    )
                })}
            {figure(
                "pages",
                "Pages",
                count(pages),
                counted(words, "word", "words"),
                all.sorted_by(SortKey::Pages).sorted_by(SortKey::Pages).documents_href(batch),
            )}
            {figure(
                "failures",
                "Failures",
                count(counts.failed),
                failed_note.to_owned(),
                all.with_status(Some(Status::Failed)).documents_href(batch),
            )}
        </ul>
    }
    .boxed()
}
