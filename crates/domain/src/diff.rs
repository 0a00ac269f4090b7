//! Two texts side by side, word by word.

use serde::{Deserialize, Serialize};

use crate::ids::{BatchId, DocumentId};
use crate::query::Page;

/// Which two documents of a batch, and which page of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffQuery {
    pub a: DocumentId,
    pub b: DocumentId,
    /// From 0.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl DiffQuery {
    /// Rows of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 100;
    /// The most rows of a page.
    pub const MAX_LIMIT: u32 = 500;

    /// The number of rows to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }
}

/// What two texts have in common and what not. Words are compared without regard to case, to marks around them and to
/// where lines end; they are shown as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextDiff {
    pub batch: BatchId,
    pub batch_name: String,
    pub a: DiffSide,
    pub b: DiffSide,
    pub counts: DiffCounts,
    /// The rows, in the order of the texts.
    pub rows: Page<DiffRow>,
}

/// One of the two documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSide {
    pub id: DocumentId,
    pub path: String,
}

/// Of the words that were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffCounts {
    /// In both, in the same order.
    pub kept: u64,
    /// Only in the first.
    pub removed: u64,
    /// Only in the second.
    pub added: u64,
    /// Whether a text was too long, and only its beginning was compared.
    pub is_cut: bool,
}

/// A stretch of both texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DiffRow {
    /// A sentence or a few, changed or beside a change.
    Words {
        /// Of the first text; empty where only the second has something.
        a: Vec<DiffSpan>,
        /// Of the second text.
        b: Vec<DiffSpan>,
    },
    /// Many words that are the same, left out but for the first and the last of them.
    Same { words: u64, begin: String, end: String },
}

/// A few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiffSpan {
    pub text: String,
    /// Whether the other text lacks them at this place.
    pub is_changed: bool,
}
