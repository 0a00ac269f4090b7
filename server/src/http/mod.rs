//! What is served besides pages. Thin: read the request, ask the engine, write the answer.

pub mod api;
pub mod clusterings;
pub mod clusters;
pub mod diff;
pub mod download;
pub mod events;
pub mod families;
pub mod flow_forms;
pub mod flow_runs;
pub mod flows;
pub mod forms;
pub mod removal;
pub mod run_forms;
pub mod runs;
pub mod upload;
pub mod uploads;
pub mod webhooks;

mod multipart;
pub mod search;
pub mod selection;
mod settings;

pub mod failure;
pub mod health;
