//! Results of runs as downloads: one file, one document's, or all as a ZIP. They are read a page at a time and leave as they
//! are written, so that memory stays constant.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};

use bytes::Bytes;
use futures::Stream;
use futures::stream;
use sheaf_domain::flow::{FileFormat, RunDocument, RunDocumentQuery, RunValue, ValueQuery};
use sheaf_domain::{DocumentId, Failure, RunId, Status};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;

use super::table::{Subject, Table, TableWriter};
use crate::exports::file_stem;
use crate::{Engine, internal};

/// Bytes that are collected before they leave.
const CHUNK: usize = 64 << 10;

/// What of a run is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// One file with all rows.
    Whole,
    /// One file with the rows of one document.
    Document(DocumentId),
    /// A ZIP of all files.
    Zip,
}

/// A download of a run.
pub struct RunExport {
    /// Safe as a file name everywhere.
    pub file_name: String,
    pub media_type: &'static str,
    body: mpsc::Receiver<Result<Bytes, Failure>>,
}

impl RunExport {
    /// The bytes; a failure in the middle cuts the download off, so that it does not look complete.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes, Failure>> + Send + 'static {
        stream::unfold(self.body, |mut body| async move { body.recv().await.map(|chunk| (chunk, body)) })
    }
}

impl Engine {
    /// Starts a download of a run's results, as its flow formats them, or as another kind of file.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn export_run(&self, run: RunId, wanted: Wanted, file: Option<FileFormat>) -> Result<RunExport, Failure> {
        let found = self.run(run).await?;
        let flow = self.flow(found.flow, Some(found.version)).await?;
        if let Wanted::Document(document) = wanted {
            self.run_document(run, document).await?;
        }
        let table = Table::new(&flow.spec).in_file(file);
        let (suffix, media_type) = match (wanted, table.file()) {
            (Wanted::Zip, _) => ("zip", "application/zip"),
            (_, FileFormat::Csv) => ("csv", "text/csv; charset=utf-8"),
            (_, FileFormat::Tsv) => ("tsv", "text/tab-separated-values; charset=utf-8"),
            (_, FileFormat::Json) => ("json", "application/json"),
        };
        let stem = file_stem(&found.name);
        let (sink, body) = mpsc::channel(4);
        let writing = Writing { engine: self.clone(), run, table, handle: Handle::current() };
        let folder = stem.clone();
        tokio::task::spawn_blocking(move || {
            let out = Out { sink: sink.clone(), buffer: Vec::new() };
            let done = match wanted {
                Wanted::Whole => writing.whole(out),
                Wanted::Document(document) => writing.one(out, document),
                Wanted::Zip => writing.zip(out, &folder),
            };
            if let Err(failure) = done {
                // Nobody may listen any more.
                let _ = sink.blocking_send(Err(failure));
            }
        });
        Ok(RunExport { file_name: format!("{stem}.{suffix}"), media_type, body })
    }
}

/// Rows of a result that a page shows.
const ROWS: usize = 100;

/// A place in the rows of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowPlace {
    /// Documents that are passed over.
    pub documents: u32,
    /// Rows of the next one that are passed over.
    pub rows: u32,
}

/// A part of a result, row by row as the files have it.
#[derive(Clone, Debug)]
pub struct ResultPage {
    pub columns: Vec<String>,
    /// Each with the document that it is from.
    pub rows: Vec<(DocumentId, Vec<String>)>,
    /// Where the next part begins, if there is one.
    pub next: Option<RowPlace>,
}

impl Engine {
    /// A hundred rows of a run's result.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn result_rows(&self, run: RunId, from: RowPlace) -> Result<ResultPage, Failure> {
        let found = self.run(run).await?;
        let table = Table::new(&self.flow(found.flow, Some(found.version)).await?.spec);
        let mut result = ResultPage { columns: table.headings(), rows: Vec::new(), next: None };
        let mut at = from;
        loop {
            let (status, limit) = (Some(Status::Completed), 20);
            let query = RunDocumentQuery { status, limit, offset: at.documents, ..RunDocumentQuery::default() };
            let page = self.store().run_documents(run, &query).await?;
            for document in &page.items {
                let rows = match document.left_out {
                    true => Vec::new(),
                    false => {
                        table.rows(&self.subject(document).await?, &self.all_values(run, document.document).await?)
                    }
                };
                let room = ROWS - result.rows.len();
                let left = rows.len().saturating_sub(at.rows as usize);
                let shown = rows.into_iter().skip(at.rows as usize).take(room);
                result.rows.extend(shown.map(|row| (document.document, row)));
                at = match left > room {
                    true => RowPlace { rows: at.rows + u32::try_from(room).unwrap_or(u32::MAX), ..at },
                    false => RowPlace { documents: at.documents + 1, rows: 0 },
                };
                let is_last = u64::from(at.documents) >= page.total;
                if result.rows.len() == ROWS || is_last {
                    result.next = (!is_last).then_some(at);
                    return Ok(result);
                }
            }
            if page.items.is_empty() {
                return Ok(result);
            }
        }
    }

    /// Every value of a document.
    async fn all_values(&self, run: RunId, document: DocumentId) -> Result<Vec<RunValue>, Failure> {
        let mut query = ValueQuery { document: Some(document), limit: 1000, ..ValueQuery::default() };
        let mut values = Vec::new();
        loop {
            let page = self.store().run_values(run, &query).await?;
            values.extend(page.items);
            if page.next_cursor.is_none() {
                return Ok(values);
            }
            query.cursor = page.next_cursor;
        }
    }

    /// What columns of the document itself hold. What only its batch knew is empty when that was deleted.
    async fn subject(&self, document: &RunDocument) -> Result<Subject, Failure> {
        let mut fields = BTreeMap::from([("path", document.path.clone()), ("id", document.document.to_string())]);
        let found = self.store().document(document.batch, document.document).await?;
        if let Some((_, row)) = found {
            fields.insert("kind", row.kind.map(|kind| kind.to_string()).unwrap_or_default());
            fields.insert("language", row.language.unwrap_or_default());
            fields.insert("pages", row.pages.map(|pages| pages.to_string()).unwrap_or_default());
        }
        Ok(Subject { fields })
    }
}

