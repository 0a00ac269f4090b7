//! Reads labelled examples: rows of an id and a label, the text being that of the record in the backlog; or of a text and a label.

use std::collections::HashMap;
use std::path::Path;

use sheaf_analysis::classification::{Example, Label};
use sheaf_domain::{Failure, FailureCode};

use super::fields::{Columns, find_label};
use super::record::Record;
use super::records::Records;
use super::results::disk;

/// Words in a row before it counts as a text of its own and not as a note beside an id.
const TEXT_NAMES: [&str; 4] = ["text", "query", "message", "utterance"];

/// Where the texts of examples are.
pub enum Source {
    Texts(Vec<String>),
    /// Under these ids in the backlog.
    Ids(Vec<String>),
}

/// The examples of a file. `backlog` is read once when ids have to be looked up; only the texts of examples are kept.
///
/// # Errors
/// `invalid_request` when the file cannot be understood, names a label that does not exist, or an id that is not in the backlog.
pub fn read(path: &Path, labels: &[Label], backlog: &Path, columns: &Columns) -> Result<Vec<Example>, Failure> {
    let (of, source) = understand(path, labels, Some(columns))?;
    let texts = match source {
        Source::Texts(texts) => texts,
        Source::Ids(ids) => look_up(ids, backlog, columns, &path.display().to_string())?,
    };
    Ok(of.into_iter().zip(texts).map(|(label, text)| Example { label, text }).collect())
}

/// The places of the examples' labels, and their texts or where these are.
///
/// # Errors
/// `invalid_request` when the file cannot be understood or names a label that does not exist.
pub fn understand(path: &Path, labels: &[Label], columns: Option<&Columns>) -> Result<(Vec<usize>, Source), Failure> {
    let shown = path.display().to_string();
    let rows = rows(path, &shown)?;
    let sample: Vec<&Record> = rows.iter().take(100).collect();
    let Some(label_field) = find_label(&sample).map(str::to_owned) else {
        return Err(invalid(format!("`{shown}` has no column `label`")));
    };
    let numbers: HashMap<&str, usize> = labels.iter().enumerate().map(|(i, l)| (l.name.as_str(), i)).collect();
    let mut of = Vec::with_capacity(rows.len());
    for row in &rows {
        let Some(name) = row.cell(&label_field) else {
            return Err(invalid(format!("`{shown}`: an example has no label")));
        };
        match numbers.get(name.trim()) {
            Some(label) => of.push(*label),
            None => {
                let message = format!("`{shown}`: label `{name}` is not one of the labels");
                return Err(invalid(message).with_hint("Add it to the file of labels, or correct it there or here."));
            }
        }
    }
    let has = |wanted: &str| sample.iter().any(|row| row.get(wanted).is_some());
    let own = columns.map(|columns| columns.text.as_str());
    if let Some(field) = TEXT_NAMES.into_iter().chain(own).find(|name| has(name)) {
        return Ok((of, Source::Texts(cells(&rows, field))));
    }
    let id = columns.and_then(|columns| columns.id.as_deref());
    let field = id.filter(|id| has(id)).or_else(|| has("id").then_some("id")).map(str::to_owned);
    let field = field
        .or_else(|| sample.first().and_then(|row| row.names().find(|name| *name != label_field)).map(str::to_owned));
    let Some(field) = field else {
        return Err(invalid(format!("`{shown}` has neither a column `id` nor a column `text`")));
    };
    Ok((of, Source::Ids(cells(&rows, &field))))
}

/// A column; empty where a row has none.
fn cells(rows: &[Record], field: &str) -> Vec<String> {
    rows.iter().map(|row| row.cell(field).unwrap_or_default().to_owned()).collect()
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::InvalidRequest, message)
        .with_hint("Give a file with columns `id` and `label`, ids being those of the backlog, or `text` and `label`.")
}

fn rows(path: &Path, shown: &str) -> Result<Vec<Record>, Failure> {
    let mut records = Records::open(path)?;
    let mut rows = Vec::new();
    while let Some((record, _)) = records.next().map_err(|error| disk(&error))? {
        rows.push(record.map_err(|error| invalid(format!("`{shown}`: {error}")))?);
    }
    Ok(rows)
}

/// The texts of the records with these ids.
fn look_up(ids: Vec<String>, backlog: &Path, columns: &Columns, shown: &str) -> Result<Vec<String>, Failure> {
    let mut found: HashMap<&str, Option<String>> = ids.iter().map(|id| (id.as_str(), None)).collect();
    let mut records = Records::open(backlog)?;
    let mut number = 0;
    while let Some((record, _)) = records.next().map_err(|error| disk(&error))? {
        number += 1;
        let Ok(record) = record else { continue };
        let id = columns.id(&record).unwrap_or_else(|| number_id(number));
        if let Some(text @ None) = found.get_mut(id.as_str()) {
            *text = Some(columns.text(&record).unwrap_or_default());
        }
    }
    ids.iter()
        .map(|id| match found.get(id.as_str()) {
            Some(Some(text)) => Ok(text.clone()),
            Some(None) | None => Err(invalid(format!("`{shown}`: there is no record `{id}` in the backlog"))),
        })
        .collect()
}

/// The id of a record without one: its place in the file, counted from 1.
pub fn number_id(number: u64) -> String {
    format!("record-{number}")
}
