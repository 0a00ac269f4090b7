//! Which values of a run are looked at.

use sheaf_domain::DocumentId;
use sheaf_domain::flow::{Action, FlowSpec, Review, ValueQuery};

use crate::filters::encode;

/// The columns of all steps, not those of the result alone.
pub const EVERY: &str = "every";

/// Which values are looked at, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ValueFilter {
    /// `step.field`, or [`EVERY`]; those of the result when absent.
    pub column: Option<String>,
    pub review: Option<Review>,
    pub verified: Option<bool>,
    pub cursor: Option<String>,
}

impl ValueFilter {
    /// Reads the parameters of an address; what cannot be understood is as if it were not there.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |key: &str| get(key).filter(|text| !text.is_empty());
        Self {
            column: text("column"),
            review: text("review").and_then(|text| text.parse().ok()),
            verified: text("verified").and_then(|text| text.parse().ok()),
            cursor: text("cursor"),
        }
    }

    /// The question to the engine.
    pub fn query(&self, document: Option<DocumentId>, spec: &FlowSpec) -> ValueQuery {
        let columns = match self.column.as_deref() {
            None => judged(spec),
            Some(EVERY) => Vec::new(),
            Some(column) => vec![column.to_owned()],
        };
        ValueQuery {
            document,
            step: None,
            field: None,
            columns,
            review: self.review,
            verified: self.verified,
            cursor: self.cursor.clone(),
            limit: 0,
        }
    }

    /// The query of the address, with its question mark.
    pub fn write(&self) -> String {
        let Self { column, review, verified, cursor } = self;
        let pairs = [
            ("column", column.clone()),
            ("review", review.map(|review| review.to_string())),
            ("verified", verified.map(|verified| verified.to_string())),
            ("cursor", cursor.clone()),
        ];
        let parts: Vec<String> = pairs
            .into_iter()
            .filter_map(|(key, value)| value.map(|value| format!("{key}={}", encode(&value))))
            .collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }

    /// Whether some of the values are left out by more than their columns.
    pub fn is_narrowed(&self) -> bool {
        self.column.as_deref().is_some_and(|column| column != EVERY) || self.review.is_some() || self.verified.is_some()
    }
}

/// The columns of the result. How sure a label is stands beside it, and is not judged by itself.
fn judged(spec: &FlowSpec) -> Vec<String> {
    let mut columns: Vec<String> = spec.format().columns.into_iter().map(|column| column.from).collect();
    for step in spec.steps.iter().filter(|step| matches!(step.action, Action::Classify(_))) {
        let of = |field: &str| format!("{}.{field}", step.name);
        if columns.contains(&of("label")) {
            columns.retain(|column| *column != of("probability") && *column != of("confidence"));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_comes_back_from_its_address() {
        let filter = ValueFilter {
            column: Some("genes.value".to_owned()),
            review: Some(Review::None),
            verified: Some(false),
            cursor: None,
        };
        assert_eq!(filter.write(), "?column=genes.value&review=none&verified=false");
        let read = ValueFilter::read(|key| match key {
            "column" => Some("genes.value".to_owned()),
            "review" => Some("none".to_owned()),
            "verified" => Some("false".to_owned()),
            _ => Some(String::new()),
        });
        assert_eq!(read, filter);
        let spec = FlowSpec::default();
        assert_eq!(filter.query(None, &spec).columns, ["genes.value"]);
        assert_eq!(ValueFilter::default().query(None, &spec).columns, ["document.path"]);
        let every = ValueFilter { column: Some(EVERY.to_owned()), ..ValueFilter::default() };
        assert_eq!(every.query(None, &spec).columns, Vec::<String>::new());
    }
}
