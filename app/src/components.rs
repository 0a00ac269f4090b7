//! What pages are made of. Components take values, signals and callbacks; they never fetch.

pub mod masthead;

pub mod batch_list;
pub mod upload;

pub mod live;

pub mod overview;

mod clusters;
mod documents;
mod downloads;
mod failures;
mod figures;
mod filter_bar;
mod heatmap;
mod table;

pub mod document;
mod neighbours;
pub mod pages;

#[cfg(feature = "ssr")]
pub mod webhooks;

pub mod failure;
pub mod skeleton;

mod chip;
mod confidence;
mod status;
