//! The table of pages. Every page is rendered whole before it is sent, so that it is complete without JavaScript.

mod batches {
    //! Pages about batches.
    pub mod add;
    #[cfg(feature = "ssr")]
    pub mod cancel;
    #[cfg(feature = "ssr")]
    mod chosen;
    #[cfg(feature = "ssr")]
    pub mod clusterings;
    #[cfg(feature = "ssr")]
    pub mod delete;
    #[cfg(feature = "ssr")]
    pub mod families;
    pub mod list;
    #[cfg(feature = "ssr")]
    pub mod map;
    #[cfg(feature = "ssr")]
    pub mod move_documents;
    #[cfg(feature = "ssr")]
    pub mod outliers;
    #[cfg(feature = "ssr")]
    pub mod remove_documents;
    pub mod show;
}
#[cfg(feature = "ssr")]
mod documents {
    //! Pages about one document, or two.
    pub mod diff;
    pub mod show;
}
#[cfg(feature = "ssr")]
mod clusters {
    //! Pages about one cluster.
    pub mod show;
}
#[cfg(feature = "ssr")]
mod compare;
#[cfg(feature = "ssr")]
mod search;
#[cfg(feature = "ssr")]
mod flows {
    //! Saved lists of steps.
    pub mod edit;
    pub mod list;
}
#[cfg(feature = "ssr")]
mod runs {
    //! Executions of flows.
    pub mod ask;
    pub mod begin;
    pub mod document;
    pub mod list;
    pub mod show;
    pub mod table;
}
#[cfg(feature = "ssr")]
mod webhooks {
    //! Who is told when batches and runs end.
    pub mod list;
}
mod not_found;
#[cfg(feature = "ssr")]
pub(crate) mod plain;
#[cfg(not(feature = "ssr"))]
mod whole;

use leptos::prelude::*;
use leptos_meta::{Title, provide_meta_context};
use leptos_router::components::{Route, Router, Routes};
use leptos_router::{SsrMode, path};

use crate::components::masthead::Masthead;
use batches::add::AddToBatch;
use batches::list::ListBatches;
use batches::show::ShowBatch;
use not_found::NotFound;

// Pages on which nothing needs a script, listed in `plain`. They are no part of the page's WebAssembly.
#[cfg(not(feature = "ssr"))]
use whole::{
    Whole as CancelBatch, Whole as CompareBatches, Whole as DeleteBatch, Whole as DiffDocuments, Whole as EditFlow,
    Whole as ListClusterings, Whole as ListFamilies, Whole as ListFlows, Whole as ListOutliers, Whole as ListRuns,
    Whole as ListWebhooks, Whole as NewRunPage, Whole as Search, Whole as ShowDocument, Whole as ShowMap,
    Whole as ShowRun, Whole as ShowRunDocument, Whole as CancelRun, Whole as DeleteRun, Whole as MoveDocuments,
    Whole as RemoveDocuments, Whole as ShowCluster, Whole as ShowRunTable,
};
#[cfg(feature = "ssr")]
use {
    batches::cancel::CancelBatch,
    batches::clusterings::ListClusterings,
    batches::delete::DeleteBatch,
    batches::families::ListFamilies,
    batches::map::ShowMap,
    batches::move_documents::MoveDocuments,
    batches::outliers::ListOutliers,
    batches::remove_documents::RemoveDocuments,
    clusters::show::ShowCluster,
    compare::CompareBatches,
    documents::diff::DiffDocuments,
    documents::show::ShowDocument,
    flows::edit::EditFlow,
    flows::list::ListFlows,
    runs::ask::{CancelRun, DeleteRun},
    runs::begin::NewRunPage,
    runs::document::ShowRunDocument,
    runs::list::ListRuns,
    runs::show::ShowRun,
    runs::table::ShowRunTable,
    search::Search,
    webhooks::list::ListWebhooks,
};

/// Everything inside `<body>`.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Title formatter=|title: String| if title.is_empty() { "Sheaf".to_owned() } else { format!("{title} · Sheaf") } />
        <Router>
            <a class="skip" href="#content" rel="external">
                "Skip to the content"
            </a>
            <Masthead />
            <main id="content" tabindex="-1">
                <Routes fallback=NotFound>
                    <Route path=path!("/") view=ListBatches ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id") view=ShowBatch ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/add") view=AddToBatch ssr=SsrMode::Async />
                    <Route path=path!("/compare") view=CompareBatches ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/cancel") view=CancelBatch ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/delete") view=DeleteBatch ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/clusterings") view=ListClusterings ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/families") view=ListFamilies ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/clusters/:number") view=ShowCluster ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/move") view=MoveDocuments ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/remove") view=RemoveDocuments ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/map") view=ShowMap ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/outliers") view=ListOutliers ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/documents/:document") view=ShowDocument ssr=SsrMode::Async />
                    <Route path=path!("/search") view=Search ssr=SsrMode::Async />
                    <Route path=path!("/flows") view=ListFlows ssr=SsrMode::Async />
                    <Route path=path!("/flows/new") view=EditFlow ssr=SsrMode::Async />
                    <Route path=path!("/flows/:id") view=EditFlow ssr=SsrMode::Async />
                    <Route path=path!("/runs") view=ListRuns ssr=SsrMode::Async />
                    <Route path=path!("/runs/new") view=NewRunPage ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id") view=ShowRun ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/table") view=ShowRunTable ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/cancel") view=CancelRun ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/delete") view=DeleteRun ssr=SsrMode::Async />
                    <Route path=path!("/runs/:id/documents/:document") view=ShowRunDocument ssr=SsrMode::Async />
                    <Route path=path!("/batches/:id/diff") view=DiffDocuments ssr=SsrMode::Async />
                    <Route path=path!("/webhooks") view=ListWebhooks ssr=SsrMode::Async />
                </Routes>
            </main>
        </Router>
    }
}

/// A parameter of the path, read as `T`; `None` when it is not one.
fn path_param<T: std::str::FromStr + Send + Sync + PartialEq + Clone + 'static>(name: &'static str) -> Memo<Option<T>> {
    let params = leptos_router::hooks::use_params_map();
    Memo::new(move |_| params.read().get(name).and_then(|text| text.parse().ok()))
}
