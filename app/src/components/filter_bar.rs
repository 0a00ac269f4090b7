//! The bar that says what is left out, and gives it back. The server makes it as text, like the facets.

use leptos::prelude::*;
use sheaf_domain::{BatchId, Cluster, ClusterFilter};

use crate::filters::Filters;
use crate::format::count;
use crate::words;

/// One removable chip for each filter. Nothing when the whole batch is shown.
#[component]
pub fn FilterBar(
    batch: BatchId,
    filters: Filters,
    /// What clusters are called.
    names: Vec<Cluster>,
    /// Documents that match.
    matching: u64,
    total: u64,
    /// Whether the filters are those of the map, and stay there.
    #[prop(optional)]
    on_map: bool,
) -> impl IntoView {
    if !filters.is_narrowed() {
        return None;
    }
    let href = move |state: &Filters| if on_map { state.map_href(batch) } else { state.href(batch) };
    let now = &filters;
    let cluster = now.cluster.map(|cluster| {
        let text = match cluster {
            ClusterFilter::Outliers => "Outliers".to_owned(),
            ClusterFilter::Cluster(id) => {
                let name = names.iter().find(|known| known.id == id).map(|known| known.name.clone());
                format!("Cluster: {}", name.unwrap_or_else(|| id.to_string()))
            }
        };
        (words::hue_class(words::filter_cluster(cluster)), text, now.with_cluster(None))
    });
    let plain = |text: String, without: Filters| ("plain".to_owned(), text, without);
    let chips = [
        cluster,
        now.status.map(|s| plain(format!("Status: {}", words::status(s)), now.with_status(None))),
        now.kind.map(|k| plain(format!("Kind: {}", k.label()), now.with_kind(None))),
        now.confidence.map(|c| plain(format!("Confidence: {}", words::confidence(c)), now.with_confidence(None))),
        now.failure.map(|f| plain(format!("Failure: {}", words::reason(f)), now.with_failure(None))),
        now.language.as_ref().map(|l| plain(format!("Language: {}", words::language(l)), now.with_language(None))),
        now.family.map(|f| plain(format!("Near-duplicates: {}", words::family(f)), now.with_family(None))),
        now.size.map(|s| plain(format!("Size: {}", words::size(s)), now.with_size(None))),
        dates(now).map(|text| plain(text, now.with_dates(None, None))),
        now.search.as_ref().map(|q| plain(format!("Has: {q}"), now.without_search())),
    ];
    let chip = |(class, text, without): (String, String, Filters)| {
        view! {
            <li>
                <a class=format!("filter-chip {class}") data-testid="filter-chip" href=href(&without) data-noscroll="">
                    <bdi>{text}</bdi>
                    <span aria-hidden="true">"×"</span>
                    <span class="unseen">", remove this filter"</span>
                </a>
            </li>
        }
    };
    Some(view! {
        <div class="filter-bar" data-testid="filter-bar">
            <p class="filter-count">
                <strong data-testid="matching">{count(matching)}</strong>
                " of "
                {count(total)}
                " documents"
            </p>
            <ul class="filter-chips">{chips.into_iter().flatten().map(chip).collect_view()}</ul>
            <a class="filter-clear" data-testid="filter-clear" href=href(&now.cleared()) data-noscroll="">
                "Clear"
            </a>
        </div>
    })
}

/// The dates in words.
fn dates(now: &Filters) -> Option<String> {
    match (&now.from, &now.to) {
        (Some(from), Some(to)) if from == to => Some(format!("Made: {from}")),
        (Some(from), Some(to)) => Some(format!("Made: {from} to {to}")),
        (Some(from), None) => Some(format!("Made: from {from}")),
        (None, Some(to)) => Some(format!("Made: until {to}")),
        (None, None) => None,
    }
}
