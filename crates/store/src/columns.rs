//! The documents of a batch in memory, as far as filters, facets and orders look at them: what one pass over the tables found,
//! so that each further question is answered without them. What it answers is what the database would.

mod facets;
mod load;
mod order;
mod select;

use std::sync::OnceLock;

use async_trait::async_trait;
use sheaf_domain::{
    BatchId, BatchSummary, ClusterId, Counts, DocumentId, DocumentKind, DocumentRow, FailureCode, FamilyPlace, Heatmap,
    Status, TextQuery,
};

use crate::{StoreError, VectorFile};
use load::Line;

pub use select::Selection;

/// Reading a batch as a whole, to answer many questions about it.
#[async_trait]
pub trait ColumnStore: Send + Sync {
    /// A text that changes with everything that [`ColumnStore::columns`] reads; absent when there is no such batch. It costs
    /// the same however large the batch is.
    async fn columns_mark(&self, batch: BatchId) -> Result<Option<String>, StoreError>;
    /// All documents of a batch.
    async fn columns(&self, batch: BatchId) -> Result<Columns, StoreError>;
    /// Documents of a batch whose texts have the words.
    async fn worded(&self, batch: BatchId, words: &TextQuery) -> Result<Vec<DocumentId>, StoreError>;
    /// Rows of the table in the order of these ids; those that are not in the batch are left out.
    async fn rows_of(&self, batch: BatchId, documents: &[DocumentId]) -> Result<Vec<DocumentRow>, StoreError>;
    /// The picture of all documents; absent before the batch was analysed.
    async fn heatmap(&self, batch: BatchId) -> Result<Option<Heatmap>, StoreError>;
    /// Of the document at each position, from 0, the most similar others, at most `most` of each.
    async fn nearest(&self, batch: BatchId, most: u32) -> Result<Vec<Vec<(DocumentId, f32)>>, StoreError>;
}

/// A document as the tables have it.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRow {
    pub id: DocumentId,
    pub path: String,
    pub bytes: u64,
    pub status: Status,
    pub failure: Option<FailureCode>,
    pub kind: Option<DocumentKind>,
    pub language: Option<String>,
    pub pages: Option<u32>,
    pub words: Option<u64>,
    /// The first ten characters of the date that it gives, if that begins with a year.
    pub created: Option<String>,
    pub place: Option<Place>,
    pub family: Option<FamilyPlace>,
}

/// Where a document stands in the clustering.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub position: u32,
    /// Absent for an outlier.
    pub cluster: Option<ClusterId>,
    pub probability: f32,
}

/// A group of clusters: so many documents from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupRange {
    pub id: ClusterId,
    pub start: u32,
    pub size: u32,
}

/// What the tables say of a clustering as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ColumnClustering {
    pub clusters: u64,
    pub silhouette: Option<f32>,
    /// Absent when no document has a vector.
    pub vectors: Option<VectorFile>,
    pub groups: Vec<GroupRange>,
}

/// The documents of a batch, ordered by path and id.
#[derive(Debug, Default)]
pub struct Columns {
    lines: Vec<Line>,
    /// All paths, one behind the other, and the same in ASCII lower case.
    paths: String,
    folded: String,
    /// What lines name by number.
    languages: Vec<String>,
    dates: Vec<String>,
    years: Vec<String>,
    /// Lines by id, and those that are placed by position.
    by_id: Vec<u32>,
    by_position: Vec<u32>,
    /// Absent when the batch was not analysed.
    clustering: Option<ColumnClustering>,
    sums: OnceLock<BatchSummary>,
}

impl Columns {
    /// How many documents there are.
    pub const fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// About how many bytes of memory it holds.
    pub fn bytes(&self) -> usize {
        let texts = [&self.languages, &self.dates, &self.years].into_iter().flatten();
        self.lines.capacity() * size_of::<Line>()
            + self.paths.capacity()
            + self.folded.capacity()
            + texts.map(|text| text.capacity() + size_of::<String>()).sum::<usize>()
            + (self.by_id.capacity() + self.by_position.capacity()) * size_of::<u32>()
    }

    /// The clustering; absent when the batch was not analysed.
    pub const fn clustering(&self) -> Option<&ColumnClustering> {
        self.clustering.as_ref()
    }

    /// The id of a line.
    pub fn id(&self, line: u32) -> Option<DocumentId> {
        self.lines.get(line as usize).map(|line| line.id)
    }

    /// The path of a line.
    pub fn path(&self, line: u32) -> &str {
        let line = line as usize;
        let start = line.checked_sub(1).and_then(|before| self.lines.get(before)).map_or(0, |before| before.path_end);
        self.lines.get(line).and_then(|line| self.paths.get(start..line.path_end)).unwrap_or_default()
    }

    /// Where a line stands in the clustering.
    pub fn place(&self, line: u32) -> Option<Place> {
        self.lines.get(line as usize).and_then(|line| line.place)
    }

    /// The line of a document.
    pub fn line_of(&self, document: DocumentId) -> Option<u32> {
        let of = |line: &u32| self.lines[*line as usize].id;
        self.by_id.binary_search_by_key(&document, of).ok().map(|at| self.by_id[at])
    }

    /// The figures of the cards.
    pub fn summary(&self, counts: Counts) -> BatchSummary {
        let placed = self.by_position.len() as u64;
        let unclustered = self.clustering.as_ref().map_or(0, |_| counts.completed.saturating_sub(placed));
        BatchSummary { counts, unclustered, ..self.sums.get_or_init(|| self.sum()).clone() }
    }

    /// What does not depend on the counts.
    fn sum(&self) -> BatchSummary {
        let places = || self.lines.iter().filter_map(|line| line.place);
        let clustered = || places().filter(|place| place.cluster.is_some());
        let sum: f64 = clustered().map(|place| f64::from(place.probability)).sum();
        let count = clustered().count();
        BatchSummary {
            clusters: self.clustering.as_ref().map_or(0, |clustering| clustering.clusters),
            outliers: (self.by_position.len() - count) as u64,
            average_probability: (count > 0).then(|| (sum / count as f64) as f32),
            silhouette: self.clustering.as_ref().and_then(|clustering| clustering.silhouette),
            pages: self.lines.iter().filter_map(|line| line.pages).map(u64::from).sum(),
            words: self.lines.iter().filter_map(|line| line.words).sum(),
            bytes: self.lines.iter().map(|line| line.bytes).sum(),
            ..BatchSummary::default()
        }
    }
}
