//! The library with boxes to tick: whole batches, or documents of all batches by name, words, kind, language and cluster.

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{Batch, Cluster, ClusterFilter, DocumentKind, DocumentQuery, LibraryRow, Page};

use crate::boxed::Boxed;
use crate::components::flow::choices::{Choice, LANGUAGES, options};
use crate::format::{count, counted};
use crate::run_form::{Pick, RunForm};
use crate::words;

/// Documents that were looked for.
#[derive(Clone, Debug)]
pub struct Library {
    pub page: Page<LibraryRow>,
    /// Of the batch that is looked into.
    pub clusters: Vec<Cluster>,
}

#[component]
pub fn Picker(form: RunForm, batches: Vec<Batch>, has_older: bool, library: Option<Library>) -> impl IntoView {
    let clusters = library.as_ref().map(|library| library.clusters.clone()).unwrap_or_default();
    let body = match library {
        Some(library) => Either::Left(view! { <Documents form=form.clone() page=library.page /> }),
        None => Either::Right(view! { <Batches batches=batches.clone() has_older /> }),
    };
    view! {
        <fieldset class="picker" id="picker">
            <legend>"Documents"</legend>
            <Question form batches clusters />
            {body}
        </fieldset>
    }
    .boxed()
}

/// What is looked for.
#[component]
fn Question(form: RunForm, batches: Vec<Batch>, clusters: Vec<Cluster>) -> impl IntoView {
    let first = |label: &str, is_chosen: bool| (String::new(), label.to_owned(), is_chosen);
    let filters = form.filters;
    let mut within: Vec<Choice> = vec![first("all batches", form.within.is_none())];
    within.extend(batches.into_iter().map(|batch| (batch.id.to_string(), batch.name, form.within == Some(batch.id))));
    let mut kinds = vec![first("any kind", filters.kind.is_none())];
    kinds.extend(
        DocumentKind::ALL
            .into_iter()
            .map(|kind| (kind.to_string(), kind.label().to_owned(), filters.kind == Some(kind))),
    );
    let mut languages = vec![first("any language", filters.language.is_none())];
    languages.extend(
        LANGUAGES
            .into_iter()
            .map(|code| (code.to_owned(), words::language(code).to_owned(), filters.language.as_deref() == Some(code))),
    );
    let mut groups = vec![first("any cluster", filters.cluster.is_none())];
    groups.extend(clusters.into_iter().map(|cluster| {
        let is_chosen = filters.cluster == Some(ClusterFilter::Cluster(cluster.id));
        (cluster.id.to_string(), format!("{} {}", cluster.id, cluster.name), is_chosen)
    }));
    let has_groups = groups.len() > 1;
    let select = |name: &'static str, label: &'static str, choices: Vec<Choice>| {
        view! {
            <label class="field">
                <span>{label}</span>
                <select name=name>{options(choices)}</select>
            </label>
        }
    };
    view! {
        <div class="search">
            <label class="field grow">
                <span>"Name or words"</span>
                <input type="search" name="q" value=filters.search.unwrap_or_default() />
            </label>
            {select("in", "In", within)} {select("kind", "Kind", kinds)} {select("language", "Language", languages)}
            {has_groups.then(|| select("cluster", "Cluster", groups))}
            <button class="button quiet" type="submit" name="act" value="find" formaction="/runs#picker">
                "Find documents"
            </button>
        </div>
    }
    .boxed()
}

#[component]
fn Batches(batches: Vec<Batch>, has_older: bool) -> impl IntoView {
    if batches.is_empty() {
        return Either::Left(view! {
            <p class="empty">
                "There are no documents yet. "
                <a href="/" rel="external">
                    "Add some"
                </a>
                ", then come back."
            </p>
        });
    }
    let older = has_older.then(|| {
        let latest = format!(
            "These are the latest {} batches. To use an older one, open it and press Run a flow there: ",
            batches.len()
        );
        view! {
            <p class="fine">
                {latest} <a href="/" rel="external">
                    "all batches"
                </a>
            </p>
        }
    });
    let row = |batch: Batch| {
        let done = batch.counts.completed;
        view! {
            <li>
                <label class="tick">
                    <input type="checkbox" name="add" value=Pick::Batch(batch.id).write() disabled=done == 0 />
                    <bdi>{batch.name.clone()}</bdi>
                    <span class="fine tabular">{counted(done, "document", "documents")}</span>
                </label>
                <button
                    class="link"
                    type="submit"
                    name="in"
                    value=batch.id.to_string()
                    formaction="/runs#picker"
                    aria-label=format!("Look into {}", batch.name)
                >
                    "Look into it"
                </button>
            </li>
        }
    };
    Either::Right(view! {
        <ul class="pick-list" data-testid="batches">
            {batches.into_iter().map(row).collect_view()}
        </ul>
        {older}
        <button class="button quiet" type="submit" name="act" value="look">
            "Add what is ticked"
        </button>
    })
}

#[component]
fn Documents(form: RunForm, page: Page<LibraryRow>) -> impl IntoView {
    let Page { items, total, next_cursor } = page;
    let at = form.filters.page;
    let all = form.within.is_some() && total > 0;
    let row = |row: LibraryRow| {
        let LibraryRow { batch: _, batch_name, document } = row;
        let is_chosen = form.has(document.id);
        let facts = [
            document.kind.map(|kind| kind.label().to_owned()),
            document.pages.map(|pages| counted(pages.into(), "page", "pages")),
            document.language.as_deref().map(|code| words::language(code).to_owned()),
            document.cluster_name.clone(),
        ];
        let facts: Vec<String> = facts.into_iter().flatten().chain([batch_name]).collect();
        view! {
            <li>
                <label class="tick">
                    <input
                        type="checkbox"
                        name="add"
                        value=Pick::Document(document.id).write()
                        checked=is_chosen
                        disabled=is_chosen
                    />
                    <bdi>{document.path}</bdi>
                    <span class="fine">{facts.join(", ")}</span>
                </label>
            </li>
        }
    };
    let turn = |to: u32, label: &'static str| {
        // What is ticked goes along.
        view! {
            <button class="button quiet small" type="submit" name="page" value=to.to_string() formaction="/runs#picker">
                {label}
            </button>
        }
    };
    let first = u64::from(at) * u64::from(DocumentQuery::DEFAULT_LIMIT) + 1;
    let last = first + (items.len() as u64).saturating_sub(1);
    let said = match total {
        0 => "No document that was read matches.".to_owned(),
        total if total <= items.len() as u64 => counted(total, "document", "documents"),
        total => format!("{} to {} of {}", count(first), count(last), count(total)),
    };
    view! {
        <input type="hidden" name="finding" value="yes" />
        <input type="hidden" name="page" value=(at + 1).to_string() />
        <p class="fine" role="status">{said}</p>
        <ul class="pick-list" data-testid="documents">
            {items.into_iter().map(row).collect_view()}
        </ul>
        <p class="actions">
            <button class="button quiet" type="submit" name="act" value="look" disabled=total == 0>
                "Add what is ticked"
            </button>
            {all
                .then(|| {
                    view! {
                        <button class="button quiet" type="submit" name="act" value="all">
                            {format!("Add all {}", count(total))}
                        </button>
                    }
                })} {(at > 0).then(|| turn(at, "Previous"))}
            {next_cursor.map(|_| turn(at + 2, "Next"))}
        </p>
    }
    .boxed()
}
