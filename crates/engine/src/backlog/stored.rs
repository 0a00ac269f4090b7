//! A backlog that is in the database: labels become a flow, and everything comes out again as one file.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sheaf_analysis::classification::Label;
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::flow::{self, Action, Classify, FlowSpec, Step};
use sheaf_domain::{BatchId, ConfidenceLevel, DocumentId, Failure, FailureCode, ModelName, Status};
use sheaf_store::{BacklogRow, BacklogScope, Store};

use super::examples::{Source, understand};
use super::labels;
use super::results::{disk, partial};
use crate::Engine;
use crate::flows::NONE;

/// Rows that are read and written at a time.
const ROWS: u32 = 200;

/// The columns of a table before those of values.
const COLUMNS: [&str; 8] = ["id", "text", "label", "probability", "confidence", "status", "attempts", "error"];

/// What is said of a result whose text is not there any more.
const OUTDATED: &str = "the text of this record has changed since: the result is of the earlier one, which is gone";

/// The name of the step that gives labels.
const STEP: &str = "topic";

/// Labels from files, for a flow of one step.
#[derive(Clone, Debug)]
pub struct LabelsRequest {
    pub labels: PathBuf,
    pub examples: Option<PathBuf>,
    pub model: ModelName,
    pub none_below: f32,
    /// Where ids of examples are looked up; everywhere when there is none.
    pub batches: Vec<BatchId>,
}

impl Engine {
    /// A flow of one step that gives labels.
    ///
    /// # Errors
    /// `invalid_request` when a file cannot be understood, or an example's id is not in the backlog; `storage`.
    pub async fn flow_of_labels(&self, request: &LabelsRequest) -> Result<FlowSpec, Failure> {
        let mut labels = labels::read(&request.labels)?;
        if let Some(path) = &request.examples {
            let (of, source) = understand(path, &labels, None)?;
            let texts = match source {
                Source::Texts(texts) => texts,
                Source::Ids(ids) => self.texts_of(&request.batches, &ids, path).await?,
            };
            of.into_iter().zip(texts).for_each(|(label, text)| labels[label].examples.push(text));
        }
        let label = |Label { name, description, examples }| flow::Label {
            name,
            description: description.unwrap_or_default(),
            examples,
        };
        let classify = Classify {
            labels: labels.into_iter().map(label).collect(),
            threshold: (f64::from(request.none_below) * 1e6).round() / 1e6,
            model: request.model,
        };
        let name = request.labels.file_stem().unwrap_or_default().to_string_lossy();
        let step = Step { name: STEP.into(), instructions: String::new(), action: Action::Classify(classify) };
        Ok(FlowSpec { name: format!("Labels of {name}"), description: String::new(), steps: vec![step] })
    }

    async fn texts_of(&self, batches: &[BatchId], ids: &[String], file: &Path) -> Result<Vec<String>, Failure> {
        let found: HashMap<String, String> = self.store().record_texts(batches, ids).await?.into_iter().collect();
        let text = |id: &String| {
            let missing = || {
                let message = format!("`{}`: there is no record `{id}` in the backlog", file.display());
                Failure::new(FailureCode::InvalidRequest, message)
                    .with_hint("Import the backlog first, or give examples with columns `text` and `label`.")
            };
            found.get(id).cloned().ok_or_else(missing)
        };
        ids.iter().map(text).collect()
    }
}

/// A row as JSON.
#[derive(Serialize)]
struct Exported<'a> {
    id: &'a str,
    text: Option<&'a str>,
    label: Option<&'a str>,
    probability: Option<f64>,
    confidence: Option<&'static str>,
    status: Status,
    attempts: u32,
    error: Option<&'a str>,
    /// What a run found besides, by `step.field`.
    #[serde(skip_serializing_if = "Map::is_empty")]
    values: Map<String, Value>,
    /// The record as it was imported.
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<&'a RawValue>,
}

