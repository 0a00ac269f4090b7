//! What pages are made of. Components take values, signals and callbacks; they never fetch.

pub mod masthead;

pub mod history;
pub mod upload;

pub mod live;

pub mod overview;

#[cfg(feature = "ssr")]
pub mod cluster;
#[cfg(feature = "ssr")]
pub mod clusterings;
#[cfg(feature = "ssr")]
pub mod compare;
#[cfg(feature = "ssr")]
pub mod facets;
#[cfg(feature = "ssr")]
pub mod families;
#[cfg(feature = "ssr")]
pub mod figures;
#[cfg(feature = "ssr")]
pub mod filter_bar;
#[cfg(feature = "ssr")]
pub mod map;
#[cfg(feature = "ssr")]
pub mod outliers;
#[cfg(feature = "ssr")]
pub mod search;
#[cfg(feature = "ssr")]
pub mod table;

pub mod change;
mod clusters;
mod documents;
mod downloads;
mod failures;
mod field;
mod heatmap;

#[cfg(feature = "ssr")]
mod attempts;
#[cfg(feature = "ssr")]
pub mod diff;
#[cfg(feature = "ssr")]
pub mod document;
#[cfg(feature = "ssr")]
mod neighbours;
#[cfg(feature = "ssr")]
pub mod pages;

#[cfg(feature = "ssr")]
pub mod webhooks;

#[cfg(feature = "ssr")]
pub mod flow;
#[cfg(feature = "ssr")]
pub mod run;

#[cfg(feature = "ssr")]
pub mod crumbs;
pub mod failure;
pub mod skeleton;

mod restart;

mod chip;
#[cfg(feature = "ssr")]
mod confidence;
pub mod status;
