//! The page of a search: the question, what was found, and why.

mod empty;

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use sheaf_domain::{
    Batch, DocumentId, DocumentQuery, DocumentRow, Facets, SearchHit, SearchMode, SearchQuery, SearchResults,
    SnippetPart,
};

use crate::boxed::Boxed;
use crate::components::chip::ClusterMark;
use crate::components::facets::{FacetLists, SelectionBar};
use crate::file_path::split_path;
use crate::filters::{Filters, encode};
use crate::format::{count, counted, ratio};
use crate::words;

use empty::{Help, Nothing};

/// A year, a month or a day.
const DAY: &str = "[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?";

/// What the URL asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Asked {
    pub query: SearchQuery,
    /// The document of the batch that others are to be like.
    pub like: Option<DocumentId>,
}

impl Asked {
    /// The address of the page that asks this.
    fn href(&self) -> String {
        let SearchQuery { text, batch, mode, filter, offset, limit: _ } = &self.query;
        let filters = Filters {
            search: Some(text.clone()).filter(|text| !text.is_empty()),
            kind: filter.kind,
            cluster: filter.cluster,
            status: filter.status,
            confidence: filter.confidence,
            failure: filter.failure,
            language: filter.language.clone(),
            family: filter.family,
            size: filter.size,
            from: filter.from.clone(),
            to: filter.to.clone(),
            page: offset / SearchQuery::DEFAULT_LIMIT,
            ..Filters::default()
        };
        let mut pairs = filters.pairs();
        pairs.extend(batch.map(|batch| ("batch", batch.to_string())));
        pairs.extend((*mode != SearchMode::default()).then(|| ("mode", mode.to_string())));
        pairs.extend(self.like.map(|like| ("like", like.to_string())));
        let parts: Vec<String> = pairs.into_iter().map(|(key, value)| format!("{key}={}", encode(&value))).collect();
        format!("/search?{}", parts.join("&"))
    }

    /// The same question with other filters.
    fn filtered(&self, filters: &Filters) -> Self {
        self.with(|asked| {
            asked.query.filter = DocumentQuery { search: None, offset: 0, limit: 0, ..filters.document_query() };
        })
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut asked = self.clone();
        asked.query.offset = 0;
        change(&mut asked);
        asked
    }
}

/// The whole page.
#[component]
pub fn SearchPage(
    asked: Asked,
    results: SearchResults,
    /// The batch that is searched; all when absent.
    batch: Option<Batch>,
    /// The path of the document that others are to be like.
    like: Option<String>,
    facets: Facets,
) -> impl IntoView {
    let text = asked.query.text.clone();
    let head = match like {
        Some(path) => Either::Left(view! {
            <p class="lede">
                "Documents of the batch that are most like "
                <bdi>{path}</bdi>
                ", the nearest first."
            </p>
        }),
        None => Either::Right(view! { <Question asked=asked.clone() batch=batch.clone() /> }),
    };
    let body = if text.is_empty() && asked.like.is_none() {
        EitherOf3::A(view! { <Help /> })
    } else if results.items.is_empty() {
        EitherOf3::B(view! { <Nothing asked=asked.clone() /> })
    } else {
        let SearchResults { items, total, more, meaning, .. } = results;
        let about = format!(
            "{}{}{}",
            if more { "The best " } else { "" },
            counted(total, "document", "documents"),
            if !meaning && asked.query.mode != SearchMode::Words {
                ", found by words only: no batch is analysed"
            } else {
                ""
            },
        );
        let ids: Vec<String> = items.iter().map(|hit| hit.document.id.to_string()).collect();
        let all = format!("all {} on this page", count(ids.len() as u64));
        let one = batch.as_ref().map(|batch| batch.id);
        let bar = match one {
            Some(batch) => Either::Left(view! { <SelectionBar batch fields=vec![("all", ids.join(","))] all /> }),
            None => Either::Right(view! {
                <p class="fine">
                    "Search in one batch to choose from what was found, to download it or to run a flow on it."
                </p>
            }),
        };
        let is_chosen = one.is_some();
        EitherOf3::C(view! {
            <p class="search-count" data-testid="search-count">
                {about}
            </p>
            {bar}
            <ol class="hits" data-testid="hits">
                {items.into_iter().map(|hit| view! { <Hit hit question=text.clone() is_chosen /> }).collect_view()}
            </ol>
            <Paging asked=asked.clone() total />
        })
    };
    let filters = Filters::of_query(asked.query.filter.clone(), 0);
    let of = asked.clone();
    let href = Callback::new(move |state: Filters| of.filtered(&state).href());
    let body = match facets == Facets::default() {
        true => Either::Left(body),
        false => Either::Right(view! {
            <div class="explore">
                <div class="facets" data-testid="facets">
                    <h2 class="unseen">"Narrow what was found"</h2>
                    <FacetLists filters facets href />
                    <p class="fine">"Counted among the best of what was found."</p>
                </div>
                <div>{body}</div>
            </div>
        }),
    };
    let crumb = batch.map(|batch| {
        view! {
            <span aria-hidden="true">"/"</span>
            <a href=format!("/batches/{}", batch.id)>
                <bdi>{batch.name}</bdi>
            </a>
        }
    });
    view! {
        <div class="page" data-testid="search-page">
            <nav class="crumbs" aria-label="Breadcrumbs">
                <a href="/">"Batches"</a>
                {crumb}
            </nav>
            <h1>{if asked.like.is_some() { "More like this" } else { "Search" }}</h1>
            {head}
            {body}
        </div>
    }
    .boxed()
}

