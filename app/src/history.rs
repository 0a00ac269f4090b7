//! The state of the list of batches as it stands in the URL of the start page.

use leptos_router::params::ParamsMap;
use sheaf_domain::{BatchId, BatchQuery, Status};

use crate::filters::encode;

/// Which batches are looked at. Everything that cannot be understood in a URL is as if it were not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Part of the name or the beginning of the id.
    pub search: Option<String>,
    pub status: Option<Status>,
    /// Where this page starts; absent on the first.
    pub cursor: Option<String>,
    /// The batch that another is chosen to be compared with.
    pub compare: Option<BatchId>,
}

impl History {
    /// Reads the parameters of a URL.
    pub fn read(params: &ParamsMap) -> Self {
        let text = |key: &str| params.get(key).filter(|value| !value.trim().is_empty());
        Self {
            search: text("q").map(|search| search.trim().to_owned()),
            status: text("status").and_then(|value| value.parse().ok()),
            cursor: text("cursor"),
            compare: text("compare").and_then(|value| value.parse().ok()),
        }
    }

    /// The address of the list in this state.
    pub fn href(&self) -> String {
        let parts: Vec<String> =
            self.pairs().into_iter().map(|(key, value)| format!("{key}={}", encode(&value))).collect();
        let query = if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) };
        format!("/{query}#batches")
    }

    /// The parameters that there are, as they stand in the URL.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let Self { search, status, cursor, compare } = self;
        [
            ("q", search.clone()),
            ("status", status.map(|status| status.to_string())),
            ("cursor", cursor.clone()),
            ("compare", compare.map(|batch| batch.to_string())),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key, value)))
        .collect()
    }

    /// The question to the engine.
    pub fn query(&self) -> BatchQuery {
        let Self { search, status, cursor, compare: _ } = self.clone();
        BatchQuery { search, status, cursor, limit: BatchQuery::DEFAULT_LIMIT }
    }

    /// Whether some batches are left out.
    pub fn is_narrowed(&self) -> bool {
        self.search.is_some() || self.status.is_some()
    }

    /// The page that starts here; the first without a cursor.
    pub fn at(&self, cursor: Option<String>) -> Self {
        Self { cursor, ..self.clone() }
    }

    /// All batches.
    pub fn cleared(&self) -> Self {
        Self { compare: self.compare, ..Self::default() }
    }

    /// A batch to be compared with; none to stop choosing.
    pub fn comparing(&self, compare: Option<BatchId>) -> Self {
        Self { compare, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let history = History {
            search: Some("a&b ü".to_owned()),
            status: Some(Status::Cancelled),
            cursor: Some("018f".to_owned()),
            compare: "018f0000-0000-7000-8000-000000000000".parse().ok(),
        };
        let params: ParamsMap = history.pairs().into_iter().collect();
        assert_eq!(History::read(&params), history);
        assert_eq!(
            history.href(),
            "/?q=a%26b%20%C3%BC&status=cancelled&cursor=018f&compare=018f0000-0000-7000-8000-000000000000#batches"
        );
    }

    #[test]
    fn nonsense_in_the_url_is_ignored() {
        let pairs = [("q", " "), ("status", "done"), ("compare", "x"), ("cursor", "")];
        let params: ParamsMap = pairs.into_iter().map(|(key, value)| (key, value.to_owned())).collect();
        assert_eq!(History::read(&params), History::default());
        assert_eq!(History::default().href(), "/#batches");
    }
}
