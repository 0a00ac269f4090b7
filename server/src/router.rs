//! All routes: the API, uploads and downloads, the pages, their files.

use app::{App, shell};
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodRouter, get, post, put};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Uri};
use leptos::config::LeptosOptions;
use leptos::context::provide_context;
use leptos_axum::{LeptosRoutes, file_and_error_handler_with_context, generate_route_list};
use tower::ServiceBuilder;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::http::failure::HttpFailure;
use crate::http::{
    api, clusterings, clusters, diff, download, events, families, flow_forms, flow_runs, flows, forms, health, removal,
    run_forms, runs, search, selection, upload, uploads, webhooks,
};
use crate::security::{own_site_only, safe_headers, set_page_policy};
use crate::share::{self, Share};
use crate::state::AppState;
use crate::watch;

/// The most bytes of a request that is no upload.
const BODY_LIMIT: usize = 64 * 1024;

/// The most bytes of a question about paths.
const PATHS_LIMIT: usize = 2 << 20;

/// The most bytes of a form with chosen documents: some 100,000 ids.
const CHOSEN_LIMIT: usize = 5 << 20;

/// The most bytes of a flow, whose lists of terms may be long.
const FLOW_LIMIT: usize = 17 << 20;

/// The names of these files change with their content.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// The service of one server.
pub fn router(state: AppState) -> Router {
    let upload_limit = DefaultBodyLimit::max(usize::try_from(state.uploads.bytes).unwrap_or(usize::MAX));
    let site = state.options.site_root.to_string();
    let packages = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, FOREVER))
        .service(ServeDir::new(format!("{site}/pkg")).precompressed_br().precompressed_gzip());

    let engine = state.engine.clone();
    let context = move || {
        provide_context(engine.clone());
        set_page_policy();
    };
    let fallback = file_and_error_handler_with_context::<AppState, _>(context.clone(), shell);

    Router::<AppState>::new()
        .route("/api/batches", post(upload::by_api).layer(upload_limit).get(api::list))
        .route("/api/batches/{id}", get(api::show).delete(api::delete).patch(runs::change))
        .route("/api/batches/{id}/cancel", post(runs::cancel))
        .route("/api/batches/{id}/restart", post(runs::restart))
        .route("/api/batches/{id}/events", get(events::events))
        .route("/api/batches/{id}/changes", get(runs::changes))
        .route("/api/batches/{id}/grid", get(runs::grid))
        .route("/api/batches/{id}/progress", get(api::progress))
        .route("/api/batches/{id}/documents", post(upload::add_by_api).layer(upload_limit).get(api::documents))
        .route("/api/batches/{id}/known", post(uploads::known).layer(DefaultBodyLimit::max(PATHS_LIMIT)))
        .route("/api/batches/{id}/uploads", get(uploads::of_batch))
        .route("/api/batches/{id}/documents/{document}", get(api::document).delete(removal::one))
        .route("/api/batches/{id}/documents/{document}/attempts", get(runs::attempts))
        .route("/api/batches/{id}/documents/{document}/original", get(download::original))
        .route("/api/batches/{id}/documents/{document}/text", get(download::text))
        .route("/api/batches/{id}/documents/{document}/pages/{page}", get(api::page))
        .route("/api/batches/{id}/documents/{document}/pages/{page}/boxes", get(api::boxes))
        .route("/api/batches/{id}/documents/{document}/pages/{page}/picture", get(download::picture))
        .route("/api/batches/{id}/diff", get(diff::diff))
        .route("/api/batches/{id}/clusters", get(api::clusters))
        .route("/api/batches/{id}/merges", get(api::merges))
        .route("/api/batches/{id}/cluster-edits", get(clusters::list).post(clusters::add))
        .route("/api/batches/{id}/cluster-edits/{edit}", axum::routing::delete(clusters::take_back))
        .route("/api/batches/{id}/manifest", get(clusters::manifest))
        .route("/api/batches/{id}/facets", get(api::facets))
        .route("/api/batches/{id}/originals", get(selection::originals))
        .route("/api/batches/{id}/copy", post(selection::copy))
        .route("/api/batches/{id}/families", get(families::list).put(families::change))
        .route("/api/batches/{id}/similarity", get(api::similarity))
        .route("/api/batches/{id}/map", get(api::map))
        .route("/api/batches/{id}/outliers", get(api::outliers))
        .route("/api/batches/{id}/similarity.csv", get(download::similarity_csv))
        .route("/api/batches/{id}/similarity-blocks.csv", get(download::similarity_blocks_csv))
        .route("/api/batches/{id}/similarity.png", get(download::similarity_png))
        .route("/api/batches/{id}/export", get(download::export))
        .route("/api/batches/{id}/similar", post(search::similar))
        .route("/api/search", get(search::search))
        .route("/api/uploads", post(uploads::begin))
        .route("/api/uploads/{id}", get(uploads::show).delete(uploads::withdraw))
        .route("/api/uploads/{id}/files", put(uploads::receive).layer(upload_limit))
        .route("/api/uploads/{id}/finish", post(uploads::finish))
        .route("/api/compare", get(runs::compare))
        .route("/api/webhooks", post(webhooks::add).get(webhooks::list))
        .route("/api/webhooks/{id}", axum::routing::delete(webhooks::delete))
        .route("/api/webhooks/{id}/test", post(webhooks::test))
        .route("/api/deliveries", get(webhooks::deliveries))
        .route("/api/deliveries/{id}/send", post(webhooks::send_again))
        .merge(flow_routes(&state))
        .merge(clustering_routes(&state))
        .route("/api/{*rest}", axum::routing::any(no_such_route))
        .route("/batches", post(upload::by_form).layer(upload_limit))
        .route("/batches/{id}/documents", post(upload::add_by_form).layer(upload_limit))
        .route("/uploads/{id}/finish", post(uploads::finish_by_form))
        .route("/batches/{id}/delete", post(forms::delete))
        .route("/batches/{id}/cancel", post(forms::cancel))
        .route("/batches/{id}/restart", post(forms::restart))
        .route("/batches/{id}/change", post(forms::change))
        .route("/batches/{id}/selection", get(selection::act).merge(selection_of_many()))
        .route("/batches/{id}/families", post(families::change_by_form))
        .merge(cluster_forms(&state))
        .route("/webhooks", post(webhooks::add_by_form))
        .route("/webhooks/{id}/delete", post(webhooks::delete_by_form))
        .route("/webhooks/{id}/test", post(webhooks::test_by_form))
        .route("/webhooks/deliveries/{id}/send", post(webhooks::send_again_by_form))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(watch::metrics))
        .nest_service("/pkg", packages)
        .leptos_routes_with_context(&state, generate_route_list(App), context, {
            let options: LeptosOptions = state.options.clone();
            move || shell(options.clone())
        })
        .fallback(fallback)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(Share::new(state.engine.clone()), share::page))
        .layer(from_fn(own_site_only))
        .layer(from_fn(safe_headers))
        .layer(from_fn(watch::request))
        .with_state(state)
}

