//! What filters, columns and values of the table of documents are called. The server makes that part of the page alone.

use sheaf_domain::{ClusterFilter, ClusterId, ConfidenceLevel, FamilyFilter, SizeClass, SortKey};

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
