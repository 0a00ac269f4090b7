//! The table that a flow's result is: which values stand in one row, and how rows are written.

use std::collections::BTreeMap;

use sheaf_domain::Failure;
use sheaf_domain::export::neutralise_cell;
use sheaf_domain::flow::{
    Action, ChosenColumn, ColumnName, DOCUMENT, FileFormat, FlowSpec, Format, Multiplicity, Review, RunValue,
};

use crate::internal;

/// How a flow's values become rows.
///
/// The rows of a document are those of the last step among the chosen columns that gives many; what has one value is
/// repeated in each row, and what another step found many times stands in one cell, separated by `; `. A document without
/// such rows has a single one. A row of which every value was rejected is left out.
pub struct Table {
    format: Format,
    columns: Vec<(ChosenColumn, ColumnName)>,
    /// The step whose rows count, through which each step's rows go.
    roots: BTreeMap<String, String>,
    main: Option<String>,
}

/// What is known of a document beside its values.
pub struct Subject {
    pub fields: BTreeMap<&'static str, String>,
}

/// Cells in the order of [`Table::headings`].
pub type Cells = Vec<String>;

impl Table {
    pub fn new(spec: &FlowSpec) -> Self {
        let format = spec.format();
        let known = spec.columns();
        let mut roots = BTreeMap::new();
        for step in &spec.steps {
            let root = match &step.action {
                Action::Resolve(resolve) => {
                    let source = resolve.column.split('.').next().unwrap_or_default();
                    roots.get(source).cloned().unwrap_or_else(|| step.name.clone())
                }
                Action::Select(_)
                | Action::Find(_)
                | Action::Classify(_)
                | Action::Ask(_)
                | Action::Keywords(_)
                | Action::Summary(_)
                | Action::Format(_) => step.name.clone(),
            };
            roots.insert(step.name.clone(), root);
        }
        let columns: Vec<(ChosenColumn, ColumnName)> =
            format.columns.iter().filter_map(|column| Some((column.clone(), column.from.parse().ok()?))).collect();
        let mut many = known.iter().filter(|column| column.multiplicity == Multiplicity::Many);
        let main = many.rfind(|column| columns.iter().any(|(_, chosen)| *chosen == column.name));
        let main = main.and_then(|column| roots.get(&column.name.step).cloned());
        Self { format, columns, roots, main }
    }

    /// Written as another kind of file.
    pub fn in_file(mut self, file: Option<FileFormat>) -> Self {
        self.format.file = file.unwrap_or(self.format.file);
        self
    }

    pub const fn file(&self) -> FileFormat {
        self.format.file
    }

    pub const fn each_document(&self) -> bool {
        self.format.each_document
    }

    /// What stands above the columns.
    pub fn headings(&self) -> Cells {
        let chosen = self.columns.iter().map(|(column, _)| column.heading().to_owned());
        let proof = ["page", "quote", "verified", "review"].into_iter().filter(|_| self.format.proof);
        chosen.chain(proof.map(str::to_owned)).collect()
    }

    /// The rows of one document, whose values are given in their order.
    pub fn rows(&self, subject: &Subject, values: &[RunValue]) -> Vec<Cells> {
        let mut by_row: BTreeMap<u32, Vec<&RunValue>> = BTreeMap::new();
        for value in values.iter().filter(|value| self.main.is_some() && self.root(value) == self.main.as_deref()) {
            by_row.entry(value.found.row).or_default().push(value);
        }
        if by_row.is_empty() {
            by_row.insert(0, Vec::new());
        }
        let rejected =
            |row: &Vec<&RunValue>| !row.is_empty() && row.iter().all(|value| value.review == Review::Rejected);
        by_row.retain(|_, row| !rejected(row));
        by_row.values().map(|row| self.cells(subject, row, values)).collect()
    }

    fn root(&self, value: &RunValue) -> Option<&str> {
        self.roots.get(&value.found.step).map(String::as_str)
    }

    fn cells(&self, subject: &Subject, row: &[&RunValue], values: &[RunValue]) -> Cells {
        let is = |value: &RunValue, column: &ColumnName| {
            value.found.step == column.step && value.found.field == column.field
        };
        let cell = |column: &ColumnName| {
            if column.step == DOCUMENT {
                return subject.fields.get(column.field.as_str()).cloned().unwrap_or_default();
            }
            if self.roots.get(&column.step) == self.main.as_ref() {
                return row
                    .iter()
                    .find(|value| is(value, column))
                    .map_or_else(String::new, |v| v.effective().to_owned());
            }
            let mut all: Vec<&str> = Vec::new();
            for value in values.iter().filter(|value| is(value, column)) {
                let value = value.effective();
                if !value.is_empty() && !all.contains(&value) {
                    all.push(value);
                }
            }
            all.join("; ")
        };
        let mut cells: Cells = self.columns.iter().map(|(_, column)| cell(column)).collect();
        if self.format.proof {
            let chosen = |value: &&RunValue| self.columns.iter().any(|(_, column)| is(value, column));
            let of_row = row.iter().copied().find(|value| value.found.quote.is_some());
            let proof = of_row.or_else(|| values.iter().filter(chosen).find(|value| value.found.quote.is_some()));
            let found = proof.map(|value| &value.found);
            let review = row.first().copied().or_else(|| values.iter().find(chosen)).map_or(Review::None, |v| v.review);
            let number = |number: Option<u32>| number.map(|number| number.to_string()).unwrap_or_default();
            cells.push(number(found.and_then(|found| found.page)));
            cells.push(found.and_then(|found| found.quote.clone()).unwrap_or_default());
            cells.push(found.and_then(|found| found.verified).map(|yes| yes.to_string()).unwrap_or_default());
            cells.push(review.name().to_owned());
        }
        cells
    }
}