/// The form, and the three ways of searching as links.
#[component]
fn Question(asked: Asked, batch: Option<Batch>) -> impl IntoView {
    let mode = asked.query.mode;
    let text = asked.query.text.clone();
    let field = if mode == SearchMode::Meaning {
        Either::Left(view! {
            <textarea name="q" rows="3" data-testid="question">
                {text}
            </textarea>
        })
    } else {
        Either::Right(view! { <input type="search" name="q" value=text data-key="/" data-testid="question" /> })
    };
    let label = if mode == SearchMode::Meaning { "A question or a paragraph" } else { "Words, names or a question" };
    let ways = SearchMode::ALL.map(|way| {
        let to = asked.with(|asked| asked.query.mode = way).href();
        view! {
            <li>
                <a class="part" href=to data-testid=format!("mode-{way}") aria-current=(way == mode).then_some("true")>
                    {mode_label(way)}
                </a>
            </li>
        }
    });
    let filters = Filters { from: None, to: None, ..Filters::of_query(asked.query.filter.clone(), 0) };
    let (from, to) = (asked.query.filter.from.clone(), asked.query.filter.to.clone());
    let paragraph = asked.with(|asked| asked.query.mode = SearchMode::Meaning).href();
    let paragraph = (mode != SearchMode::Meaning).then(|| {
        view! {
            <p class="search-scope">
                "Or "
                <a href=paragraph data-testid="paste">
                    "paste a paragraph"
                </a>
                " and find documents that are about the same."
            </p>
        }
    });
    let kept = filters.pairs().into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value /> });
    let kept = kept.collect_view();
    let everywhere = asked.with(|asked| asked.query.batch = None).href();
    let scope = batch.map(|batch| {
        view! {
            <input type="hidden" name="batch" value=batch.id.to_string() />
            <p class="search-scope">
                "Only in "
                <bdi>{batch.name}</bdi>
                ". "
                <a href=everywhere>"Search all batches"</a>
            </p>
        }
    });
    view! {
        <form class="search" role="search" method="get" action="/search" data-testid="search-form">
            <input type="hidden" name="mode" value=mode.name() />
            {kept}
            <label class="field grow">
                <span>{label}</span>
                {field}
            </label>
            <label class="field dated">
                <span>"Made from"</span>
                <input name="from" value=from.map(|day| day.to_string()) placeholder="2019-05-31" pattern=DAY />
            </label>
            <label class="field dated">
                <span>"until"</span>
                <input name="to" value=to.map(|day| day.to_string()) placeholder="2026" pattern=DAY />
            </label>
            <button class="button" type="submit">
                "Search"
            </button>
            {paragraph}
            {scope}
        </form>
        <ul class="parts" aria-label="How to search">
            {ways.collect_view()}
        </ul>
    }
    .boxed()
}

const fn mode_label(mode: SearchMode) -> &'static str {
    match mode {
        SearchMode::Both => "Words and meaning",
        SearchMode::Words => "Words only",
        SearchMode::Meaning => "Meaning only",
    }
}

