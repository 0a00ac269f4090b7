//! From rows to columns.

use std::collections::HashMap;

use sheaf_domain::{DocumentId, DocumentKind, FailureCode, FamilyPlace, Status};

use super::{ColumnClustering, ColumnRow, Columns, Place};

/// A document. What repeats is a number.
#[derive(Debug)]
pub struct Line {
    pub id: DocumentId,
    /// Where its path ends among all paths.
    pub path_end: usize,
    pub bytes: u64,
    pub words: Option<u64>,
    pub pages: Option<u32>,
    pub place: Option<Place>,
    pub family: Option<FamilyPlace>,
    pub language: Option<u16>,
    pub date: Option<u32>,
    pub year: Option<u16>,
    pub kind: Option<DocumentKind>,
    pub failure: Option<FailureCode>,
    pub status: Status,
}

/// Texts by number.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, usize>,
    texts: Vec<String>,
}

impl Names {
    fn number(&mut self, text: &str) -> usize {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len();
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

impl Columns {
    /// Of rows in the order of (path, id).
    ///
    /// # Errors
    /// That of the first row that has one.
    pub fn gather<E>(
        rows: impl Iterator<Item = Result<ColumnRow, E>>,
        clustering: Option<ColumnClustering>,
    ) -> Result<Self, E> {
        let mut columns = Self { clustering, ..Self::default() };
        let (mut languages, mut dates, mut years) = (Names::default(), Names::default(), Names::default());
        for row in rows {
            let ColumnRow { id, path, bytes, status, failure, kind, language, pages, words, created, place, family } =
                row?;
            columns.paths.push_str(&path);
            let short = |number: usize| u16::try_from(number).ok();
            // Four digits: there are ten thousand years.
            let year = created.as_deref().and_then(|date| date.get(..4));
            columns.lines.push(Line {
                id,
                path_end: columns.paths.len(),
                bytes,
                words,
                pages,
                place,
                family,
                language: language.as_deref().and_then(|text| short(languages.number(text))),
                date: created.as_deref().and_then(|text| u32::try_from(dates.number(text)).ok()),
                year: year.and_then(|text| short(years.number(text))),
                kind,
                failure,
                status,
            });
        }
        columns.folded = columns.paths.to_ascii_lowercase();
        (columns.languages, columns.dates, columns.years) = (languages.texts, dates.texts, years.texts);
        columns.index();
        Ok(columns)
    }

    fn index(&mut self) {
        let lines = &self.lines;
        let count = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        self.by_id = (0..count).collect();
        self.by_id.sort_unstable_by_key(|&line| lines[line as usize].id);
        self.by_position = (0..count).filter(|&line| lines[line as usize].place.is_some()).collect();
        self.by_position.sort_unstable_by_key(|&line| lines[line as usize].place.map(|place| place.position));
    }
}
