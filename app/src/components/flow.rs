//! The form in which a flow is written. All of it is one form, so that nothing is lost when a step is added or moved.

mod actions;
pub mod choices;
mod editor;
mod evidence;
mod inputs;
mod lists;
mod step;
mod trial;

pub use editor::{Editor, Found, Trial, Visit};
pub use evidence::Proof;
