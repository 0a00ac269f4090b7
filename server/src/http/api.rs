//! The API as JSON. Described in `docs/api.md`.

use axum::Json;
use axum::extract::{Path, Query, State};
use http::StatusCode;
use serde::Deserialize;
use sheaf_domain::{
    Batch, BatchId, BatchOverview, BatchQuery, Cluster, ClusterFilter, ConfidenceLevel, Day, DocumentId, DocumentKind,
    DocumentMap, DocumentQuery, DocumentRow, DocumentView, Facets, FailureCode, FamilyFilter, Heatmap, HeatmapCells,
    HeatmapView, Merge, Outlier, OutlierQuery, Page, PageView, Progress, QuoteBoxes, SizeClass, SortKey, Status,
};
use sheaf_engine::Engine;

use super::failure::HttpFailure;

pub type Answer<T> = Result<Json<T>, HttpFailure>;

/// Batches of a page of the list when nothing was said.
const BATCHES: u32 = 50;

/// A parameter of the query as text, read as `T`; empty is absent, as forms send it.
pub fn read<T: std::str::FromStr>(name: &str, value: Option<&str>) -> Result<Option<T>, HttpFailure>
where
    T::Err: std::fmt::Display,
{
    value
        .filter(|value| !value.is_empty())
        .map(|value| value.parse().map_err(|error| HttpFailure::invalid(format!("`{name}`: {error}"))))
        .transpose()
}

/// An id from the path. One that is none names nothing, so the answer is that of an unknown one.
pub fn batch_id(text: &str) -> Result<BatchId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no batch `{text}`")))
}

pub fn document_id(text: &str) -> Result<DocumentId, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no document `{text}`")))
}

