//! The strips along the two axes: where each cluster begins and ends, in its colour and with its number.

use leptos::prelude::*;
use sheaf_domain::{BatchId, ClusterFilter, ClusterId};

use crate::boxed::Boxed;
use crate::filters::Filters;
use crate::views::HeatmapPicture;
use crate::words::hue_class;

/// Neighbouring bands of one cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    pub cluster: Option<ClusterId>,
    pub name: String,
    /// Bands in it, at least 1.
    pub bands: usize,
}

/// The runs of a picture, in its order.
pub fn runs(picture: &HeatmapPicture) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for band in &picture.bands {
        match runs.last_mut() {
            Some(run) if run.cluster == band.cluster => run.bands += 1,
            Some(_) | None => {
                let name = band.cluster.and_then(|id| picture.cluster_name(id)).unwrap_or("Outliers").to_owned();
                runs.push(Run { cluster: band.cluster, name, bands: 1 });
            }
        }
    }
    runs
}

/// A strip whose parts are links that filter by their cluster. The upper one repeats the left one, so it is only to be
/// seen.
#[component]
pub fn Strip(batch: BatchId, filters: Filters, runs: Vec<Run>, horizontal: bool) -> impl IntoView {
    let part = move |run: Run| {
        let Run { cluster, name, bands } = run;
        let filter = cluster.map_or(ClusterFilter::Outliers, ClusterFilter::Cluster);
        let class = format!("run g-{bands} {}", hue_class(cluster));
        let number = cluster.map_or_else(|| "\u{2013}".to_owned(), |id| id.to_string());
        if horizontal {
            view! {
                <span class=class title=name>
                    {number}
                </span>
            }
            .boxed()
        } else {
            let label = cluster.map_or_else(|| name.clone(), |id| format!("Cluster {id}: {name}"));
            view! {
                <a
                    class=class
                    href=filters.with_cluster(Some(filter)).href(batch)
                    title=name
                    aria-label=label
                    data-noscroll=""
                >
                    {number}
                </a>
            }
            .boxed()
        }
    };
    let class = if horizontal { "runs runs-x" } else { "runs runs-y" };
    view! {
        <div class=class aria-hidden=horizontal.then_some("true")>
            {runs.into_iter().map(part).collect_view()}
        </div>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sheaf_domain::HeatmapBand;

    #[test]
    fn neighbours_of_one_cluster_are_one_run() {
        let band = |cluster: Option<u32>| HeatmapBand {
            start: 0,
            len: 1,
            cluster: cluster.map(ClusterId),
            label: String::new(),
            document: None,
        };
        let picture = HeatmapPicture {
            bands: vec![band(Some(0)), band(Some(0)), band(Some(1)), band(None), band(None)],
            ..HeatmapPicture::default()
        };
        let lengths: Vec<usize> = runs(&picture).into_iter().map(|run| run.bands).collect();
        assert_eq!(lengths, [2, 1, 2]);
    }
}
