//! The vocabulary of Sheaf: plain, WASM-safe types that the server, the workers and the web page share.
//! It owns words and small rules about them; it refuses I/O, clocks and randomness.

pub mod ids;
pub mod status;

pub mod batch;
pub mod document;
pub mod kind;
pub mod numbered;
pub mod page;
pub mod passwords;
pub mod upload;

pub mod cluster;
pub mod cluster_edit;
pub mod family;
pub mod heatmap;
pub mod level;
pub mod map;
pub mod method;
pub mod outlier;
pub mod tried;

pub mod flow;

pub mod failure;
pub mod job;
pub mod progress;
pub mod run;
pub mod webhook;

pub mod compare;
pub mod diff;
pub mod export;
pub mod facet;
pub mod filter;
pub mod query;

pub mod folded;
pub mod search;
pub mod text_query;

pub use batch::{Batch, BatchOverview, BatchParams, BatchSummary, Counts, FailureCount, ModelName};
pub use cluster::{Cluster, ClusterFilter, ClusterId, ConfidenceLevel, EXACT_UP_TO, Membership, NamedBy};
pub use cluster_edit::{
    AddedTo, ClusterChange, ClusterEdit, ClusterEdits, ClusterReport, ClusterRequest, MergedClusters, MovePlace,
    MoveTarget, NamedCluster, SplitCluster,
};
pub use compare::{
    CompareCounts, ComparePart, CompareQuery, ComparedBatch, ComparedDocument, ComparedSide, Comparison,
};
pub use diff::{DiffCounts, DiffQuery, DiffRow, DiffSide, DiffSpan, TextDiff};
pub use document::{Document, DocumentMetadata, DocumentRow, DocumentView, Neighbour, Problem};
pub use export::{ExportFormat, ExportSubject};
pub use facet::{FacetCount, FacetRow, Facets, SelectedFigures};
pub use failure::{Failure, FailureCode, FailureKind};
pub use family::{Family, FamilyDial, FamilyFilter, FamilyMember, FamilyPlace, FamilyQuery, FamilySummary, Likeness};
pub use filter::{Day, SizeClass};
pub use folded::{FoldedWord, folded_text, folded_words};
pub use heatmap::{Heatmap, HeatmapBand, HeatmapCells, HeatmapView, SimilarPair};
pub use ids::{BatchId, ClusteringId, DeliveryId, DocumentId, EventId, FlowId, JobId, RunId, UploadId, WebhookId};
pub use job::Stage;
pub use kind::DocumentKind;
pub use level::{Merge, at_level};
pub use map::{DocumentMap, MapLabel};
pub use method::{Method, MethodName};
pub use numbered::Numbered;
pub use outlier::{NearestCluster, Outlier, OutlierQuery};
pub use page::{PageBox, PageRecognition, PageView, QuoteBoxes, WordBox};
pub use passwords::Passwords;
pub use progress::{
    Bottleneck, Changes, DocumentProgress, Estimate, Progress, ProgressCell, ProgressGrid, StageCounts,
};
pub use query::{Around, BatchQuery, DocumentQuery, LibraryQuery, LibraryRow, Page, SortKey};
pub use run::{Attempt, BatchChange, OnError, Priority, Restart, RunPolicy};
pub use search::{SearchHit, SearchMode, SearchQuery, SearchResults, SimilarQuery, SnippetPart};
pub use status::Status;
pub use text_query::{Term, TextQuery};
pub use tried::{Compared, Gallery, TriedCluster, TriedClustering};
pub use upload::{Added, Received, Upload, UploadFile};
pub use webhook::{Delivery, DeliveryQuery, EndedBatch, EventKind, NewWebhook, Webhook, WebhookEvent};
