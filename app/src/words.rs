//! What things are called on the page: states, reasons, languages.

use sheaf_domain::{
    ClusterFilter, ClusterId, ConfidenceLevel, FailureCode, FamilyFilter, MethodName, ModelName, OnError, Priority,
    SizeClass, SortKey, Stage, Status,
};

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

/// A step of confidence as a word of its own.
pub const fn confidence(level: ConfidenceLevel) -> &'static str {
    match level {
        ConfidenceLevel::High => "High",
        ConfidenceLevel::Medium => "Medium",
        ConfidenceLevel::Low => "Low",
    }
}

/// What a filter by near-duplicates lets through.
pub fn family(filter: FamilyFilter) -> String {
    match filter {
        FamilyFilter::Any => "In a family".to_owned(),
        FamilyFilter::Spare => "Could be dropped".to_owned(),
        FamilyFilter::Collapsed => "One of each".to_owned(),
        FamilyFilter::Family(id) => format!("Family {id}"),
    }
}

/// A size in words.
pub const fn size(size: SizeClass) -> &'static str {
    match size {
        SizeClass::Tiny => "below 10 kB",
        SizeClass::Small => "10 to 100 kB",
        SizeClass::Medium => "100 kB to 1 MB",
        SizeClass::Large => "1 to 10 MB",
        SizeClass::Huge => "10 MB and more",
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

/// The heading of a column.
pub const fn column(key: SortKey) -> &'static str {
    match key {
        SortKey::Path => "Name",
        SortKey::Kind => "Kind",
        SortKey::Pages => "Pages",
        SortKey::Words => "Words",
        SortKey::Language => "Language",
        SortKey::Cluster => "Cluster",
        SortKey::Probability => "Probability",
        SortKey::Status => "Status",
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

/// The same for a filter.
pub const fn filter_cluster(filter: ClusterFilter) -> Option<ClusterId> {
    match filter {
        ClusterFilter::Cluster(id) => Some(id),
        ClusterFilter::Outliers => None,
    }
}

/// The English name of a language, or its code where it is not among the common ones (ISO 639-3).
pub fn language(code: &str) -> &str {
    match code {
        "ara" => "Arabic",
        "ben" => "Bengali",
        "bul" => "Bulgarian",
        "cat" => "Catalan",
        "ces" => "Czech",
        "cmn" | "zho" => "Chinese",
        "dan" => "Danish",
        "deu" => "German",
        "ell" => "Greek",
        "eng" => "English",
        "epo" => "Esperanto",
        "est" => "Estonian",
        "fas" | "pes" => "Persian",
        "fin" => "Finnish",
        "fra" => "French",
        "heb" => "Hebrew",
        "hin" => "Hindi",
        "hrv" => "Croatian",
        "hun" => "Hungarian",
        "ind" => "Indonesian",
        "ita" => "Italian",
        "jpn" => "Japanese",
        "kor" => "Korean",
        "lat" => "Latin",
        "lav" => "Latvian",
        "lit" => "Lithuanian",
        "mar" => "Marathi",
        "nld" => "Dutch",
        "nob" | "nno" | "nor" => "Norwegian",
        "pol" => "Polish",
        "por" => "Portuguese",
        "ron" => "Romanian",
        "rus" => "Russian",
        "slk" => "Slovak",
        "slv" => "Slovenian",
        "spa" => "Spanish",
        "srp" => "Serbian",
        "swe" => "Swedish",
        "tam" => "Tamil",
        "tel" => "Telugu",
        "tha" => "Thai",
        "tur" => "Turkish",
        "ukr" => "Ukrainian",
        "urd" => "Urdu",
        "vie" => "Vietnamese",
        other => other,
    }
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
