//! Parquet to rows, as `sheaf analyze --shard` writes them; other files are refused with what is missing in them.

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use sheaf_domain::{Failure, FailureCode};
use sheaf_store::{Found, ParseRecord, Vectored};

use super::parquet_write::unreadable;
use super::{FORMAT, Parse, ShardHead, ShardRow, columns};

/// A shard that is open for reading.
pub struct ShardReader {
    path: PathBuf,
    file: SerializedFileReader<File>,
    pub head: ShardHead,
}

impl ShardReader {
    /// Opens a shard and reads what its rows have in common.
    ///
    /// # Errors
    /// `invalid_request` when it is none, or none of this version.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        let file = SerializedFileReader::new(file).map_err(|error| unreadable(path, error))?;
        let pairs = file.metadata().file_metadata().key_value_metadata();
        let head =
            pairs.into_iter().flatten().find(|pair| pair.key == columns::HEAD).and_then(|pair| pair.value.as_deref());
        let head = head.ok_or_else(|| unreadable(path, "it does not say that Sheaf wrote it"))?;
        let head: ShardHead = serde_json::from_str(head).map_err(|error| unreadable(path, error))?;
        if head.format != FORMAT {
            return Err(unreadable(path, format!("its columns are of version {}, not {FORMAT}", head.format)));
        }
        Ok(Self { path: path.to_owned(), file, head })
    }

    /// The rows, read as they are asked for.
    ///
    /// # Errors
    /// Each: `invalid_request` when it cannot be understood.
    pub fn rows(&self) -> Result<impl Iterator<Item = Result<ShardRow, Failure>>, Failure> {
        let wrong = |error: &dyn std::fmt::Display| unreadable(&self.path, error);
        let rows = self.file.get_row_iter(None).map_err(|error| wrong(&error))?;
        let dimensions = self.head.dimensions as usize;
        Ok(rows.map(move |row| {
            let row = row.map_err(|error| wrong(&error))?;
            read(row, dimensions).map_err(|reason| wrong(&reason))
        }))
    }
}

/// The columns of a row by name; what was not there is left out.
struct Cells(HashMap<String, Field>);

impl Cells {
    fn text(&mut self, column: &str) -> Option<String> {
        match self.0.remove(column) {
            Some(Field::Str(text)) => Some(text),
            Some(_) | None => None,
        }
    }

    fn needed(&mut self, column: &str) -> Result<String, String> {
        self.text(column).ok_or_else(|| format!("a row has nothing in `{column}`"))
    }

    fn count(&mut self, column: &str) -> Option<u64> {
        match self.0.remove(column) {
            Some(Field::Long(value)) => u64::try_from(value).ok(),
            Some(_) | None => None,
        }
    }

    /// A name of one of our own sets.
    fn name<T: FromStr<Err: std::fmt::Display>>(&mut self, column: &str) -> Result<Option<T>, String> {
        self.text(column).map(|name| name.parse().map_err(|error: T::Err| format!("`{column}`: {error}"))).transpose()
    }
}

fn read(row: Row, dimensions: usize) -> Result<ShardRow, String> {
    let mut cells = Cells(row.into_columns().into_iter().filter(|(_, field)| !matches!(field, Field::Null)).collect());
    let (path, kind) = (cells.needed("path")?, cells.name("kind")?);
    let (pages, words, language) = (cells.count("pages"), cells.count("words"), cells.text("language"));
    let pages = pages.and_then(|pages| u32::try_from(pages).ok());
    let failure = failure(&mut cells)?;
    let found = match (&failure, cells.text("parse")) {
        (None, Some(parse)) => {
            let Parse { key, vector_key, metadata, problems, page_starts, recognised } =
                serde_json::from_str(&parse).map_err(|error| format!("`parse`: {error}"))?;
            let parsed = ParseRecord {
                key,
                kind: kind.ok_or("a row has nothing in `kind`")?,
                pages: pages.ok_or("a row has nothing in `pages`")?,
                words: words.ok_or("a row has nothing in `words`")?,
                language: language.clone(),
                metadata,
                problems,
                text: cells.needed("text")?,
                page_starts,
                recognised,
            };
            Some(Found { parsed, key: vector_key, vectored: vectored(&mut cells, dimensions)? })
        }
        (Some(_), _) => None,
        (None, None) => return Err("a completed row has nothing in `parse`".to_owned()),
    };
    Ok(ShardRow {
        id: cells.needed("id")?,
        sha256: cells.text("sha256"),
        bytes: cells.count("bytes").unwrap_or_default(),
        path,
        kind,
        pages,
        words,
        language,
        failure,
        found,
    })
}

fn failure(cells: &mut Cells) -> Result<Option<Failure>, String> {
    let Some(code) = cells.name::<FailureCode>("error_code")? else { return Ok(None) };
    let failure = Failure::new(code, cells.needed("error_message")?);
    Ok(Some(match cells.text("error_hint") {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }))
}

fn vectored(cells: &mut Cells, dimensions: usize) -> Result<Vectored, String> {
    let Some(Field::ListInternal(list)) = cells.0.remove("vector") else {
        return Err("a completed row has nothing in `vector`".to_owned());
    };
    let values = list.elements().iter().map(|value| match value {
        Field::Float(value) if value.is_finite() => Some(*value),
        _ => None,
    });
    let vector: Vec<f32> = values.collect::<Option<_>>().ok_or("`vector` holds something that is no number")?;
    if vector.len() != dimensions {
        return Err(format!("a vector has {} values, not {dimensions}", vector.len()));
    }
    match cells.0.remove("terms") {
        Some(Field::Bytes(terms)) => Ok(Vectored { vector, terms: terms.data().to_vec() }),
        Some(_) | None => Err("a completed row has nothing in `terms`".to_owned()),
    }
}
