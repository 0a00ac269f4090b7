//! A cluster's number in its colour, alone or with its name.

use leptos::prelude::*;
use sheaf_domain::ClusterId;

use crate::words::hue_class;

/// The number of a cluster; a dash for an outlier. The number, not the colour, tells clusters apart.
#[component]
pub fn ClusterMark(cluster: Option<ClusterId>) -> impl IntoView {
    let text = cluster.map_or_else(|| "\u{2013}".to_owned(), |id| id.to_string());
    view! { <span class=format!("mark {}", hue_class(cluster))>{text}</span> }
}