impl<'a> Exported<'a> {
    fn of(row: &'a BacklogRow) -> Self {
        let BacklogRow { document: _, path, record, text, failure, result, values } = row;
        let result = result.as_ref().map(|(_, result)| result);
        let label = values.iter().find(|value| value.field == "label" && value.probability.is_some());
        let probability = label.and_then(|label| label.probability);
        let of_label = |step: &str| label.is_some_and(|label| label.step == step);
        let mut others: Map<String, Value> = Map::new();
        for value in values.iter().filter(|value| !of_label(&value.step)) {
            let column =
                others.entry(format!("{}.{}", value.step, value.field)).or_insert_with(|| Value::Array(vec![]));
            if let Value::Array(list) = column {
                list.push(Value::from(value.value.as_str()));
            }
        }
        let failure =
            result.and_then(|result| result.failure.as_ref()).or(failure.as_ref().filter(|_| result.is_none()));
        let outdated = result.is_some_and(|result| result.outdated);
        Self {
            id: record.as_ref().map_or(path, |(id, _)| id),
            text: text.as_deref().filter(|_| !outdated),
            label: label.map(|label| label.value.as_str()).filter(|label| *label != NONE),
            probability: probability.map(|p| (f64::from(p) * 1e4).round() / 1e4),
            confidence: probability.map(|p| ConfidenceLevel::of(p).name()),
            status: match (result, failure) {
                (Some(result), _) => result.status,
                (None, Some(_)) => Status::Failed,
                (None, None) => Status::Pending,
            },
            attempts: result.map_or(0, |result| result.attempts),
            error: failure.map(|failure| failure.message.as_str()).or(outdated.then_some(OUTDATED)),
            values: others,
            record: record.as_ref().filter(|_| !outdated).and_then(|(_, fields)| serde_json::from_str(fields).ok()),
        }
    }

    fn cells(&self, more: &BTreeSet<String>) -> Vec<String> {
        let text = |text: Option<&str>| text.map(|text| neutralise_cell(text).into_owned()).unwrap_or_default();
        let value = |column: &String| {
            let list = self.values.get(column).and_then(Value::as_array);
            let joined = list.into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
            neutralise_cell(&joined).into_owned()
        };
        let own = [
            text(Some(self.id)),
            text(self.text),
            text(self.label),
            self.probability.map(|p| p.to_string()).unwrap_or_default(),
            self.confidence.unwrap_or_default().to_owned(),
            self.status.to_string(),
            self.attempts.to_string(),
            text(self.error),
        ];
        own.into_iter().chain(more.iter().map(value)).collect()
    }
}

/// The kinds of file.
enum Kind {
    Csv,
    Lines,
    Array,
}

impl Kind {
    fn of(file: &Path) -> Result<Self, Failure> {
        let suffix = file.extension().map(|suffix| suffix.to_ascii_lowercase().to_string_lossy().into_owned());
        match suffix.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::Lines),
            Some("json") => Ok(Self::Array),
            Some(_) | None => Err(Failure::new(
                FailureCode::InvalidRequest,
                format!("`{}` is no kind of file that can be written", file.display()),
            )
            .with_hint("Give a name that ends in .csv, .jsonl or .json.")),
        }
    }
}

/// Writes a part of the backlog with what the latest run made of it, in the order in which it came; complete when it has its
/// name. `written` hears how many rows there are. Memory does not grow with the backlog. Gives the number of rows.
///
/// # Errors
/// `invalid_request` for another suffix, `storage`.
pub async fn export(
    store: &dyn Store,
    scope: BacklogScope<'_>,
    out: &Path,
    mut written: impl FnMut(u64),
) -> Result<u64, Failure> {
    let kind = Kind::of(out)?;
    let more = match kind {
        Kind::Csv => value_columns(store, scope).await?,
        Kind::Lines | Kind::Array => BTreeSet::new(),
    };
    let file = partial(out);
    let mut writer = BufWriter::new(File::create(&file).map_err(|error| disk(&error))?);
    let mut head = Vec::new();
    match kind {
        Kind::Csv => {
            let names = COLUMNS.into_iter().map(str::to_owned).chain(more.iter().cloned());
            line(&mut head, &names.collect::<Vec<_>>()).map_err(|error| disk(&error))?;
        }
        Kind::Lines => {}
        Kind::Array => head.extend_from_slice(b"[\n"),
    }
    writer.write_all(&head).map_err(|error| disk(&error))?;
    let (mut rows, mut after) = (0, None::<DocumentId>);
    loop {
        let page = store.backlog_rows(scope, after, ROWS).await?;
        let mut bytes = Vec::new();
        for row in &page {
            write_row(&mut bytes, &kind, row, &more, rows == 0).map_err(|error| disk(&error))?;
            rows += 1;
        }
        writer.write_all(&bytes).map_err(|error| disk(&error))?;
        written(rows);
        match page.last() {
            Some(last) => after = Some(last.document),
            None => break,
        }
    }
    let end = || {
        if matches!(kind, Kind::Array) {
            writer.write_all(b"\n]\n")?;
        }
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&file, out)
    };
    end().map_err(|error| disk(&error))?;
    Ok(rows)
}

