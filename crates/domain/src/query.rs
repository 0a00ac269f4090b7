//! Questions about the documents of a batch: filter, order and page, as they stand in a URL.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::cluster::{ClusterFilter, ConfidenceLevel};
use crate::document::DocumentRow;
use crate::failure::FailureCode;
use crate::family::FamilyFilter;
use crate::filter::{Day, SizeClass};
use crate::ids::{BatchId, DocumentId};
use crate::kind::DocumentKind;
use crate::status::{Status, UnknownName};

/// By what the table of documents is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey {
    #[default]
    Path,
    Kind,
    Pages,
    Words,
    Language,
    Cluster,
    Probability,
    Status,
}

impl SortKey {
    /// Every key, in the order of the table's columns.
    pub const ALL: [Self; 8] = [
        Self::Path,
        Self::Kind,
        Self::Pages,
        Self::Words,
        Self::Language,
        Self::Cluster,
        Self::Probability,
        Self::Status,
    ];

    /// The name in URLs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Kind => "kind",
            Self::Pages => "pages",
            Self::Words => "words",
            Self::Language => "language",
            Self::Cluster => "cluster",
            Self::Probability => "probability",
            Self::Status => "status",
        }
    }
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SortKey {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownName::new("sort key", text))
    }
}

/// Which documents of a batch, in which order, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DocumentQuery {
    pub cluster: Option<ClusterFilter>,
    pub status: Option<Status>,
    pub kind: Option<DocumentKind>,
    pub confidence: Option<ConfidenceLevel>,
    /// Why it stopped.
    pub failure: Option<FailureCode>,
    /// ISO 639-3 code.
    pub language: Option<String>,
    /// By near-duplicates.
    pub family: Option<FamilyFilter>,
    pub size: Option<SizeClass>,
    /// Made on this day or later, as far as documents say so.
    pub from: Option<Day>,
    /// Made on this day or earlier.
    pub to: Option<Day>,
    /// Part of the path, case-insensitive, or words of the text as in [`TextQuery`](crate::TextQuery).
    pub search: Option<String>,
    /// Only these; all when empty.
    pub documents: Vec<DocumentId>,
    pub sort: SortKey,
    pub descending: bool,
    /// From 0.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl DocumentQuery {
    /// Rows of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most rows of a page.
    pub const MAX_LIMIT: u32 = 500;

    /// Whether some documents are left out.
    pub fn is_narrowed(&self) -> bool {
        let Self {
            cluster,
            status,
            kind,
            confidence,
            failure,
            language,
            family,
            size,
            from,
            to,
            search,
            documents,
            sort: _,
            descending: _,
            offset: _,
            limit: _,
        } = self;
        cluster.is_some()
            || status.is_some()
            || kind.is_some()
            || confidence.is_some()
            || failure.is_some()
            || language.is_some()
            || family.is_some()
            || size.is_some()
            || from.is_some()
            || to.is_some()
            || search.is_some()
            || !documents.is_empty()
    }

    /// The number of rows to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}

/// Where a document stands among those that match a query, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Around {
    pub previous: Option<DocumentId>,
    pub next: Option<DocumentId>,
    /// From 1.
    pub place: u64,
    pub total: u64,
}

/// Which documents of all batches, or of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LibraryQuery {
    /// All when absent.
    pub batch: Option<BatchId>,
    pub filter: DocumentQuery,
}

/// A document with the batch that it is in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LibraryRow {
    pub batch: BatchId,
    pub batch_name: String,
    #[serde(flatten)]
    pub document: DocumentRow,
}

/// Which batches, latest first, and which page of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BatchQuery {
    /// Part of the name or the beginning of the id, case-insensitive.
    pub search: Option<String>,
    pub status: Option<Status>,
    /// What the page before gave.
    pub cursor: Option<String>,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl BatchQuery {
    /// Batches of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 20;
    /// The most batches of a page.
    pub const MAX_LIMIT: u32 = 200;

    /// The number of batches to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}

/// A page of rows, how many there are in all, and where the next page starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Rows that match, on all pages.
    pub total: u64,
    /// Give it back as `cursor` for the next page; absent on the last.
    pub next_cursor: Option<String>,
}
