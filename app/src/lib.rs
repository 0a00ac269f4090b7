//! The pages of Sheaf. They run on the server and, hydrated, in the browser; they own what a person sees and refuse to
//! know how anything is stored or computed.

pub mod routes;
pub mod shell;

#[cfg(feature = "ssr")]
mod cluster_words;
#[cfg(feature = "ssr")]
pub mod draft;
pub mod errors;
pub mod filters;
#[cfg(feature = "ssr")]
pub mod flow_form;
pub mod history;
#[cfg(feature = "ssr")]
pub mod run_form;
pub mod server_fns;
pub mod views;

#[cfg(feature = "ssr")]
pub mod notice;

mod boxed;
mod components;
mod file_path;
mod format;
mod response;
mod wire;
mod words;

pub use routes::App;
pub use shell::shell;
