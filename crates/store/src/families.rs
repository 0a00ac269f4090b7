//! Families of near-duplicates: what is remembered of texts, and what belongs together in a batch.

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, Family, FamilyQuery, FamilySummary, Likeness, Page};

use crate::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// A document whose bytes are there, with the parse by which its text's fingerprint is found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedDocument {
    pub id: DocumentId,
    pub path: String,
    pub sha256: String,
    /// Absent when it was not read, or has no fingerprint of the wanted version.
    pub key: Option<String>,
}

/// A document that is like another one, at the least threshold there is.
#[derive(Clone, Debug, PartialEq)]
pub struct AlikeRecord {
    pub document: DocumentId,
    pub path: String,
    pub sha256: String,
    /// The same number for the same text.
    pub text: u32,
    /// Words of that text.
    pub words: u32,
}

/// A document's place in a family.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilyRecord {
    pub document: DocumentId,
    /// From 1; absent when it is alone at this threshold.
    pub family: Option<u32>,
    /// 0 for the principal.
    pub place: u32,
    pub likeness: Likeness,
    /// To the principal.
    pub jaccard: f32,
}

/// What the analysis of a batch found to be alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundFamilies {
    /// From which similarity on texts count as nearly the same.
    pub least: f32,
    /// The lowest similarity of the pairs.
    pub lowest: f32,
    /// Of each document its text (with its number of words) and its place.
    pub documents: Vec<(FamilyRecord, u32, u32)>,
    /// Numbers of texts, the smaller first, with their similarity.
    pub pairs: Vec<(u32, u32, f32)>,
}

/// What is alike in a batch as it is kept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptAlike {
    /// Rises with each analysis.
    pub round: u64,
    pub summary: FamilySummary,
    pub documents: Vec<AlikeRecord>,
    pub pairs: Vec<(u32, u32, f32)>,
}

/// What a store remembers of families. They are written with the clustering, by [`Store::complete_analysis`], but for the dial.
///
/// [`Store::complete_analysis`]: crate::Store::complete_analysis
#[async_trait]
pub trait FamilyStore: Send + Sync {
    /// The keys of the parses of a batch whose texts have no fingerprint of this version, in their order.
    async fn unprinted(&self, batch: BatchId, version: u32) -> Result<Vec<String>>;
    /// The texts of these parses with their keys, by key; nothing of what is not there.
    async fn texts(&self, keys: &[String]) -> Result<Vec<(String, String)>>;
    /// Remembers fingerprints by content, in the place of those of other versions; of a parse that is not there, nothing.
    async fn keep_fingerprints(&self, version: u32, prints: &[(String, Vec<u8>)]) -> Result<()>;
    /// The documents of a batch whose bytes are there, in the order of (path, id).
    async fn printed_documents(&self, batch: BatchId, version: u32) -> Result<Vec<PrintedDocument>>;
    /// The fingerprints of parses, in the order of `keys`; empty where there is none.
    async fn fingerprints(&self, keys: &[String]) -> Result<Vec<Vec<u8>>>;
    /// The families of a batch in figures; absent when it was not analysed for them.
    async fn family_summary(&self, batch: BatchId) -> Result<Option<FamilySummary>>;
    /// All that families at another threshold are made of; absent when the batch was not analysed for them.
    async fn alike(&self, batch: BatchId) -> Result<Option<KeptAlike>>;
    /// Puts these families in the place of those that the batch has. `false`: it was analysed anew since this round.
    async fn regroup(&self, batch: BatchId, round: u64, least: f32, places: &[FamilyRecord]) -> Result<bool>;
    /// The families of a batch in their order.
    async fn families(&self, batch: BatchId, query: &FamilyQuery) -> Result<Page<Family>>;
    /// One family of a batch with all its members, by its number.
    async fn family(&self, batch: BatchId, family: u32) -> Result<Option<Family>>;
}
