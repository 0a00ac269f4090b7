//! Other clusterings of a batch: a table of those that were tried, a form for one more, and the clusters of one.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{
    BatchId, BatchOverview, BatchParams, ClusteringId, Compared, Gallery, Method, MethodName, Status, TriedCluster,
    TriedClustering,
};

use crate::boxed::Boxed;
use crate::components::crumbs::BatchCrumbs;
use crate::components::failure::FailureView;
use crate::components::status::StatusMark;
use crate::file_path::file_name;
use crate::format::{count, counted, ratio};
use crate::words;

/// Clusters of one that are listed at once; the smaller ones open on demand.
const LISTED: usize = 20;

/// What the page is made of.
pub struct Shown {
    pub overview: BatchOverview,
    pub gallery: Gallery,
    /// The one whose clusters are shown.
    pub show: Option<ClusteringId>,
}

/// The whole page. While one is being computed its parts are fetched again every two seconds, or all of it without a script.
#[component]
pub fn ClusteringsPage(shown: Shown) -> impl IntoView {
    let Shown { overview, gallery, show } = shown;
    let id = overview.batch.id;
    let has_ended = overview.batch.status.is_final();
    let is_live = !has_ended || gallery.items.iter().any(|tried| !tried.status.is_final());
    let compared = overview.summary.counts.completed.saturating_sub(overview.summary.unclustered);
    let shown = show.and_then(|show| gallery.items.iter().find(|tried| tried.id == show).cloned());
    let is_full = gallery.items.len() >= Gallery::MOST;
    let name = overview.batch.name.clone();
    view! {
        <div class="page" data-testid="clusterings-page" data-live=is_live.then_some("")>
            {is_live
                .then(|| {
                    view! {
                        <noscript>
                            <meta http-equiv="refresh" content="2" />
                        </noscript>
                    }
                })}
            <BatchCrumbs href=format!("/batches/{id}") name />
            <h1>"Clusterings"</h1>
            <p class="lede">
                "The same documents, grouped in other ways. Nothing is read again, and the batch stays as it is until you use one of them."
            </p>
            <div data-part="gallery">
                <Table overview items=gallery.items current=gallery.current show has_ended />
            </div>
            <div data-part="shown">{shown.map(|tried| view! { <Clusters batch=id tried /> })}</div>
            {if is_full {
                Either::Left(
                    view! {
                        <p class="fine">
                            {format!("There are {} clusterings, and no more are kept. Remove one to try another.", Gallery::MOST)}
                        </p>
                    },
                )
            } else {
                Either::Right(view! { <Try batch=id documents=compared /> })
            }}
        </div>
    }
    .boxed()
}

/// A method with its parameters, as people say it.
fn parameters(params: &BatchParams) -> String {
    let mut said = match Method::of(params) {
        Ok(Method::Graph) => vec!["number found".to_owned()],
        Ok(Method::KMeans { clusters }) => vec![format!("{clusters} clusters")],
        Ok(Method::Mixture { clusters }) => vec![format!("up to {clusters} clusters")],
        Ok(Method::Dbscan { similarity, least }) => {
            vec![format!("similarity {similarity} %"), format!("{least} near one another")]
        }
        Ok(Method::Hierarchical { similarity }) => vec![format!("similarity {similarity} %")],
        Err(_) => Vec::new(),
    };
    if params.seed > 0 {
        said.push(format!("seed {}", params.seed));
    }
    said.join(", ")
}

fn method(params: &BatchParams) -> &'static str {
    words::method(Method::of(params).unwrap_or_default().name())
}

fn share(part: u64, of: u64) -> String {
    if of == 0 { "\u{2013}".to_owned() } else { format!("{:.0} %", part as f64 / of as f64 * 100.0) }
}

