//! What can be downloaded from a batch.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::status::UnknownName;

/// What an export holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportSubject {
    /// One row a document.
    Documents,
    /// One object a cluster.
    Clusters,
    /// One object a family of near-duplicates.
    Families,
    /// The matrix of cosine similarities, in the order of the heatmap.
    Similarity,
}

/// The file format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Csv,
    Json,
    Jsonl,
}

impl ExportSubject {
    /// The name in URLs and file names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documents => "documents",
            Self::Clusters => "clusters",
            Self::Families => "families",
            Self::Similarity => "similarity",
        }
    }
}

impl ExportFormat {
    /// The name in URLs; also the file's extension.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Jsonl => "jsonl",
        }
    }

    /// The media type (RFC 7111, RFC 8259, and the convention for JSON Lines).
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Jsonl => "application/jsonl",
        }
    }
}

impl FromStr for ExportSubject {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "documents" => Ok(Self::Documents),
            "clusters" => Ok(Self::Clusters),
            "families" => Ok(Self::Families),
            "similarity" => Ok(Self::Similarity),
            other => Err(UnknownName::new("export", other)),
        }
    }
}

impl FromStr for ExportFormat {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            "jsonl" => Ok(Self::Jsonl),
            other => Err(UnknownName::new("export format", other)),
        }
    }
}

impl fmt::Display for ExportSubject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for ExportFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text cell of a CSV file that no spreadsheet runs as a formula: one that begins with `=`, `+`, `-`, `@`, TAB, CR or LF
/// gets an apostrophe in front (OWASP, "CSV Injection"). Columns of numbers do not go through it.
pub fn neutralise_cell(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_neutralised() {
        let check = |input: &str, expect: &str| assert_eq!(neutralise_cell(input), expect);
        check("=1+1", "'=1+1");
        check("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
        check("-2+3", "'-2+3");
        check("@SUM(A1)", "'@SUM(A1)");
        check("\tx", "'\tx");
        check("\rx", "'\rx");
        check("-0.25", "'-0.25");
        check("report.pdf", "report.pdf");
        check("", "");
    }
}
