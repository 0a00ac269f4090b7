//! Facets: how many documents each value of a filter would leave, beside the other filters.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cluster::{ClusterFilter, ClusterId, ConfidenceLevel};
use crate::failure::FailureCode;
use crate::family::FamilyFilter;
use crate::filter::SizeClass;
use crate::kind::DocumentKind;
use crate::query::DocumentQuery;
use crate::status::Status;

/// Documents that are the same in all that filters look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetRow {
    pub kind: Option<DocumentKind>,
    pub language: Option<String>,
    pub status: Status,
    pub failure: Option<FailureCode>,
    pub confidence: Option<ConfidenceLevel>,
    pub size: SizeClass,
    /// The year in which it was made, as far as it says so.
    pub year: Option<String>,
    /// Whether it is in a family, and if so, whether it stands for it.
    pub principal: Option<bool>,
    pub cluster: Option<ClusterId>,
    /// Whether it was clustered and fits nowhere.
    pub outlier: bool,
    /// Whether the query's cluster, family and dates let it through.
    pub in_cluster: bool,
    pub in_family: bool,
    pub in_dates: bool,
    pub documents: u64,
}

/// A value with the number of documents that have it under all *other* filters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount<T> {
    pub value: T,
    pub documents: u64,
}

/// The values of each filter, the most frequent first; those of sizes, years and confidence in their own order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facets {
    /// Documents that match all filters.
    pub matching: u64,
    pub kinds: Vec<FacetCount<DocumentKind>>,
    pub languages: Vec<FacetCount<String>>,
    pub statuses: Vec<FacetCount<Status>>,
    pub failures: Vec<FacetCount<FailureCode>>,
    pub confidences: Vec<FacetCount<ConfidenceLevel>>,
    pub sizes: Vec<FacetCount<SizeClass>>,
    pub years: Vec<FacetCount<String>>,
    /// In any family, spare, and one of each.
    pub families: Vec<FacetCount<FamilyFilter>>,
    /// By cluster, then the outliers.
    pub clusters: Vec<FacetCount<ClusterFilter>>,
}

/// The cards of the documents that match all filters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SelectedFigures {
    pub documents: u64,
    pub completed: u64,
    pub failed: u64,
    /// Clusters that have some of them.
    pub clusters: u64,
    pub outliers: u64,
    /// Mean of those in clusters.
    pub average_probability: Option<f32>,
    /// Families that have some of them, and how many of them could be dropped.
    pub families: u64,
    pub spare: u64,
    pub pages: u64,
    pub words: u64,
}

/// What a document is held against.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Facet {
    Kind,
    Language,
    Status,
    Failure,
    Confidence,
    Size,
    Dates,
    Family,
    Cluster,
}

impl Facets {
    /// Of all documents that the query's search and ids let through, grouped.
    pub fn of(rows: &[FacetRow], query: &DocumentQuery) -> Self {
        // Of each row: nothing that it fails, or one facet alone, or more.
        let fails: Vec<Option<Option<Facet>>> = rows.iter().map(|row| failing(row, query)).collect();
        let beside = |facet: Facet| {
            rows.iter()
                .zip(&fails)
                .filter(move |(_, fails)| matches!(fails, Some(alone) if alone.is_none_or(|alone| alone == facet)))
                .map(|(row, _)| row)
        };
        let families = {
            let count = |is: fn(Option<bool>) -> bool| {
                beside(Facet::Family).filter(|row| is(row.principal)).map(|row| row.documents).sum()
            };
            let any = count(|principal| principal.is_some());
            [
                (FamilyFilter::Any, any),
                (FamilyFilter::Spare, count(|principal| principal == Some(false))),
                (FamilyFilter::Collapsed, if any > 0 { count(|principal| principal != Some(false)) } else { 0 }),
            ]
        };
        let cluster_of = |row: &FacetRow| match (row.cluster, row.outlier) {
            (Some(id), _) => Some((0, id.0)),
            (None, true) => Some((1, 0)),
            (None, false) => None,
        };
        let clusters = counted(beside(Facet::Cluster), cluster_of);
        let cluster = |(outlier, id): (u32, u32)| match outlier {
            0 => ClusterFilter::Cluster(ClusterId(id)),
            _ => ClusterFilter::Outliers,
        };
        Self {
            matching: rows.iter().zip(&fails).filter(|(_, f)| **f == Some(None)).map(|(row, _)| row.documents).sum(),
            kinds: frequent(counted(beside(Facet::Kind), |row| row.kind)),
            languages: frequent(counted(beside(Facet::Language), |row| row.language.clone())),
            statuses: frequent(counted(beside(Facet::Status), |row| Some(row.status.name())))
                .into_iter()
                .filter_map(|count| Some(FacetCount { value: count.value.parse().ok()?, documents: count.documents }))
                .collect(),
            failures: frequent(counted(beside(Facet::Failure), |row| row.failure.map(FailureCode::name)))
                .into_iter()
                .filter_map(|count| Some(FacetCount { value: count.value.parse().ok()?, documents: count.documents }))
                .collect(),
            confidences: [ConfidenceLevel::High, ConfidenceLevel::Medium, ConfidenceLevel::Low]
                .into_iter()
                .filter_map(|level| {
                    let of = beside(Facet::Confidence).filter(|row| row.confidence == Some(level));
                    some(level, of.map(|row| row.documents).sum())
                })
                .collect(),
            sizes: in_order(counted(beside(Facet::Size), |row| Some(row.size))),
            years: in_order(counted(beside(Facet::Dates), |row| row.year.clone())),
            families: families.into_iter().filter_map(|(value, documents)| some(value, documents)).collect(),
            clusters: clusters.into_iter().filter_map(|(value, documents)| some(cluster(value), documents)).collect(),
        }
    }
}

