//! What things are called on the page: states, reasons, languages.

#[cfg(feature = "ssr")]
mod table;

use sheaf_domain::{ClusterId, FailureCode, MethodName, ModelName, OnError, Priority, Stage, Status};

#[cfg(feature = "ssr")]
pub use table::{column, confidence, family, filter_cluster, language, size};

/// A status as a word of its own.
pub const fn status(status: Status) -> &'static str {
    match status {
        Status::Pending => "Pending",
        Status::Processing => "Processing",
        Status::Completed => "Completed",
        Status::Failed => "Failed",
        Status::Cancelled => "Cancelled",
    }
}

/// A model as a word of its own.
pub const fn model(model: ModelName) -> &'static str {
    match model {
        ModelName::Accurate => "Accurate",
        ModelName::Fast => "Fast",
    }
}

/// A way to group documents by its usual name.
pub const fn method(method: MethodName) -> &'static str {
    match method {
        MethodName::Graph => "Neighbours\u{2019} graph",
        MethodName::KMeans => "K-means",
        MethodName::Dbscan => "DBSCAN",
        MethodName::Mixture => "Gaussian mixture",
        MethodName::Hierarchical => "Hierarchical",
    }
}

/// A priority and what it means.
pub const fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::High => "High: before all others",
        Priority::Normal => "Normal",
        Priority::Low => "Low: when nothing else waits",
    }
}

/// A priority among the facts about a batch; nothing for the usual one.
pub const fn priority_of_batch(priority: Priority) -> Option<&'static str> {
    match priority {
        Priority::High => Some("high priority"),
        Priority::Normal => None,
        Priority::Low => Some("low priority"),
    }
}

/// What a failure does to a batch, among the facts about it; nothing for the usual.
pub const fn on_error(on_error: OnError) -> Option<&'static str> {
    match on_error {
        OnError::Continue => None,
        OnError::FailAll => Some("stops at the first failure"),
    }
}

/// What goes on at a stage, where a failure is told.
pub const fn while_at(stage: Stage) -> &'static str {
    match stage {
        Stage::Parse => "While reading",
        Stage::Embed => "While comparing",
        Stage::Analyse => "While grouping",
    }
}

/// A reason in a few words, from the name that its code has everywhere: `password_protected` is "Password protected".
pub fn reason(code: FailureCode) -> String {
    let words = code.name().replace('_', " ");
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The class that gives a cluster its colour. There are twelve; the number tells apart what shares one.
pub fn hue_class(cluster: Option<ClusterId>) -> String {
    cluster.map_or_else(|| "k-out".to_owned(), |id| format!("k-{}", id.0 % 12))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_read_as_words() {
        assert_eq!(reason(FailureCode::PasswordProtected), "Password protected");
        assert!(FailureCode::ALL.iter().all(|code| !reason(*code).contains('_')));
    }
}