#[component]
fn Table(
    overview: BatchOverview,
    items: Vec<TriedClustering>,
    current: BatchParams,
    show: Option<ClusteringId>,
    has_ended: bool,
) -> impl IntoView {
    let id = overview.batch.id;
    let summary = overview.summary;
    let documents = summary.counts.completed.saturating_sub(summary.unclustered);
    let rows = items.into_iter().map(|tried| view! { <Row batch=id tried show current=current.clone() has_ended /> });
    view! {
        <div class="table-scroll" tabindex="0" role="region" aria-label="Table of clusterings">
            <table class="clusterings">
                <thead>
                    <tr>
                        <th scope="col">"Method"</th>
                        <th scope="col">"Clusters"</th>
                        <th scope="col">"Silhouette"</th>
                        <th scope="col">"Outliers"</th>
                        <th scope="col">"Seconds"</th>
                        <th scope="col">"Agreement"</th>
                        <th scope="col">"Moved"</th>
                        <th scope="col">
                            <span class="unseen">"What to do with it"</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <tr class="in-use" data-testid="clustering-in-use">
                        <th scope="row">
                            <a href=format!("/batches/{id}#clusters")>{method(&current)}</a>
                            <span class="clustering-params">{parameters(&current)}</span>
                        </th>
                        <td data-label="Clusters">{count(summary.clusters)}</td>
                        <td data-label="Silhouette">{summary.silhouette.map_or_else(|| "\u{2013}".to_owned(), ratio)}</td>
                        <td data-label="Outliers">{share(summary.outliers, documents)}</td>
                        <td data-label="Seconds">"\u{2013}"</td>
                        <td data-label="Agreement">"\u{2013}"</td>
                        <td data-label="Moved">"\u{2013}"</td>
                        <td>
                            {if has_ended {
                                Either::Left(view! { <span class="clustering-used">"In use"</span> })
                            } else {
                                Either::Right(view! { <span class="clustering-used">"The batch is being worked on"</span> })
                            }}
                        </td>
                    </tr>
                    {rows.collect_view()}
                </tbody>
            </table>
        </div>
        <p class="fine">
            "Silhouette: how much nearer documents are to their own cluster than to the next one, at most 1. Agreement: the adjusted Rand index with the \
             clustering in use, 1 for the same groups and about 0 for unrelated ones. Moved: documents that leave the greatest part of their cluster."
        </p>
    }
    .boxed()
}

#[component]
fn Row(
    batch: BatchId,
    tried: TriedClustering,
    show: Option<ClusteringId>,
    current: BatchParams,
    has_ended: bool,
) -> impl IntoView {
    let TriedClustering {
        id,
        params,
        status,
        seconds,
        documents,
        outliers,
        silhouette,
        clusters,
        failure,
        compared,
        ..
    } = tried;
    let what = format!("{}, {}", method(&params), parameters(&params));
    let is_done = status == Status::Completed;
    let is_in_use = is_done && params == current;
    let is_shown = show == Some(id);
    let method_name = Method::of(&params).unwrap_or_default().name().name();
    let number = |value: String| if is_done { value } else { "\u{2013}".to_owned() };
    let of_compared = |value: fn(&Compared) -> String| compared.as_ref().map_or_else(|| "\u{2013}".to_owned(), value);
    let name = if is_done {
        let current = is_shown.then_some("true");
        Either::Left(view! {
            <a href=format!("/batches/{batch}/clusterings?show={id}#shown") rel="external" aria-current=current>
                {method(&params)}
            </a>
        })
    } else {
        Either::Right(method(&params))
    };
    let use_it = (is_done && has_ended && !is_in_use).then(|| {
        view! {
            <form method="post" action=format!("/batches/{batch}/clusterings/{id}/use")>
                <button class="button quiet" type="submit" aria-label=format!("Use {what}")>
                    "Use this one"
                </button>
            </form>
        }
    });
    let remove = view! {
        <form method="post" action=format!("/batches/{batch}/clusterings/{id}/delete")>
            <button class="button quiet" type="submit" aria-label=format!("Remove {what}")>
                "Remove"
            </button>
        </form>
    };
    view! {
        <tr class:is-shown=is_shown data-testid="clustering" data-method=method_name data-status=status.name()>
            <th scope="row">
                {name}" "<span class="clustering-params">{parameters(&params)}</span>
                {(!is_done).then(|| view! { <StatusMark status /> })}
                {failure.map(|failure| view! { <span class="row-failure">{failure.message} ". " {failure.hint}</span> })}
            </th>
            <td data-label="Clusters">{number(count(clusters.len() as u64))}</td>
            <td data-label="Silhouette">{silhouette.map_or_else(|| "\u{2013}".to_owned(), ratio)}</td>
            <td data-label="Outliers">{number(share(outliers, documents))}</td>
            <td data-label="Seconds">{seconds.map_or_else(|| "\u{2013}".to_owned(), |seconds| if seconds < 1.0 { format!("{seconds:.2}") } else { format!("{seconds:.1}") })}</td>
            <td data-label="Agreement">{of_compared(|compared| format!("{:.2}", compared.rand))}</td>
            <td data-label="Moved">
                {of_compared(|compared| format!("{} ({})", count(compared.moved), share(compared.moved, compared.documents)))}
            </td>
            <td class="clustering-acts">
                {is_in_use.then(|| view! { <span class="clustering-used">"In use"</span> })} {use_it} {remove}
            </td>
        </tr>
    }
    .boxed()
}