/// The forms that change clusters and what is in them.
fn cluster_forms(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/batches/{id}/clusters", post(clusters::by_form))
        .route("/batches/{id}/remove", post(removal::by_form))
        .layer(from_fn_with_state(state.clone(), flow_forms::failures_as_pages))
}

/// A form may name every document of a large batch.
fn selection_of_many() -> MethodRouter<AppState> {
    post(selection::make).layer(DefaultBodyLimit::max(CHOSEN_LIMIT))
}

/// Flows, their runs, and what these found.
fn flow_routes(state: &AppState) -> Router<AppState> {
    let large = || DefaultBodyLimit::max(FLOW_LIMIT);
    Router::new()
        .route("/api/flows", post(flows::add).layer(large()).get(flows::list))
        .route("/api/flows/check", post(flows::check).layer(large()))
        .route("/api/flows/labels", post(flows::labels).layer(large()))
        .route("/api/flows/import", post(flows::import).layer(large()))
        .route("/api/flows/templates", get(flows::templates))
        .route("/api/flows/{id}", put(flows::save).layer(large()).get(flows::show).delete(flows::delete))
        .route("/api/flows/{id}/versions", get(flows::versions))
        .route("/api/flows/{id}/export", get(flows::export))
        .route("/api/flows/{id}/try", post(flows::try_on).layer(large()))
        .route("/api/runs", post(flow_runs::start).layer(large()).get(flow_runs::list))
        .route("/api/runs/estimate", post(flow_runs::estimate).layer(large()))
        .route("/api/runs/{id}", get(flow_runs::show).patch(flow_runs::change).delete(flow_runs::delete))
        .route("/api/runs/{id}/cancel", post(flow_runs::cancel))
        .route("/api/runs/{id}/restart", post(flow_runs::restart))
        .route("/api/runs/{id}/documents", get(flow_runs::documents))
        .route("/api/runs/{id}/documents/{document}/exchanges", get(flow_runs::exchanges))
        .route("/api/runs/{id}/documents/{document}/export", get(flow_runs::export_document))
        .route("/api/runs/{id}/values", get(flow_runs::values))
        .route("/api/runs/{id}/values/{document}/{number}", post(flow_runs::review))
        .route("/api/runs/{id}/export", get(flow_runs::export))
        .route("/flows/draft", post(flow_forms::draft).layer(large()))
        .route("/flows/{id}/delete", post(flow_forms::delete))
        .route("/flows/import", post(flow_forms::import).layer(large()))
        .route("/runs", post(run_forms::begin).layer(large()))
        .route("/runs/{id}/cancel", post(run_forms::cancel))
        .route("/runs/{id}/delete", post(run_forms::delete))
        .route("/runs/{id}/restart", post(run_forms::restart))
        .route("/runs/{id}/values/{document}/{number}", post(run_forms::review))
        .layer(from_fn_with_state(state.clone(), flow_forms::failures_as_pages))
}

/// Other clusterings of a batch.
fn clustering_routes(state: &AppState) -> Router<AppState> {
    Router::new()
        .route("/api/batches/{id}/clusterings", post(clusterings::add).get(clusterings::list))
        .route("/api/batches/{id}/clusterings/{clustering}", get(clusterings::show).delete(clusterings::delete))
        .route("/api/batches/{id}/clusterings/{clustering}/use", post(clusterings::take_over))
        .route("/batches/{id}/clusterings", post(clusterings::add_by_form))
        .route("/batches/{id}/clusterings/{clustering}/delete", post(clusterings::delete_by_form))
        .route("/batches/{id}/clusterings/{clustering}/use", post(clusterings::use_by_form))
        .layer(from_fn_with_state(state.clone(), flow_forms::failures_as_pages))
}

async fn no_such_route(uri: Uri) -> HttpFailure {
    HttpFailure::not_found(format!("there is no `{}` in the API", uri.path()))
}
