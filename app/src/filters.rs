//! The state of a batch's page as it stands in its URL: filters, order, page, and the part of the heatmap.

mod encode;

use leptos_router::params::ParamsMap;
use sheaf_domain::{
    BatchId, ClusterFilter, ConfidenceLevel, Day, DocumentKind, DocumentQuery, FailureCode, FamilyFilter, HeatmapCells,
    HeatmapView, SizeClass, SortKey, Status,
};

pub use encode::encode;

/// What is looked at. Everything that cannot be understood in a URL is as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    pub cluster: Option<ClusterFilter>,
    pub status: Option<Status>,
    pub kind: Option<DocumentKind>,
    pub confidence: Option<ConfidenceLevel>,
    /// Why documents stopped.
    pub failure: Option<FailureCode>,
    /// ISO 639-3 code.
    pub language: Option<String>,
    /// By near-duplicates.
    pub family: Option<FamilyFilter>,
    pub size: Option<SizeClass>,
    /// Made on this day or later.
    pub from: Option<Day>,
    /// Made on this day or earlier.
    pub to: Option<Day>,
    pub search: Option<String>,
    pub sort: SortKey,
    pub descending: bool,
    /// Page of the table, counted from 0; the URL counts from 1.
    pub page: u32,
    /// First place of the heatmap among the documents that are looked at.
    pub heatmap_start: u32,
    /// Positions of the heatmap; 0 stands for all.
    pub heatmap_len: u32,
    /// What blocks of the heatmap show.
    pub cells: HeatmapCells,
    /// Groups that the clusters are joined to; 0 stands for all clusters.
    pub level: u32,
}

impl Filters {
    /// Reads the parameters of a URL.
    pub fn read(params: &ParamsMap) -> Self {
        let text = |key: &str| params.get(key).filter(|value| !value.trim().is_empty());
        let number = |key: &str| text(key).and_then(|value| value.parse::<u32>().ok()).unwrap_or(0);
        Self {
            cluster: text("cluster").and_then(|value| value.parse().ok()),
            status: text("status").and_then(|value| value.parse().ok()),
            kind: text("kind").and_then(|value| value.parse().ok()),
            confidence: text("confidence").and_then(|value| value.parse().ok()),
            failure: text("failure").and_then(|value| value.parse().ok()),
            language: text("language"),
            family: text("family").and_then(|value| value.parse().ok()),
            size: text("size").and_then(|value| value.parse().ok()),
            from: text("from").and_then(|value| value.parse().ok()),
            to: text("to").and_then(|value| value.parse().ok()),
            search: text("q"),
            sort: text("sort").and_then(|value| value.parse().ok()).unwrap_or_default(),
            descending: text("dir").as_deref() == Some("desc"),
            page: number("page").saturating_sub(1),
            heatmap_start: number("hstart"),
            heatmap_len: number("hlen"),
            cells: text("cells").and_then(|value| value.parse().ok()).unwrap_or_default(),
            level: number("level"),
        }
    }

    /// The address of a batch's page in this state.
    pub fn href(&self, batch: BatchId) -> String {
        format!("/batches/{batch}{}", self.query_string())
    }

    /// The same, at the table of documents.
    pub fn documents_href(&self, batch: BatchId) -> String {
        format!("{}#documents", self.href(batch))
    }

    /// The same, at the heatmap.
    pub fn heatmap_href(&self, batch: BatchId) -> String {
        format!("{}#similarity", self.href(batch))
    }

    /// The map in this state.
    pub fn map_href(&self, batch: BatchId) -> String {
        format!("/batches/{batch}/map{}", self.with_page(0).zoomed(0, 0).with_cells(HeatmapCells::Mean).query_string())
    }

    /// What a document's page has to know of the list that it is in.
    pub fn list_query(&self) -> String {
        Self { level: 0, ..self.anew() }.with_cells(HeatmapCells::Mean).query_string()
    }

    /// The form that begins a run, with the documents that are looked at.
    pub fn run_href(&self, batch: BatchId) -> String {
        format!("/runs/new?batch={batch}{}", self.with_page(0).query_string().replace('?', "&"))
    }