/// The columns of values that there are anywhere.
async fn value_columns(store: &dyn Store, scope: BacklogScope<'_>) -> Result<BTreeSet<String>, Failure> {
    let (mut columns, mut after) = (BTreeSet::new(), None::<DocumentId>);
    loop {
        let page = store.backlog_rows(scope, after, ROWS).await?;
        for row in &page {
            columns.extend(Exported::of(row).values.into_iter().map(|(column, _)| column));
        }
        match page.last() {
            Some(last) => after = Some(last.document),
            None => return Ok(columns),
        }
    }
}

fn write_row(
    bytes: &mut Vec<u8>,
    kind: &Kind,
    row: &BacklogRow,
    more: &BTreeSet<String>,
    first: bool,
) -> io::Result<()> {
    let row = Exported::of(row);
    match kind {
        Kind::Csv => return line(bytes, &row.cells(more)),
        Kind::Lines => {
            serde_json::to_writer(&mut *bytes, &row)?;
            bytes.push(b'\n');
        }
        Kind::Array => {
            bytes.extend_from_slice(if first { b"" } else { b",\n" });
            serde_json::to_writer(&mut *bytes, &row)?;
        }
    }
    Ok(())
}

fn line(bytes: &mut Vec<u8>, cells: &[String]) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(bytes);
    writer.write_record(cells)?;
    writer.flush()
}

#[cfg(test)]
mod tests {
    use sheaf_domain::RunId;
    use sheaf_domain::flow::RunDocument;
    use sheaf_store::BacklogValue;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_result_of_another_text_does_not_stand_beside_this_one() {
        let result = RunDocument { outdated: true, ..done() };
        let row = BacklogRow { result: Some((RunId(Uuid::nil()), result)), ..row() };
        let exported = Exported::of(&row);
        assert_eq!((exported.text, exported.error), (None, Some(OUTDATED)));
        assert!(exported.record.is_none() && exported.label == Some("refund"));
        let row = BacklogRow { result: Some((RunId(Uuid::nil()), done())), ..row };
        let exported = Exported::of(&row);
        assert!(exported.record.is_some() && exported.error.is_none() && exported.text.is_some());
    }

    fn done() -> RunDocument {
        RunDocument {
            document: DocumentId(Uuid::nil()),
            batch: BatchId(Uuid::nil()),
            path: "7".into(),
            status: Status::Completed,
            values: 4,
            left_out: false,
            attempts: 1,
            tokens: 0,
            failure: None,
            outdated: false,
            deleted: false,
        }
    }

    #[test]
    fn a_record_comes_out_as_it_was_and_its_cells_are_harmless() {
        let row = row();
        let more = BTreeSet::from(["days.value".to_owned()]);
        let mut bytes = Vec::new();
        write_row(&mut bytes, &Kind::Csv, &row, &more, true).expect("written");
        let csv = String::from_utf8(bytes).expect("text");
        assert_eq!(csv, "'=7,'=HYPERLINK(),refund,0.9123,high,pending,0,,May; June\n");
        let mut bytes = Vec::new();
        write_row(&mut bytes, &Kind::Lines, &row, &more, true).expect("written");
        let json = String::from_utf8(bytes).expect("text");
        assert!(json.ends_with("\"values\":{\"days.value\":[\"May\",\"June\"]},\"record\":{\"id\":\"=7\",\"n\":1.50,\"t\":\"=HYPERLINK()\"}}\n"), "{json}");
    }

    fn row() -> BacklogRow {
        let value = |step: &str, field: &str, value: &str, probability| BacklogValue {
            step: step.into(),
            field: field.into(),
            value: value.into(),
            probability,
        };
        BacklogRow {
            document: DocumentId(Uuid::nil()),
            path: "7".into(),
            record: Some(("=7".into(), r#"{"id":"=7","n":1.50,"t":"=HYPERLINK()"}"#.into())),
            text: Some("=HYPERLINK()".into()),
            failure: None,
            result: None,
            values: vec![
                value("topic", "label", "refund", Some(0.912_345)),
                value("topic", "probability", "0.9123", Some(0.912_345)),
                value("days", "value", "May", None),
                value("days", "value", "June", None),
            ],
        }
    }
}
