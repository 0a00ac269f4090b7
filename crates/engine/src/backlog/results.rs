//! Writes the two files of results, one row for each record, complete when they have their names.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::{Failure, FailureCode, Status};

/// The columns of `results.csv`, in order.
const COLUMNS: [&str; 7] = ["id", "label", "probability", "confidence", "status", "attempts", "error"];

/// What became of a record. What is not known is `null` in JSON and empty in CSV.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub id: String,
    /// `null` also for a completed record that is about none of the labels.
    pub label: Option<String>,
    /// Of the likeliest label, 0 to 1.
    pub probability: Option<f64>,
    pub confidence: Option<&'static str>,
    pub status: Status,
    pub attempts: u32,
    pub error: Option<String>,
}

/// Both files, under their temporary names.
pub struct Results {
    csv: (csv::Writer<BufWriter<File>>, PathBuf),
    jsonl: (BufWriter<File>, PathBuf),
}

impl Results {
    /// Makes the folder and begins the files.
    ///
    /// # Errors
    /// `storage` when they cannot be written.
    pub fn create(folder: &Path) -> Result<Self, Failure> {
        let begin = || {
            fs::create_dir_all(folder)?;
            let open = |name: &str| Ok::<_, io::Error>(BufWriter::new(File::create(partial(&folder.join(name)))?));
            let mut csv = csv::Writer::from_writer(open("results.csv")?);
            csv.write_record(COLUMNS)?;
            Ok::<_, io::Error>(Self {
                csv: (csv, folder.join("results.csv")),
                jsonl: (open("results.jsonl")?, folder.join("results.jsonl")),
            })
        };
        begin().map_err(|error| disk(&error))
    }

    /// Adds a row to both.
    ///
    /// # Errors
    /// `storage` when the disk fails.
    pub fn write(&mut self, row: &Row) -> Result<(), Failure> {
        let Row { id, label, probability, confidence, status, attempts, error } = row;
        let text = |value: &str| neutralise_cell(value).into_owned();
        let mut write = || {
            self.csv.0.write_record([
                text(id),
                label.as_deref().map(text).unwrap_or_default(),
                probability.map(|p| p.to_string()).unwrap_or_default(),
                confidence.unwrap_or_default().to_owned(),
                status.to_string(),
                attempts.to_string(),
                error.as_deref().map(text).unwrap_or_default(),
            ])?;
            serde_json::to_writer(&mut self.jsonl.0, row)?;
            self.jsonl.0.write_all(b"\n")
        };
        write().map_err(|error| disk(&error))
    }

    /// Completes the files.
    ///
    /// # Errors
    /// `storage` when the disk fails.
    pub fn finish(self) -> Result<(), Failure> {
        let Self { csv: (csv, csv_path), jsonl: (jsonl, jsonl_path) } = self;
        let finish = || {
            let csv = csv.into_inner().map_err(csv::IntoInnerError::into_error)?;
            for (writer, path) in [(csv, csv_path), (jsonl, jsonl_path)] {
                let file = writer.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.sync_all()?;
                fs::rename(partial(&path), &path)?;
            }
            Ok::<_, io::Error>(())
        };
        finish().map_err(|error| disk(&error))
    }
}

pub fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}

/// A disk that does not do what it should.
pub fn disk(error: &io::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("reading or writing failed: {error}"))
        .with_hint("Look at the permissions of the folder and the room on the disk.")
}