    fn query_string(&self) -> String {
        let parts: Vec<String> =
            self.pairs().into_iter().map(|(key, value)| format!("{key}={}", encode(&value))).collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    /// The parameters that differ from their defaults, as they stand in the URL.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
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
            sort,
            descending,
            page,
            heatmap_start,
            heatmap_len,
            cells,
            level,
        } = self;
        [
            ("cluster", cluster.map(|c| c.to_string())),
            ("status", status.map(|s| s.to_string())),
            ("kind", kind.map(|k| k.to_string())),
            ("confidence", confidence.map(|c| c.to_string())),
            ("failure", failure.map(|f| f.to_string())),
            ("language", language.clone()),
            ("family", family.map(|f| f.to_string())),
            ("size", size.map(|s| s.to_string())),
            ("from", from.as_ref().map(Day::to_string)),
            ("to", to.as_ref().map(Day::to_string)),
            ("q", search.clone()),
            ("sort", (*sort != SortKey::default()).then(|| sort.to_string())),
            ("dir", descending.then(|| "desc".to_owned())),
            ("page", (*page > 0).then(|| (page + 1).to_string())),
            ("hstart", (*heatmap_start > 0).then(|| heatmap_start.to_string())),
            ("level", (*level > 0).then(|| level.to_string())),
            ("hlen", (*heatmap_len > 0).then(|| heatmap_len.to_string())),
            ("cells", (*cells != HeatmapCells::default()).then(|| cells.to_string())),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .collect()
    }

    /// The question to the engine about the table.
    pub fn document_query(&self) -> DocumentQuery {
        DocumentQuery {
            cluster: self.cluster,
            status: self.status,
            kind: self.kind,
            confidence: self.confidence,
            failure: self.failure,
            language: self.language.clone(),
            family: self.family,
            size: self.size,
            from: self.from.clone(),
            to: self.to.clone(),
            search: self.search.clone(),
            documents: Vec::new(),
            sort: self.sort,
            descending: self.descending,
            offset: self.page.saturating_mul(DocumentQuery::DEFAULT_LIMIT),
            limit: DocumentQuery::DEFAULT_LIMIT,
        }
    }

    /// The state that asks this question, on its first page.
    pub fn of_query(query: DocumentQuery, level: u32) -> Self {
        let DocumentQuery {
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
            documents: _,
            sort,
            descending,
            offset: _,
            limit: _,
        } = query;
        Self {
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
            sort,
            descending,
            level,
            ..Self::default()
        }
    }

    /// The question to the engine about the heatmap.
    pub fn heatmap_view(&self) -> HeatmapView {
        let same = Self { sort: SortKey::default(), descending: false, page: 0, ..self.clone() };
        HeatmapView { filter: same.document_query(), start: self.heatmap_start, len: self.heatmap_len }
    }

    /// What is seen of the heatmap as a file.
    pub fn heatmap_file(&self, batch: BatchId, end: &str) -> String {
        let same = Self { sort: SortKey::default(), descending: false, page: 0, level: 0, ..self.clone() };
        format!("/api/batches/{batch}/similarity{end}{}", same.query_string())
    }

    /// Whether some documents are left out.
    pub fn is_narrowed(&self) -> bool {
        self.cluster.is_some()
            || self.status.is_some()
            || self.kind.is_some()
            || self.confidence.is_some()
            || self.failure.is_some()
            || self.language.is_some()
            || self.family.is_some()
            || self.size.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || self.search.is_some()
    }

    /// Other documents: the table and the heatmap start anew.
    fn anew(&self) -> Self {
        Self { page: 0, heatmap_start: 0, heatmap_len: 0, ..self.clone() }
    }

    /// Another cluster.
    pub fn with_cluster(&self, cluster: Option<ClusterFilter>) -> Self {
        Self { cluster, ..self.anew() }
    }

    /// Another status.
    pub fn with_status(&self, status: Option<Status>) -> Self {
        Self { status, ..self.anew() }
    }

    /// Another kind of document.
    pub fn with_kind(&self, kind: Option<DocumentKind>) -> Self {
        Self { kind, ..self.anew() }
    }

    /// Another step of confidence.
    pub fn with_confidence(&self, confidence: Option<ConfidenceLevel>) -> Self {
        Self { confidence, ..self.anew() }
    }

    /// Another reason of failure.
    pub fn with_failure(&self, failure: Option<FailureCode>) -> Self {
        Self { failure, ..self.anew() }
    }

    /// Another language.
    pub fn with_language(&self, language: Option<String>) -> Self {
        Self { language, ..self.anew() }
    }

