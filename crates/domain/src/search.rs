//! A search and what it found.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::document::DocumentRow;
use crate::ids::{BatchId, DocumentId};
use crate::query::DocumentQuery;
use crate::status::UnknownName;

/// By what documents are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Both lists, fused by reciprocal rank.
    #[default]
    Both,
    /// The words of texts and names.
    Words,
    /// Embeddings.
    Meaning,
}

impl SearchMode {
    /// Every mode, in the order in which the page offers them.
    pub const ALL: [Self; 3] = [Self::Both, Self::Words, Self::Meaning];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Words => "words",
            Self::Meaning => "meaning",
        }
    }
}

impl fmt::Display for SearchMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SearchMode {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|mode| mode.name() == text).ok_or_else(|| UnknownName::new("search mode", text))
    }
}

/// What is looked for, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SearchQuery {
    /// As it was typed.
    pub text: String,
    /// One batch; the whole library when absent.
    pub batch: Option<BatchId>,
    pub mode: SearchMode,
    /// Only documents that match; its words, order and page do not count.
    pub filter: DocumentQuery,
    /// From 0.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl SearchQuery {
    /// Results of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The most results of a page.
    pub const MAX_LIMIT: u32 = 100;

    /// The number of results to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}

/// A piece of a snippet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SnippetPart {
    pub text: String,
    /// Whether it is what was looked for.
    pub hit: bool,
}

impl SnippetPart {
    /// A stretch of a text as parts, with the hits (in bytes of the text, in order) that lie within it marked.
    pub fn cut(text: &str, stretch: Range<usize>, hits: &[Range<usize>]) -> Vec<Self> {
        let mut parts = Vec::new();
        let mut at = stretch.start;
        let mut push = |range: Range<usize>, hit: bool| {
            let text = text.get(range).unwrap_or_default();
            if !text.is_empty() {
                parts.push(Self { text: text.to_owned(), hit });
            }
        };
        for hit in hits.iter().filter(|hit| hit.start >= stretch.start && hit.end <= stretch.end) {
            push(at..hit.start, false);
            push(hit.clone(), true);
            at = hit.end;
        }
        push(at..stretch.end, false);
        parts
    }
}

/// A document that was found, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    pub batch: BatchId,
    pub batch_name: String,
    pub document: DocumentRow,
    /// The page with the snippet, from 1.
    pub page: Option<u32>,
    pub snippet: Vec<SnippetPart>,
    /// Whether its text has the words.
    pub by_words: bool,
    /// Whether its name has what was typed.
    pub by_name: bool,
    /// Cosine similarity to the question, where it was found by its meaning.
    pub similarity: Option<f32>,
}

/// A page of what was found, the best first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchResults {
    pub items: Vec<SearchHit>,
    /// Found on all pages; at most as many as are ranked.
    pub total: u64,
    /// Whether there are more than were ranked.
    pub more: bool,
    /// Give it back as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
    /// Whether meaning could be compared; not so where no batch is analysed or the model is missing.
    pub meaning: bool,
}

/// What other documents are to be like: a text, or documents of the batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SimilarQuery {
    pub text: Option<String>,
    pub documents: Vec<DocumentId>,
    pub offset: u32,
    pub limit: u32,
}