/// Writes rows into a buffer that its owner empties.
pub struct TableWriter<'a> {
    table: &'a Table,
    buffer: Vec<u8>,
    written: u64,
}

impl<'a> TableWriter<'a> {
    /// # Errors
    /// `internal`, which does not happen.
    pub fn new(table: &'a Table) -> Result<Self, Failure> {
        let mut writer = Self { table, buffer: Vec::new(), written: 0 };
        match table.file() {
            FileFormat::Csv | FileFormat::Tsv => writer.delimited(&table.headings())?,
            FileFormat::Json => writer.buffer.extend_from_slice(b"["),
        }
        Ok(writer)
    }

    /// # Errors
    /// `internal`, which does not happen.
    pub fn write(&mut self, cells: &Cells) -> Result<(), Failure> {
        match self.table.file() {
            FileFormat::Csv | FileFormat::Tsv => self.delimited(cells)?,
            FileFormat::Json => {
                self.buffer.extend_from_slice(if self.written == 0 { b"\n" } else { b",\n" });
                let headings = self.table.headings();
                let object: serde_json::Map<String, serde_json::Value> =
                    headings.into_iter().zip(cells.iter().map(|cell| cell.as_str().into())).collect();
                serde_json::to_writer(&mut self.buffer, &object).map_err(internal)?;
            }
        }
        self.written += 1;
        Ok(())
    }

    /// A line whose cells no spreadsheet takes for formulas.
    fn delimited(&mut self, cells: &Cells) -> Result<(), Failure> {
        let delimiter = if self.table.file() == FileFormat::Tsv { b'\t' } else { b',' };
        let mut line = csv::WriterBuilder::new().delimiter(delimiter).from_writer(&mut self.buffer);
        line.write_record(cells.iter().map(|cell| neutralise_cell(cell).into_owned())).map_err(internal)?;
        line.flush().map_err(internal)
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.buffer)
    }

    /// The end of the file.
    pub fn finish(mut self) -> Vec<u8> {
        if self.table.file() == FileFormat::Json {
            self.buffer.extend_from_slice(b"\n]\n");
        }
        self.buffer
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::flow::{Find, FoundValue, Keywords, Step, What};
    use sheaf_domain::{BatchId, DocumentId};
    use uuid::Uuid;

    use super::*;

    fn value(step: &str, field: &str, row: u32, text: &str, review: Review) -> RunValue {
        let quote = (step != "words").then(|| format!("quote of {text}"));
        let found = FoundValue {
            step: step.into(),
            field: field.into(),
            row,
            value: text.into(),
            page: quote.as_ref().map(|_| 3),
            verified: quote.as_ref().map(|_| true),
            quote,
            ..FoundValue::default()
        };
        RunValue {
            document: DocumentId(Uuid::nil()),
            batch: BatchId(Uuid::nil()),
            path: "a.txt".into(),
            number: 0,
            found,
            corrected: (review == Review::Corrected).then(|| "=corrected".into()),
            review,
            stands: true,
        }
    }

    fn spec(file: FileFormat) -> FlowSpec {
        let step = |name: &str, action| Step { name: name.into(), instructions: String::new(), action };
        let column = |from: &str, name: &str| ChosenColumn { from: from.into(), name: name.into() };
        let columns =
            vec![column("document.path", "file"), column("money.amount", "amount"), column("words.keyword", "words")];
        let steps = vec![
            step("words", Action::Keywords(Keywords { count: 2 })),
            step("money", Action::Find(Find { what: What::Money, ..Find::default() })),
            step("out", Action::Format(Format { file, columns, proof: true, each_document: true })),
        ];
        FlowSpec { name: "n".into(), description: String::new(), steps }
    }

    fn written(file: FileFormat, values: &[RunValue]) -> String {
        let table = Table::new(&spec(file));
        let subject = Subject { fields: [("path", "a.txt".to_owned())].into() };
        let mut writer = TableWriter::new(&table).expect("begun");
        for row in table.rows(&subject, values) {
            writer.write(&row).expect("written");
        }
        String::from_utf8(writer.finish()).expect("text")
    }

    #[test]
    fn rows_follow_the_last_step_of_many_and_reviews_count() {
        let values = [
            value("words", "keyword", 0, "x", Review::None),
            value("words", "keyword", 1, "y", Review::None),
            value("money", "amount", 0, "12", Review::None),
            value("money", "amount", 1, "13", Review::Corrected),
            value("money", "amount", 2, "14", Review::Rejected),
        ];
        let csv = written(FileFormat::Csv, &values);
        let expect = "file,amount,words,page,quote,verified,review\na.txt,12,x; y,3,quote of 12,true,none\n\
                      a.txt,'=corrected,x; y,3,quote of 13,true,corrected\n";
        assert_eq!(csv, expect);
        assert_eq!(
            written(FileFormat::Tsv, &[]),
            "file\tamount\twords\tpage\tquote\tverified\treview\na.txt\t\t\t\t\t\tnone\n"
        );
        let json: serde_json::Value = serde_json::from_str(&written(FileFormat::Json, &values)).expect("JSON");
        assert_eq!((json.as_array().map(Vec::len), json[1]["amount"].as_str()), (Some(2), Some("=corrected")));
    }
}