#[component]
fn Hit(hit: SearchHit, question: String, is_chosen: bool) -> impl IntoView {
    let SearchHit { batch, batch_name, document, page, snippet, by_words, by_name, similarity } = hit;
    let DocumentRow { id, path, kind, cluster, cluster_name, language, .. } = document;
    let (folder, name) = split_path(&path);
    let (folder, name) = (folder.to_owned(), name.to_owned());
    let ask = if by_words { format!("?q={}", encode(&question)) } else { String::new() };
    let href = match page {
        Some(page) if by_words => format!("/batches/{batch}/documents/{id}{ask}&page={page}#page"),
        Some(_) | None => format!("/batches/{batch}/documents/{id}{ask}"),
    };
    let why = [
        by_words.then(|| "Has the words".to_owned()),
        by_name.then(|| "In the name".to_owned()),
        similarity.map(|value| format!("Similar in meaning, {}", ratio(value))),
    ];
    let facts =
        [kind.map(|kind| kind.label().to_owned()), language.as_deref().map(|code| words::language(code).to_owned())];
    let cluster = cluster.map(|id| {
        view! {
            <span class="hit-cluster">
                <ClusterMark cluster=Some(id) />
                <bdi>{cluster_name.unwrap_or_else(|| format!("Cluster {id}"))}</bdi>
            </span>
        }
    });
    view! {
        <li class="hit" data-testid="hit">
            <h2 class="hit-name">
                {is_chosen
                    .then(|| {
                        view! {
                            <input
                                type="checkbox"
                                class="tick"
                                name="d"
                                value=id.to_string()
                                form="selection"
                                aria-label=format!("Choose {path}")
                            />
                        }
                    })}
                <a href=href>
                    <span class="folder">
                        <bdi>{folder}</bdi>
                    </span>
                    <bdi>{name}</bdi>
                </a>
            </h2>
            <p class="hit-text" dir="auto" data-testid="snippet">
                <Snippet parts=snippet />
            </p>
            <p class="meta">
                {why.into_iter().flatten().map(|why| view! { <span class="hit-why">{why}</span> }).collect_view()}
                {page.map(|page| view! { <span>{format!("page {}", count(page.into()))}</span> })}
                {facts.into_iter().flatten().map(|fact| view! { <span>{fact}</span> }).collect_view()}
                {cluster}
                <a href=format!("/batches/{batch}")>
                    <bdi>{batch_name}</bdi>
                </a>
                <a href=format!("/search?batch={batch}&like={id}")>"More like this"</a>
            </p>
        </li>
    }
    .boxed()
}

/// A text with what was looked for marked.
#[component]
pub fn Snippet(parts: Vec<SnippetPart>) -> impl IntoView {
    parts
        .into_iter()
        .map(
            |SnippetPart { text, hit }| {
                if hit { Either::Left(view! { <mark>{text}</mark> }) } else { Either::Right(text) }
            },
        )
        .collect_view()
}

#[component]
fn Paging(asked: Asked, total: u64) -> impl IntoView {
    let size = SearchQuery::DEFAULT_LIMIT;
    let offset = asked.query.offset;
    let last = (u64::from(offset) + u64::from(size)).min(total);
    let link = |offset: u32, text: &'static str, rel: &'static str| {
        let to = asked.with(|asked| asked.query.offset = offset).href();
        view! {
            <a class="button quiet" href=to rel=rel>
                {text}
            </a>
        }
    };
    let previous = (offset > 0).then(|| link(offset.saturating_sub(size), "Previous", "prev"));
    let next = (last < total).then(|| link(offset + size, "Next", "next"));
    view! {
        <nav class="paging" aria-label="Pages of results">
            <p>{format!("{}\u{2013}{} of {}", count((u64::from(offset) + 1).min(total)), count(last), count(total))}</p>
            {previous}
            {next}
        </nav>
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_has_an_address() {
        let query =
            SearchQuery { text: "a \"b\"".into(), mode: SearchMode::Words, offset: 20, ..SearchQuery::default() };
        let asked = Asked { query, like: None };
        assert_eq!(asked.href(), "/search?q=a%20%22b%22&page=2&mode=words");
        assert_eq!(asked.with(|asked| asked.query.mode = SearchMode::Both).href(), "/search?q=a%20%22b%22");
    }
}