/// Which batches, as it stands in a URL.
#[derive(Deserialize)]
pub struct Batches {
    q: Option<String>,
    status: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub async fn list(State(engine): State<Engine>, Query(batches): Query<Batches>) -> Answer<Page<Batch>> {
    let query = BatchQuery {
        search: batches.q,
        status: read::<Status>("status", batches.status.as_deref())?,
        cursor: batches.cursor.filter(|cursor| !cursor.is_empty()),
        limit: read("limit", batches.limit.as_deref())?.unwrap_or(BATCHES),
    };
    Ok(Json(engine.batches(&query).await?))
}

pub async fn show(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<BatchOverview> {
    Ok(Json(engine.overview(batch_id(&id)?).await?))
}

pub async fn progress(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Progress> {
    Ok(Json(engine.progress(batch_id(&id)?).await?))
}

pub async fn delete(State(engine): State<Engine>, Path(id): Path<String>) -> Result<StatusCode, HttpFailure> {
    engine.delete_batch(batch_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The filter of the table as it stands in a URL.
#[derive(Deserialize)]
pub struct Filter {
    cluster: Option<String>,
    status: Option<String>,
    kind: Option<String>,
    confidence: Option<String>,
    failure: Option<String>,
    language: Option<String>,
    family: Option<String>,
    size: Option<String>,
    from: Option<String>,
    to: Option<String>,
    /// Ids with commas between them.
    documents: Option<String>,
    q: Option<String>,
    sort: Option<String>,
    dir: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

impl Filter {
    /// The question to the engine.
    pub fn query(self) -> Result<DocumentQuery, HttpFailure> {
        let descending = match self.dir.as_deref() {
            None | Some("" | "asc") => false,
            Some("desc") => true,
            Some(other) => return Err(HttpFailure::invalid(format!("`dir`: `{other}` is neither asc nor desc"))),
        };
        Ok(DocumentQuery {
            cluster: read::<ClusterFilter>("cluster", self.cluster.as_deref())?,
            status: read::<Status>("status", self.status.as_deref())?,
            kind: read::<DocumentKind>("kind", self.kind.as_deref())?,
            confidence: read::<ConfidenceLevel>("confidence", self.confidence.as_deref())?,
            failure: read::<FailureCode>("failure", self.failure.as_deref())?,
            language: self.language.filter(|language| !language.is_empty()),
            family: read::<FamilyFilter>("family", self.family.as_deref())?,
            size: read::<SizeClass>("size", self.size.as_deref())?,
            from: read::<Day>("from", self.from.as_deref())?,
            to: read::<Day>("to", self.to.as_deref())?,
            documents: self
                .documents
                .as_deref()
                .unwrap_or_default()
                .split(',')
                .filter(|id| !id.is_empty())
                .map(document_id)
                .collect::<Result<_, _>>()?,
            search: self.q,
            sort: read::<SortKey>("sort", self.sort.as_deref())?.unwrap_or_default(),
            descending,
            offset: read("cursor", self.cursor.as_deref())?.unwrap_or_default(),
            limit: read("limit", self.limit.as_deref())?.unwrap_or_default(),
        })
    }
}

pub async fn documents(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Answer<Page<DocumentRow>> {
    Ok(Json(engine.documents(batch_id(&id)?, &filter.query()?).await?))
}

pub async fn facets(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(filter): Query<Filter>,
) -> Answer<Facets> {
    Ok(Json(engine.facets(batch_id(&id)?, &filter.query()?).await?))
}

pub async fn document(
    State(engine): State<Engine>,
    Path((id, document)): Path<(String, String)>,
) -> Answer<DocumentView> {
    Ok(Json(engine.document(batch_id(&id)?, document_id(&document)?).await?))
}

/// The number of a page from the path.
pub fn page_number(text: &str) -> Result<u32, HttpFailure> {
    text.parse().map_err(|_| HttpFailure::not_found(format!("there is no page `{text}`")))
}

pub async fn page(
    State(engine): State<Engine>,
    Path((id, document, page)): Path<(String, String, String)>,
) -> Answer<PageView> {
    Ok(Json(engine.page(batch_id(&id)?, document_id(&document)?, page_number(&page)?).await?))
}

#[derive(Deserialize)]
pub struct Stretch {
    start: Option<String>,
    end: Option<String>,
}

pub async fn boxes(
    State(engine): State<Engine>,
    Path((id, document, page)): Path<(String, String, String)>,
    Query(stretch): Query<Stretch>,
) -> Answer<QuoteBoxes> {
    let place = |name: &str, value: Option<&str>| {
        read::<u32>(name, value)?.ok_or_else(|| HttpFailure::invalid(format!("`{name}` is missing")))
    };
    let range = place("start", stretch.start.as_deref())?..place("end", stretch.end.as_deref())?;
    Ok(Json(engine.quote_boxes(batch_id(&id)?, document_id(&document)?, page_number(&page)?, range).await?))
}

#[derive(Deserialize)]
pub struct Level {
    level: Option<String>,
}

pub async fn clusters(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(Level { level }): Query<Level>,
) -> Answer<Vec<Cluster>> {
    let (clusters, _) =
        engine.clusters_at(batch_id(&id)?, read("level", level.as_deref())?.unwrap_or(u32::MAX)).await?;
    Ok(Json(clusters))
}

pub async fn merges(State(engine): State<Engine>, Path(id): Path<String>) -> Answer<Vec<Merge>> {
    Ok(Json(engine.merges(batch_id(&id)?).await?))
}

/// Which part of the heatmap, as it stands in a URL; the page's names are understood as well.
#[derive(Deserialize)]
pub struct View {
    #[serde(alias = "hstart")]
    start: Option<String>,
    #[serde(alias = "hlen")]
    len: Option<String>,
    cells: Option<String>,
    #[serde(flatten)]
    filter: Filter,
}

impl View {
    /// What cells of blocks show in a picture.
    pub fn cells(&self) -> Result<HeatmapCells, HttpFailure> {
        Ok(read("cells", self.cells.as_deref())?.unwrap_or_default())
    }

    /// The question to the engine.
    pub fn view(self) -> Result<HeatmapView, HttpFailure> {
        let start = read("start", self.start.as_deref())?.unwrap_or_default();
        let len = read("len", self.len.as_deref())?.unwrap_or_default();
        Ok(HeatmapView { filter: self.filter.query()?, start, len })
    }
}

pub async fn similarity(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(view): Query<View>,
) -> Answer<Heatmap> {
    Ok(Json(engine.heatmap(batch_id(&id)?, &view.view()?).await?))
}

pub async fn map(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(Level { level }): Query<Level>,
    Query(filter): Query<Filter>,
) -> Answer<DocumentMap> {
    let level = read("level", level.as_deref())?.unwrap_or_default();
    Ok(Json(engine.map(batch_id(&id)?, &filter.query()?, level).await?))
}

#[derive(Deserialize)]
pub struct Part {
    limit: Option<String>,
    cursor: Option<String>,
}

pub async fn outliers(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    Query(part): Query<Part>,
) -> Answer<Page<Outlier>> {
    let query = OutlierQuery {
        offset: read("cursor", part.cursor.as_deref())?.unwrap_or_default(),
        limit: read("limit", part.limit.as_deref())?.unwrap_or_default(),
    };
    Ok(Json(engine.outliers(batch_id(&id)?, query).await?))
}