/// The clusters of one that was tried.
#[component]
fn Clusters(batch: BatchId, tried: TriedClustering) -> impl IntoView {
    let TriedClustering { params, mut clusters, failure, outliers, .. } = tried;
    let all = clusters.len() as u64;
    let rest = clusters.split_off(clusters.len().min(LISTED));
    let item = move |cluster: TriedCluster| {
        let TriedCluster { name, size, representative, representative_path } = cluster;
        let file = file_name(&representative_path).to_owned();
        view! {
            <li class="tried-cluster" data-testid="tried-cluster">
                <bdi class="tried-name">{name}</bdi>
                <span class="tabular">{counted(size, "document", "documents")}</span>
                <a href=format!("/batches/{batch}/documents/{representative}") rel="external">
                    <bdi>{file}</bdi>
                </a>
            </li>
        }
    };
    let more = (!rest.is_empty()).then(|| {
        view! {
            <details class="more">
                <summary>{counted(rest.len() as u64, "smaller cluster", "smaller clusters")}</summary>
                <ul class="tried-clusters">{rest.into_iter().map(item).collect_view()}</ul>
            </details>
        }
    });
    view! {
        <section class="section" id="shown" aria-labelledby="shown-title">
            <h2 id="shown-title">{format!("{}: {}", method(&params), parameters(&params))}</h2>
            <p class="fine">
                {format!(
                    "{} and {}. Each with its words, its size and its typical document.",
                    counted(all, "cluster", "clusters"),
                    counted(outliers, "outlier", "outliers"),
                )}
            </p>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <ul class="tried-clusters">{clusters.into_iter().map(item).collect_view()}</ul>
            {more}
        </section>
    }
    .boxed()
}

const fn about(method: MethodName) -> &'static str {
    match method {
        MethodName::Graph => "The usual way: the number of clusters is found in the documents",
        MethodName::KMeans => "As many clusters as you ask for, each around its centre",
        MethodName::Dbscan => "Dense regions; what lies between them is an outlier",
        MethodName::Mixture => "Up to so many clusters, each stretched as its documents are",
        MethodName::Hierarchical => {
            "Joins what is similar enough, the most similar first; what joins nothing is an outlier"
        }
    }
}

/// One more.
#[component]
fn Try(batch: BatchId, documents: u64) -> impl IntoView {
    let choice = |method: MethodName| {
        let limit = method.check_size(documents).err().map(|failure| failure.message);
        let (is_out, is_usual) = (limit.is_some(), method == MethodName::KMeans);
        view! {
            <label class="choice">
                <input
                    type="radio"
                    name="method"
                    value=method.name()
                    checked=is_usual
                    disabled=is_out
                />
                <span class="choice-title">{words::method(method)}</span>
                <span class="choice-text">{limit.unwrap_or_else(|| about(method).to_owned())}</span>
            </label>
        }
    };
    let field = |name: &'static str, title: &'static str, value: &'static str, low: u32, high: u32| {
        view! {
            <label class=format!("field takes-{name}")>
                <span>{title}</span>
                <input type="number" name=name min=low.to_string() max=high.to_string() value=value />
            </label>
        }
    };
    view! {
        <section class="section" aria-labelledby="try-title">
            <h2 id="try-title">"Try another one"</h2>
            <form class="try" method="post" action=format!("/batches/{batch}/clusterings")>
                <fieldset class="choices">
                    <legend>"Method"</legend>
                    {MethodName::ALL.map(choice)}
                </fieldset>
                <div class="try-fields">
                    {field("clusters", "Number of clusters", "10", 2, BatchParams::MAX_CLUSTERS)}
                    {field("similarity", "Similarity in percent", "50", *Method::SIMILARITY.start(), *Method::SIMILARITY.end())}
                    {field("least", "Documents near one another, at least", "5", *Method::LEAST.start(), *Method::LEAST.end())}
                    <label class="field">
                        <span>"Seed"</span>
                        <input type="number" name="seed" min="0" step="1" placeholder="0" />
                    </label>
                    <button class="button" type="submit" data-testid="try">
                        "Try it"
                    </button>
                </div>
            </form>
        </section>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_said_as_people_say_them() {
        let check = |json: &str, expect: &str| {
            let params: BatchParams = serde_json::from_str(json).expect("JSON");
            assert_eq!(format!("{}: {}", method(&params), parameters(&params)), expect);
        };
        check("{}", "Neighbours\u{2019} graph: number found");
        check(r#"{"clusters":4,"seed":3}"#, "K-means: 4 clusters, seed 3");
        check(r#"{"method":"dbscan","similarity":60}"#, "DBSCAN: similarity 60 %, 5 near one another");
        check(r#"{"method":"hierarchical","similarity":30}"#, "Hierarchical: similarity 30 %");
        check(r#"{"method":"mixture","clusters":9}"#, "Gaussian mixture: up to 9 clusters");
        assert_eq!((share(1, 3).as_str(), share(0, 0).as_str()), ("33 %", "\u{2013}"));
    }
}
