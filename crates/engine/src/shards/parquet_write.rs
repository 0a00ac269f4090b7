//! Rows to Parquet. The same rows are always the same bytes.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use sheaf_domain::{Failure, FailureCode, Status};

use super::{Parse, ShardHead, ShardRow, columns};
use crate::folder::unwritable;

/// Rows of a row group: what a reader holds at a time.
const ROWS: usize = 1_000;

/// Writes a shard; a file of that name is replaced when the new one is complete and durable.
///
/// # Errors
/// `storage` when the folder cannot be written to.
pub fn write(path: &Path, head: &ShardHead, rows: &[ShardRow]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || -> Result<(), Box<dyn std::error::Error>> {
        // Another process may be writing the same shard: each has a file of its own until it is whole.
        let part = tempfile::Builder::new().prefix(".shard-").tempfile_in(folder)?;
        part.as_file().set_permissions(Permissions::from_mode(0o644))?;
        write_to(part.as_file().try_clone()?, head, rows)?;
        part.as_file().sync_all()?;
        part.persist(path)?;
        Ok(File::open(folder)?.sync_all()?)
    };
    written().map_err(|error| unwritable(path, &*error))
}

fn write_to(file: File, head: &ShardHead, rows: &[ShardRow]) -> Result<(), Box<dyn std::error::Error>> {
    let head = KeyValue::new(columns::HEAD.to_owned(), serde_json::to_string(head)?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(Some(vec![head]))
        .set_created_by("sheaf".to_owned())
        .build();
    let mut writer = SerializedFileWriter::new(file, columns::schema()?, Arc::new(properties))?;
    for rows in rows.chunks(ROWS) {
        let mut columns = Columns(writer.next_row_group()?);
        columns.put_all(rows)?;
        columns.0.close()?;
    }
    writer.close()?;
    Ok(())
}

/// A row group whose columns are written one after the other.
struct Columns<'a>(SerializedRowGroupWriter<'a, File>);

impl Columns<'_> {
    fn put_all(&mut self, rows: &[ShardRow]) -> Result<(), Box<dyn std::error::Error>> {
        self.texts(rows, |row| &row.id)?;
        self.texts(rows, |row| &row.path)?;
        self.optional_texts(rows, |row| row.sha256.as_deref())?;
        let bytes: Vec<i64> = rows.iter().map(|row| signed(row.bytes)).collect();
        self.put::<Int64Type>(&bytes, None, None)?;
        self.optional_texts(rows, |row| row.kind.map(|kind| kind.name()))?;
        self.optional::<Int64Type>(rows.iter().map(|row| row.pages.map(i64::from)))?;
        self.optional::<Int64Type>(rows.iter().map(|row| row.words.map(signed)))?;
        self.optional_texts(rows, |row| row.language.as_deref())?;
        let status = |row: &ShardRow| if row.failure.is_some() { Status::Failed } else { Status::Completed };
        self.texts(rows, |row| status(row).name())?;
        self.optional_texts(rows, |row| row.failure.as_ref().map(|failure| failure.code.name()))?;
        self.optional_texts(rows, |row| row.failure.as_ref().map(|failure| failure.message.as_str()))?;
        self.optional_texts(rows, |row| row.failure.as_ref().map(|failure| failure.hint.as_str()))?;
        self.optional_texts(rows, |row| row.found.as_ref().map(|found| found.parsed.text.as_str()))?;
        self.vectors(rows)?;
        let terms = |row: &ShardRow| row.found.as_ref().map(|found| found.vectored.terms.clone().into());
        self.optional::<ByteArrayType>(rows.iter().map(terms))?;
        let parses = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        self.optional::<ByteArrayType>(parses.into_iter().map(|parse| parse.as_deref().map(ByteArray::from)))?;
        Ok(())
    }

    fn texts<'r>(&mut self, rows: &'r [ShardRow], of: impl Fn(&'r ShardRow) -> &'r str) -> Result<(), ParquetError> {
        let values: Vec<ByteArray> = rows.iter().map(|row| ByteArray::from(of(row))).collect();
        self.put::<ByteArrayType>(&values, None, None)
    }

    fn optional_texts<'r>(
        &mut self,
        rows: &'r [ShardRow],
        of: impl Fn(&'r ShardRow) -> Option<&'r str>,
    ) -> Result<(), ParquetError> {
        self.optional::<ByteArrayType>(rows.iter().map(|row| of(row).map(ByteArray::from)))
    }

    fn optional<T: DataType>(&mut self, values: impl Iterator<Item = Option<T::T>>) -> Result<(), ParquetError> {
        let (mut there, mut levels) = (Vec::new(), Vec::new());
        for value in values {
            levels.push(i16::from(value.is_some()));
            there.extend(value);
        }
        self.put::<T>(&there, Some(&levels), None)
    }

    /// A list for each row. Its level is 0 where there is none, and 2 for each element that is there.
    fn vectors(&mut self, rows: &[ShardRow]) -> Result<(), ParquetError> {
        let (mut values, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match &row.found {
                None => {
                    definitions.push(0);
                    repetitions.push(0);
                }
                Some(found) => {
                    values.extend_from_slice(&found.vectored.vector);
                    definitions.extend(found.vectored.vector.iter().map(|_| 2));
                    repetitions.extend((0..found.vectored.vector.len()).map(|i| i16::from(i > 0)));
                }
            }
        }
        self.put::<FloatType>(&values, Some(&definitions), Some(&repetitions))
    }

    fn put<T: DataType>(
        &mut self,
        values: &[T::T],
        definitions: Option<&[i16]>,
        repetitions: Option<&[i16]>,
    ) -> Result<(), ParquetError> {
        let column = self.0.next_column()?;
        let mut column = column.ok_or_else(|| ParquetError::General("there are more columns than named".into()))?;
        column.typed::<T>().write_batch(values, definitions, repetitions)?;
        column.close()
    }
}

fn parse(row: &ShardRow) -> serde_json::Result<Option<String>> {
    let Some(found) = &row.found else { return Ok(None) };
    let parsed = &found.parsed;
    serde_json::to_string(&Parse {
        key: parsed.key.clone(),
        vector_key: found.key.clone(),
        metadata: parsed.metadata.clone(),
        problems: parsed.problems.clone(),
        page_starts: parsed.page_starts.clone(),
        recognised: parsed.recognised.clone(),
    })
    .map(Some)
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A shard that cannot be understood.
pub fn unreadable(path: &Path, reason: impl std::fmt::Display) -> Failure {
    Failure::new(FailureCode::InvalidRequest, format!("`{}` is not a whole shard: {reason}", path.display()))
        .with_hint("Write it again with `sheaf analyze --shard`.")
}
