//! Something that many listeners are told, written down once for all of them.

use std::sync::OnceLock;

use serde::Serialize;

/// A value with its JSON, which is made when it is first asked for.
#[derive(Debug)]
pub struct Told<T> {
    what: T,
    json: OnceLock<String>,
}

impl<T> Told<T> {
    pub const fn new(what: T) -> Self {
        Self { what, json: OnceLock::new() }
    }

    pub const fn what(&self) -> &T {
        &self.what
    }
}

impl<T: Serialize> Told<T> {
    /// The JSON; `null` for what cannot be written as JSON.
    pub fn json(&self) -> &str {
        self.json.get_or_init(|| serde_json::to_string(&self.what).unwrap_or_else(|_| "null".to_owned()))
    }
}