    /// Other near-duplicates.
    pub fn with_family(&self, family: Option<FamilyFilter>) -> Self {
        Self { family, ..self.anew() }
    }

    /// Another size.
    pub fn with_size(&self, size: Option<SizeClass>) -> Self {
        Self { size, ..self.anew() }
    }

    /// Other dates.
    pub fn with_dates(&self, from: Option<Day>, to: Option<Day>) -> Self {
        Self { from, to, ..self.anew() }
    }

    /// Without the words that were searched for.
    pub fn without_search(&self) -> Self {
        Self { search: None, ..self.anew() }
    }

    /// Another page of the same table, counted from 0.
    pub fn with_page(&self, page: u32) -> Self {
        Self { page, ..self.clone() }
    }

    /// Sorted by `key`; by the same key again, the other way round.
    pub fn sorted_by(&self, key: SortKey) -> Self {
        let descending = self.sort == key && !self.descending;
        Self { sort: key, descending, page: 0, ..self.clone() }
    }

    /// Joined to so many groups, or not at all: a cluster that was looked at is perhaps none there.
    pub fn with_level(&self, level: u32) -> Self {
        Self { level, ..self.with_cluster(None) }
    }

    /// The whole batch, in the same order.
    pub fn cleared(&self) -> Self {
        Self { sort: self.sort, descending: self.descending, level: self.level, cells: self.cells, ..Self::default() }
    }

    /// Other values in blocks of the heatmap.
    pub fn with_cells(&self, cells: HeatmapCells) -> Self {
        Self { cells, ..self.clone() }
    }

    /// Another part of the heatmap.
    pub fn zoomed(&self, start: u32, len: u32) -> Self {
        Self { heatmap_start: start, heatmap_len: len, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sheaf_domain::ClusterId;

    fn params(pairs: &[(&'static str, &str)]) -> ParamsMap {
        pairs.iter().map(|(key, value)| (*key, (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let filters = Filters {
            cluster: Some(ClusterFilter::Cluster(ClusterId(3))),
            status: Some(Status::Completed),
            kind: Some(DocumentKind::EncryptedOffice),
            confidence: Some(ConfidenceLevel::Low),
            failure: Some(FailureCode::TimedOut),
            language: Some("deu".to_owned()),
            family: Some(FamilyFilter::Collapsed),
            size: Some(SizeClass::Large),
            from: "2019-05".parse().ok(),
            to: "2020".parse().ok(),
            search: Some("a&b=c ü".to_owned()),
            sort: SortKey::Pages,
            descending: true,
            page: 4,
            heatmap_start: 10,
            heatmap_len: 20,
            cells: HeatmapCells::Strongest,
            level: 5,
        };
        let pairs = filters.pairs();
        let map: ParamsMap = pairs.into_iter().collect();
        assert_eq!(Filters::read(&map), filters);
    }

    #[test]
    fn nonsense_in_the_url_is_ignored() {
        let map = params(&[("cluster", "x"), ("status", ""), ("sort", "size"), ("page", "-1"), ("q", "  ")]);
        assert_eq!(Filters::read(&map), Filters::default());
    }

    #[test]
    fn the_first_page_has_no_number() {
        assert_eq!(Filters::read(&params(&[("page", "1")])).query_string(), "");
        assert_eq!(Filters::read(&params(&[("page", "2")])).query_string(), "?page=2");
    }

    #[test]
    fn a_search_is_encoded() {
        let filters = Filters { search: Some("a b&c".to_owned()), ..Filters::default() };
        assert_eq!(filters.query_string(), "?q=a%20b%26c");
    }

    #[test]
    fn the_same_key_again_turns_the_order() {
        let once = Filters::default().sorted_by(SortKey::Pages);
        assert!(!once.descending);
        assert!(once.sorted_by(SortKey::Pages).descending);
        assert!(!once.sorted_by(SortKey::Pages).sorted_by(SortKey::Pages).descending);
    }

    #[test]
    fn other_documents_start_anew() {
        let filters = Filters { page: 7, heatmap_start: 9, heatmap_len: 3, ..Filters::default() };
        for other in [filters.with_cluster(Some(ClusterFilter::Outliers)), filters.with_size(Some(SizeClass::Tiny))] {
            assert_eq!((other.page, other.heatmap_start, other.heatmap_len), (0, 0, 0));
        }
    }
}
