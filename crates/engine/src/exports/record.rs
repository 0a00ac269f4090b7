//! The one row type of every documents export, of the server and of the command line; and how it is written.

use serde::Serialize;
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{ClusterId, DocumentKind, DocumentRow, ExportFormat, Failure, FailureCode, Status};

use crate::internal;

/// The columns of a CSV file of documents, in order.
const COLUMNS: [&str; 13] = [
    "id",
    "path",
    "sha256",
    "kind",
    "pages",
    "words",
    "language",
    "status",
    "cluster",
    "probability",
    "outlier",
    "error_code",
    "error_message",
];

/// One document. In JSON what is not known is `null`; in CSV it is empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DocumentRecord {
    pub id: String,
    pub path: String,
    /// Lower-case hex SHA-256 of the bytes; `null` for a file that could not be stored.
    pub sha256: Option<String>,
    pub kind: Option<DocumentKind>,
    pub pages: Option<u32>,
    pub words: Option<u64>,
    /// ISO 639-3.
    pub language: Option<String>,
    pub status: Status,
    pub cluster: Option<ClusterId>,
    /// Membership probability, 0 to 1.
    pub probability: Option<f32>,
    /// Whether it was clustered and fits nowhere; `null` when it was not clustered.
    pub outlier: Option<bool>,
    pub error_code: Option<FailureCode>,
    pub error_message: Option<String>,
}

impl From<DocumentRow> for DocumentRecord {
    fn from(row: DocumentRow) -> Self {
        let (error_code, error_message) = row.failure.map(|f| (f.code, f.message)).unzip();
        Self {
            id: row.id.to_string(),
            path: row.path,
            sha256: Some(row.sha256).filter(|sha256| !sha256.is_empty()),
            kind: row.kind,
            pages: row.pages,
            words: row.words,
            language: row.language,
            status: row.status,
            cluster: row.cluster,
            probability: row.probability,
            outlier: row.probability.map(|_| row.outlier),
            error_code,
            error_message,
        }
    }
}

/// Writes records in one format into a buffer that its owner empties.
pub struct RecordWriter {
    format: ExportFormat,
    buffer: Vec<u8>,
    written: u64,
}

impl RecordWriter {
    /// Nothing written yet.
    pub fn new(format: ExportFormat) -> Self {
        Self { format, buffer: Vec::new(), written: 0 }
    }

    /// Adds a record.
    ///
    /// # Errors
    /// `internal` when it cannot be serialised, which does not happen.
    pub fn write(&mut self, record: &DocumentRecord) -> Result<(), Failure> {
        match self.format {
            ExportFormat::Csv => {
                if self.written == 0 {
                    write_csv(&mut self.buffer, COLUMNS.iter().map(|c| (*c).into()))?;
                }
                write_csv(&mut self.buffer, record.cells().into_iter())?;
            }
            ExportFormat::Json => {
                self.buffer.extend_from_slice(if self.written == 0 { b"[\n" } else { b",\n" });
                serde_json::to_writer(&mut self.buffer, record).map_err(internal)?;
            }
            ExportFormat::Jsonl => {
                serde_json::to_writer(&mut self.buffer, record).map_err(internal)?;
                self.buffer.push(b'\n');
            }
        }
        self.written += 1;
        Ok(())
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// The end of the file, valid also when it holds no record.
    pub fn finish(mut self) -> Vec<u8> {
        match self.format {
            ExportFormat::Csv if self.written == 0 => {
                // Writing to memory does not fail, and the column names are plain.
                let _ = write_csv(&mut self.buffer, COLUMNS.iter().map(|c| (*c).into()));
            }
            ExportFormat::Json => self.buffer.extend_from_slice(if self.written == 0 { b"[]\n" } else { b"\n]\n" }),
            ExportFormat::Csv | ExportFormat::Jsonl => {}
        }
        self.buffer
    }
}

impl DocumentRecord {
    /// Cells in the order of [`COLUMNS`]; text is neutralised, numbers stay numbers.
    fn cells(&self) -> [String; 13] {
        let text = |value: &str| neutralise_cell(value).into_owned();
        fn plain(value: Option<impl ToString>) -> String {
            value.map(|v| v.to_string()).unwrap_or_default()
        }
        [
            text(&self.id),
            text(&self.path),
            plain(self.sha256.as_deref()),
            plain(self.kind),
            plain(self.pages),
            plain(self.words),
            plain(self.language.as_deref()),
            self.status.to_string(),
            plain(self.cluster),
            self.probability.map(|p| format!("{p:.4}")).unwrap_or_default(),
            plain(self.outlier),
            plain(self.error_code),
            self.error_message.as_deref().map(text).unwrap_or_default(),
        ]
    }
}

/// How a line of CSV ends.
pub const LINE_END: &[u8] = b"\r\n";

/// One line of CSV (RFC 4180).
pub fn write_csv(buffer: &mut Vec<u8>, cells: impl Iterator<Item = String>) -> Result<(), Failure> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(buffer);
    writer.write_record(cells).map_err(internal)?;
    writer.flush().map_err(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(path: &str) -> DocumentRecord {
        DocumentRecord {
            id: "1".into(),
            path: path.into(),
            sha256: None,
            kind: Some(DocumentKind::Pdf),
            pages: Some(3),
            words: None,
            language: None,
            status: Status::Completed,
            cluster: Some(ClusterId(2)),
            probability: Some(0.123_456),
            outlier: Some(false),
            error_code: None,
            error_message: None,
        }
    }

    fn written(format: ExportFormat, records: &[DocumentRecord]) -> String {
        let mut writer = RecordWriter::new(format);
        for record in records {
            writer.write(record).expect("written");
        }
        let mut bytes = writer.take();
        bytes.extend(writer.finish());
        String::from_utf8(bytes).expect("UTF-8")
    }

    #[test]
    fn csv_quotes_and_neutralises() {
        let text = written(ExportFormat::Csv, &[record("=HYPERLINK(\"x\"),y")]);
        let mut lines = text.split("\r\n");
        assert_eq!(lines.next(), Some(COLUMNS.join(",").as_str()));
        let row = "1,\"'=HYPERLINK(\"\"x\"\"),y\",,pdf,3,,,completed,2,0.1235,false,,";
        assert_eq!(lines.next(), Some(row));
    }

    #[test]
    fn json_is_whole_with_any_number_of_records() {
        for count in 0..3 {
            let records = vec![record("a\n\"b\""); count];
            let text = written(ExportFormat::Json, &records);
            let parsed: Vec<serde_json::Value> = serde_json::from_str(&text).expect("valid JSON");
            assert_eq!(parsed.len(), count);
            assert!(parsed.iter().all(|r| r["path"] == "a\n\"b\"" && r["words"].is_null()));
            let lines = written(ExportFormat::Jsonl, &records);
            assert_eq!(lines.lines().count(), count);
        }
    }
}
