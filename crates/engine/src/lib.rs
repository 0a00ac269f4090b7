//! The front door: blobs, queue, stages and exports behind one type. It knows no HTTP and no Leptos.

use sheaf_domain::{
    Batch, BatchId, BatchOverview, DocumentId, DocumentQuery, DocumentRow, DocumentView, Failure, FailureCode, Heatmap,
    HeatmapView, Page, Progress,
};

/// Everything that a page, the API or a command can ask for. Cheap to clone.
#[derive(Clone)]
pub struct Engine {}

fn later() -> Failure {
    Failure::new(FailureCode::Internal, "to come")
}

impl Engine {
    pub async fn batches(&self, _limit: u32, _cursor: Option<&str>) -> Result<Page<Batch>, Failure> {
        Err(later())
    }
    pub async fn overview(&self, _batch: BatchId) -> Result<BatchOverview, Failure> {
        Err(later())
    }
    pub async fn progress(&self, _batch: BatchId) -> Result<Progress, Failure> {
        Err(later())
    }
    pub async fn documents(&self, _batch: BatchId, _query: &DocumentQuery) -> Result<Page<DocumentRow>, Failure> {
        Err(later())
    }
    pub async fn document(&self, _batch: BatchId, _document: DocumentId) -> Result<DocumentView, Failure> {
        Err(later())
    }
    pub async fn heatmap(&self, _batch: BatchId, _view: HeatmapView) -> Result<Heatmap, Failure> {
        Err(later())
    }
    pub async fn delete_batch(&self, _batch: BatchId) -> Result<(), Failure> {
        Err(later())
    }
}