/// Collects bytes and sends them on.
struct Out {
    sink: mpsc::Sender<Result<Bytes, Failure>>,
    buffer: Vec<u8>,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::take(&mut self.buffer);
        self.sink.blocking_send(Ok(chunk.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

struct Writing {
    engine: Engine,
    run: RunId,
    table: Table,
    handle: Handle,
}

impl Writing {
    fn whole(&self, mut out: Out) -> Result<(), Failure> {
        self.rows_of_all(&mut out)?;
        out.flush().map_err(internal)
    }

    fn one(&self, mut out: Out, document: DocumentId) -> Result<(), Failure> {
        let document = self.handle.block_on(self.engine.run_document(self.run, document))?;
        self.rows_of(&mut out, &document)?;
        out.flush().map_err(internal)
    }

    fn zip(&self, out: Out, folder: &str) -> Result<(), Failure> {
        let mut zip = zip::ZipWriter::new_stream(out);
        let options = SimpleFileOptions::default();
        let suffix = self.table.file().name();
        zip.start_file(format!("{folder}/all.{suffix}"), options).map_err(internal)?;
        self.rows_of_all(&mut zip)?;
        if self.table.each_document() {
            let mut names = HashSet::new();
            self.each_document(|document| {
                let name = unique(&mut names, &plain_path(&document.path));
                zip.start_file(format!("{folder}/documents/{name}.{suffix}"), options).map_err(internal)?;
                self.rows_of(&mut zip, document)
            })?;
        }
        let mut out = zip.finish().map_err(internal)?.into_inner();
        out.flush().map_err(internal)
    }

    fn rows_of_all(&self, out: &mut impl Write) -> Result<(), Failure> {
        let mut writer = TableWriter::new(&self.table)?;
        self.each_document(|document| {
            self.add(&mut writer, document)?;
            out.write_all(&writer.take()).map_err(internal)
        })?;
        out.write_all(&writer.finish()).map_err(internal)
    }

    fn rows_of(&self, out: &mut impl Write, document: &RunDocument) -> Result<(), Failure> {
        let mut writer = TableWriter::new(&self.table)?;
        self.add(&mut writer, document)?;
        out.write_all(&writer.finish()).map_err(internal)
    }

    fn add(&self, writer: &mut TableWriter<'_>, document: &RunDocument) -> Result<(), Failure> {
        let values = self.handle.block_on(self.engine.all_values(self.run, document.document))?;
        let subject = self.handle.block_on(self.engine.subject(document))?;
        for row in self.table.rows(&subject, &values) {
            writer.write(&row)?;
        }
        Ok(())
    }

    /// Every document that was completed and not left out, in order.
    fn each_document(&self, mut of: impl FnMut(&RunDocument) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut query = RunDocumentQuery { status: Some(Status::Completed), limit: 500, ..RunDocumentQuery::default() };
        loop {
            let page = self.handle.block_on(self.engine.store().run_documents(self.run, &query))?;
            for document in page.items.iter().filter(|document| !document.left_out) {
                of(document)?;
            }
            let Some(next) = page.next_cursor.and_then(|cursor| cursor.parse().ok()) else { return Ok(()) };
            query.offset = next;
        }
    }
}

/// A path that stays inside of its folder when it is unpacked, on every system.
fn plain_path(path: &str) -> String {
    let parts = path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != "." && *part != "..");
    let clean = |part: &str| -> String {
        part.chars().map(|c| if c.is_control() || "<>:\"|?*".contains(c) { '_' } else { c }).collect()
    };
    let path = parts.map(clean).collect::<Vec<_>>().join("/");
    if path.is_empty() { "document".to_owned() } else { path }
}

/// The name, with a number when it was given before.
fn unique(names: &mut HashSet<String>, name: &str) -> String {
    let numbered = sheaf_domain::Numbered::of(name);
    let names_of = std::iter::once(name.to_owned()).chain((2..).map(|number| numbered.path(number)));
    for name in names_of {
        if names.insert(name.to_lowercase()) {
            return name;
        }
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_and_are_given_once() {
        let check = |path: &str, expect: &str| assert_eq!(plain_path(path), expect);
        check("a/b.pdf", "a/b.pdf");
        check("../../etc/passwd", "etc/passwd");
        check("C:\\x\\..\\y?.txt", "C_/x/y_.txt");
        check("..", "document");
        let mut names = HashSet::new();
        let given: Vec<_> = ["a.txt", "A.txt", "a.txt"].iter().map(|name| unique(&mut names, name)).collect();
        assert_eq!(given, ["a.txt", "A (2).txt", "a (3).txt"]);
    }
}
