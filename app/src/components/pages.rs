//! A document's pages as pictures: a strip to choose from, and the chosen one with what was recognised on it.

use std::ops::Range;

use leptos::either::Either;
use leptos::prelude::*;
use sheaf_domain::{
    BatchId, DocumentId, DocumentView, PageBox, PageRecognition, PageView, SnippetPart, TextQuery, WordBox,
};

use crate::boxed::Boxed;
use crate::components::search::Snippet;
use crate::errors::AppError;
use crate::filters::encode;
use crate::format::{count, ratio};

/// Pages of the strip; with more, the others are reached by their number.
const STRIP: u32 = 24;
/// Places of a page's text that are marked.
const MARKS: usize = 200;

/// Which document's pages, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Of {
    pub batch: BatchId,
    pub document: DocumentId,
    pub pages: u32,
    /// What is searched for in it.
    pub question: Option<String>,
}

impl Of {
    /// The pages of the document that is shown.
    pub fn new(view: &DocumentView, question: Option<String>) -> Self {
        Self { batch: view.batch, document: view.row.id, pages: view.row.pages.unwrap_or(1), question }
    }

    fn picture(&self, page: u32, width: u32) -> String {
        let Self { batch, document, .. } = self;
        format!("/api/batches/{batch}/documents/{document}/pages/{page}/picture?width={width}")
    }

    fn href(&self, page: u32) -> String {
        let Self { batch, document, question, .. } = self;
        let ask = question.as_ref().map_or_else(String::new, |question| format!("&q={}", encode(question)));
        format!("/batches/{batch}/documents/{document}?page={page}{ask}#page")
    }
}

/// Small pictures of the pages around the chosen one, each a link to the large one.
#[component]
pub fn PageStrip(of: Of, chosen: Option<u32>) -> impl IntoView {
    let middle = chosen.unwrap_or(1).clamp(1, of.pages.max(1));
    let first = middle.saturating_sub(STRIP / 2).clamp(1, of.pages.saturating_sub(STRIP - 1).max(1));
    let around = first..=of.pages.min(first + STRIP - 1);
    let sheet = |page: u32| {
        let current = (chosen == Some(page)).then_some("page");
        view! {
            <li>
                <a class="sheet" href=of.href(page) aria-current=current data-testid="page-link">
                    <img src=of.picture(page, 160) alt=format!("Page {page}") loading="lazy" width="120" height="160" />
                    <span class="sheet-number tabular">{count(page.into())}</span>
                </a>
            </li>
        }
    };
    let jump = (of.pages > STRIP).then(|| {
        view! {
            <form class="page-jump" method="get" action=format!("/batches/{}/documents/{}#page", of.batch, of.document)>
                <label class="field">
                    <span>{format!("Page, 1 to {}", count(of.pages.into()))}</span>
                    <input type="number" name="page" min="1" max=of.pages.to_string() required=true />
                </label>
                <button class="button quiet" type="submit">
                    "Show"
                </button>
            </form>
        }
    });
    view! {
        <section class="pages" aria-labelledby="pages-title">
            <h2 id="pages-title">"Pages"</h2>
            <ol class="page-strip">
                {around.map(sheet).collect_view()}
            </ol>
            {jump}
        </section>
    }
    .boxed()
}

/// The chosen page, large.
#[component]
pub fn ChosenPage(
    of: Of,
    page: Result<PageView, AppError>,
    /// Whether there is a picture of it.
    is_drawn: bool,
    /// What is marked in its text.
    words: TextQuery,
    /// Quotes that are marked in their place, from and to in bytes, in order.
    quotes: Vec<(u32, u32)>,
    /// The same on its picture.
    boxes: Vec<PageBox>,
) -> impl IntoView {
    let PageView { number, text, recognition } = match page {
        Ok(page) => page,
        Err(error) => {
            return Either::Left(view! {
                <p class="notice" id="page">
                    {error.0.message}
                </p>
            });
        }
    };
    let how = recognition
        .as_ref()
        .map(|found| format!("Text recognised on the picture, with a mean confidence of {}.", ratio(found.confidence)));
    let found = (!boxes.is_empty()).then(|| view! { <Hits boxes /> });
    let hits = match quotes.is_empty() {
        true => words.hits(&text, MARKS),
        false => apart(&text, quotes),
    };
    let parts = SnippetPart::cut(&text, 0..text.len(), &hits);
    let boxes = recognition.map(|found| view! { <Words text=text.clone() found /> });
    let step = |page: u32, label: &'static str, key: &'static str| {
        (1..=of.pages).contains(&page).then(|| {
            view! {
                <a href=of.href(page) data-key=key>
                    {label}
                </a>
            }
        })
    };
    Either::Right(view! {
        <section class="chosen-page" id="page" data-testid="page" aria-labelledby="page-title">
            <header class="chosen-head">
                <h2 id="page-title">{format!("Page {} of {}", count(number.into()), count(of.pages.into()))}</h2>
                <nav class="chosen-steps" aria-label="Neighbouring pages">
                    {step(number.saturating_sub(1), "Previous page", "p")} {step(number + 1, "Next page", "n")}
                    <a href=format!("/batches/{}/documents/{}", of.batch, of.document)>"Close"</a>
                </nav>
            </header>
            <div class="chosen-body">
                {is_drawn
                    .then(|| {
                        view! {
                            <div class="chosen-picture">
                                <img src=of.picture(number, 1000) alt=format!("Page {number}") />
                                {found}
                                {boxes}
                            </div>
                        }
                    })}
                <div class="chosen-text" dir="auto" tabindex="0" role="region" aria-label="The text of this page" data-testid="page-text">
                    {text.is_empty().then_some("There is no text on this page.")}
                    <Snippet parts />
                </div>
            </div>
            <p class="fine" data-testid="page-recognition">
                {how}
            </p>
        </section>
    })
}

/// Stretches of a text that do not overlap: of two that do the first stays.
fn apart(text: &str, quotes: Vec<(u32, u32)>) -> Vec<Range<usize>> {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (start, end) in quotes {
        let stretch = start as usize..end as usize;
        let is_after = stretches.last().is_none_or(|before| before.end <= stretch.start);
        if is_after && text.get(stretch.clone()).is_some() {
            stretches.push(stretch);
        }
    }
    stretches
}

/// Marks over what was found.
#[component]
fn Hits(boxes: Vec<PageBox>) -> impl IntoView {
    let share = |value: f32| format!("{:.1}", value * 10_000.0);
    let boxes = boxes
        .into_iter()
        .map(|PageBox { left, top, width, height }| {
            view! { <rect x=share(left) y=share(top) width=share(width) height=share(height) /> }
        })
        .collect_view();
    view! {
        <svg class="chosen-hits" viewBox="0 0 10000 10000" preserveAspectRatio="none" aria-hidden="true" data-testid="hit-boxes">
            {boxes}
        </svg>
    }
}

/// A box over each word; its text shows when it is pointed at.
#[component]
fn Words(text: String, found: PageRecognition) -> impl IntoView {
    let boxes = found
        .words
        .into_iter()
        .map(|WordBox { start, length, left, top, width, height }| {
            let word = text.get(start as usize..(start as usize).saturating_add(length as usize)).unwrap_or_default();
            view! {
                <rect x=left.to_string() y=top.to_string() width=width.to_string() height=height.to_string()>
                    <title>{word.to_owned()}</title>
                </rect>
            }
        })
        .collect_view();
    view! {
        <svg class="chosen-words" viewBox="0 0 10000 10000" preserveAspectRatio="none" aria-hidden="true">
            {boxes}
        </svg>
    }
}