/// `Some(None)`: it passes all; `Some(Some(facet))`: it fails that one alone; `None`: it fails several.
fn failing(row: &FacetRow, query: &DocumentQuery) -> Option<Option<Facet>> {
    // Exhaustive, so that a new filter cannot be forgotten here.
    let DocumentQuery {
        cluster: _,
        status,
        kind,
        confidence,
        failure,
        language,
        family: _,
        size,
        from: _,
        to: _,
        search: _,
        documents: _,
        sort: _,
        descending: _,
        offset: _,
        limit: _,
    } = query;
    let passes = [
        (Facet::Kind, kind.is_none() || row.kind == *kind),
        (Facet::Language, language.is_none() || row.language == *language),
        (Facet::Status, status.is_none_or(|status| row.status == status)),
        (Facet::Failure, failure.is_none() || row.failure == *failure),
        (Facet::Confidence, confidence.is_none() || row.confidence == *confidence),
        (Facet::Size, size.is_none_or(|size| row.size == size)),
        (Facet::Dates, row.in_dates),
        (Facet::Family, row.in_family),
        (Facet::Cluster, row.in_cluster),
    ];
    let mut failed = passes.into_iter().filter(|(_, passes)| !passes).map(|(facet, _)| facet);
    match (failed.next(), failed.next()) {
        (first, None) => Some(first),
        (_, Some(_)) => None,
    }
}

fn counted<'a, K: Ord>(
    rows: impl Iterator<Item = &'a FacetRow>,
    value: impl Fn(&FacetRow) -> Option<K>,
) -> BTreeMap<K, u64> {
    let mut counts = BTreeMap::new();
    for row in rows {
        if let Some(value) = value(row) {
            *counts.entry(value).or_default() += row.documents;
        }
    }
    counts
}

fn some<T>(value: T, documents: u64) -> Option<FacetCount<T>> {
    (documents > 0).then_some(FacetCount { value, documents })
}

fn in_order<T>(counts: BTreeMap<T, u64>) -> Vec<FacetCount<T>> {
    counts.into_iter().map(|(value, documents)| FacetCount { value, documents }).collect()
}

fn frequent<T>(counts: BTreeMap<T, u64>) -> Vec<FacetCount<T>> {
    let mut counts = in_order(counts);
    counts.sort_by_key(|count| std::cmp::Reverse(count.documents));
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: DocumentKind, language: &str, principal: Option<bool>, documents: u64) -> FacetRow {
        FacetRow {
            kind: Some(kind),
            language: Some(language.into()),
            status: Status::Completed,
            failure: None,
            confidence: None,
            size: SizeClass::Tiny,
            year: None,
            principal,
            cluster: Some(ClusterId(1)),
            outlier: false,
            in_cluster: true,
            in_family: true,
            in_dates: true,
            documents,
        }
    }

    #[test]
    fn each_value_is_counted_under_the_other_filters() {
        let rows = [
            row(DocumentKind::Pdf, "eng", None, 4),
            row(DocumentKind::Pdf, "deu", Some(true), 2),
            row(DocumentKind::Text, "eng", Some(false), 1),
            row(DocumentKind::Text, "fra", Some(true), 8),
        ];
        let query =
            DocumentQuery { kind: Some(DocumentKind::Pdf), language: Some("eng".into()), ..DocumentQuery::default() };
        let facets = Facets::of(&rows, &query);
        let kinds: Vec<_> = facets.kinds.iter().map(|count| (count.value, count.documents)).collect();
        let languages: Vec<_> = facets.languages.iter().map(|count| (count.value.as_str(), count.documents)).collect();
        assert_eq!(facets.matching, 4);
        assert_eq!(kinds, [(DocumentKind::Pdf, 4), (DocumentKind::Text, 1)], "of those in English");
        assert_eq!(languages, [("eng", 4), ("deu", 2)], "of the PDFs");
        assert_eq!(facets.families, [], "no English PDF is in a family");
        assert_eq!(facets.clusters, [FacetCount { value: ClusterFilter::Cluster(ClusterId(1)), documents: 4 }]);

        let all = Facets::of(&rows, &DocumentQuery::default());
        let families: Vec<_> = all.families.iter().map(|count| (count.value, count.documents)).collect();
        assert_eq!(families, [(FamilyFilter::Any, 11), (FamilyFilter::Spare, 1), (FamilyFilter::Collapsed, 14)]);
    }
}
