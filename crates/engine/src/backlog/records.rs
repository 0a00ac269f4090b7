//! Reads the records of a file one after the other: a JSON array, JSON lines, CSV or TSV. What is broken becomes a
//! record that says so; the next record is read as if nothing had happened.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use sheaf_domain::{Failure, FailureCode};

use super::record::Record;

/// Bytes of one record; a longer one is broken.
const RECORD_BYTES: usize = 16 << 20;

/// A record, or what is wrong with it.
pub type Outcome = Result<Record, String>;

/// A file that is read record by record.
pub enum Records {
    Array(Elements),
    Lines { lines: BufReader<File>, number: u64 },
    Table { rows: csv::Reader<File>, header: Vec<String>, line: u64 },
}

impl Records {
    /// Opens a file; what it holds is told by its first byte, and by its name for tables.
    ///
    /// # Errors
    /// `invalid_request` when it cannot be read or is no file of records.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let unreadable = |error: io::Error| {
            Failure::new(FailureCode::InvalidRequest, format!("`{shown}` cannot be read: {error}"))
                .with_hint("Give a .json, .jsonl, .csv or .tsv file of records.")
        };
        let suffix = path.extension().unwrap_or_default().to_ascii_lowercase();
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(unreadable(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        match suffix.to_str() {
            Some("csv") => Self::table(file, b',').map_err(|error| unreadable(error.into())),
            Some("tsv" | "tab") => Self::table(file, b'\t').map_err(|error| unreadable(error.into())),
            _ => {
                let mut bytes = BufReader::with_capacity(1 << 16, file);
                skip_mark(&mut bytes).map_err(unreadable)?;
                match first_letter(&mut bytes).map_err(unreadable)? {
                    Some(b'[') => Ok(Self::Array(Elements { bytes, number: 0, ended: false })),
                    Some(b'{') | None => Ok(Self::Lines { lines: bytes, number: 0 }),
                    Some(_) if matches!(suffix.to_str(), Some("json" | "jsonl" | "ndjson")) => {
                        Ok(Self::Lines { lines: bytes, number: 0 })
                    }
                    Some(_) => {
                        Err(Failure::new(FailureCode::InvalidRequest, format!("`{shown}` is not a file of records"))
                            .with_hint("Give a .json, .jsonl, .csv or .tsv file of records."))
                    }
                }
            }
        }
    }

    /// Where in the file the record stands that was read last.
    pub fn place(&self) -> String {
        match self {
            Self::Array(elements) => format!("record {}", elements.number),
            Self::Lines { number, .. } | Self::Table { line: number, .. } => format!("line {number}"),
        }
    }

    fn table(file: File, delimiter: u8) -> csv::Result<Self> {
        let mut rows = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(file);
        let header = rows.byte_headers()?.iter().map(|cell| lossy(cell).trim_start_matches('\u{feff}').to_owned());
        let header = header.collect();
        Ok(Self::Table { rows, header, line: 1 })
    }

    /// The next record with the bytes that it took in the file; `None` at the end.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn next(&mut self) -> io::Result<Option<(Outcome, u64)>> {
        match self {
            Self::Array(elements) => elements.next(),
            Self::Lines { lines, number } => next_line(lines, number),
            Self::Table { rows, header, line: last } => {
                let before = rows.position().byte();
                let mut cells = csv::ByteRecord::new();
                let read = rows.read_byte_record(&mut cells);
                let line = cells.position().map_or(0, csv::Position::line);
                *last = line;
                let record = match read {
                    Ok(false) => return Ok(None),
                    Ok(true) if cells.len() > header.len() => {
                        let (more, columns) = (cells.len(), header.len());
                        Err(format!("line {line}: {more} cells in {columns} columns"))
                    }
                    Ok(true) => Ok(Record::row(header, cells.iter().map(lossy))),
                    Err(error) if error.is_io_error() => return Err(error.into()),
                    Err(error) => Err(format!("line {line}: {error}")),
                };
                Ok(Some((record, rows.position().byte().saturating_sub(before))))
            }
        }
    }
}

fn lossy(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}

/// Skips a byte-order mark.
fn skip_mark(bytes: &mut BufReader<File>) -> io::Result<()> {
    if bytes.fill_buf()?.starts_with(b"\xef\xbb\xbf") {
        bytes.consume(3);
    }
    Ok(())
}

/// The first byte that is no white space, not yet consumed.
fn first_letter(bytes: &mut BufReader<File>) -> io::Result<Option<u8>> {
    loop {
        let buffer = bytes.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        match buffer.iter().position(|byte| !byte.is_ascii_whitespace()) {
            Some(at) => {
                let letter = buffer[at];
                bytes.consume(at);
                return Ok(Some(letter));
            }
            None => {
                let len = buffer.len();
                bytes.consume(len);
            }
        }
    }
}

fn next_line(lines: &mut BufReader<File>, number: &mut u64) -> io::Result<Option<(Outcome, u64)>> {
    let mut taken = 0;
    loop {
        let mut line = Vec::new();
        let read = lines.by_ref().take(RECORD_BYTES as u64).read_until(b'\n', &mut line)?;
        taken += read as u64;
        if read == 0 {
            return Ok(None);
        }
        *number += 1;
        if read == RECORD_BYTES && !line.ends_with(b"\n") {
            taken += skip_line(lines)?;
            return Ok(Some((Err(format!("line {number}: longer than {} MiB", RECORD_BYTES >> 20)), taken)));
        }
        if !line.trim_ascii().is_empty() {
            return Ok(Some((object(&line, &format!("line {number}")), taken)));
        }
    }
}

fn skip_line(lines: &mut BufReader<File>) -> io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = lines.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let len = end.map_or(buffer.len(), |at| at + 1);
        lines.consume(len);
        skipped += len as u64;
        if end.is_some() || len == 0 {
            return Ok(skipped);
        }
    }
}

fn object(bytes: &[u8], place: &str) -> Outcome {
    Record::read(bytes).map_err(|error| format!("{place}: {error}"))
}

/// The elements of a JSON array, told apart by brackets and commas outside strings, so that a broken one hurts no other.
pub struct Elements {
    bytes: BufReader<File>,
    number: u64,
    ended: bool,
}

impl Elements {
    fn next(&mut self) -> io::Result<Option<(Outcome, u64)>> {
        let mut taken = 0;
        if self.ended {
            return Ok(None);
        }
        if self.number == 0 {
            self.bytes.consume(1); // The bracket that opens the array.
            taken += 1;
        }
        let mut element = Vec::new();
        let (mut depth, mut quoted, mut escaped, mut long) = (0_u32, false, false, false);
        let closed = loop {
            let buffer = self.bytes.fill_buf()?;
            if buffer.is_empty() {
                self.ended = true;
                break false;
            }
            let mut end = None;
            for (at, &byte) in buffer.iter().enumerate() {
                if quoted {
                    (quoted, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
                    // A string of JSON holds no line break: an unclosed one ends here.
                    quoted &= byte != b'\n';
                    continue;
                }
                match byte {
                    b'"' => quoted = true,
                    b'{' | b'[' => depth += 1,
                    b']' if depth == 0 => {
                        (self.ended, end) = (true, Some(at));
                        break;
                    }
                    b'}' | b']' => depth = depth.saturating_sub(1),
                    b',' if depth == 0 => {
                        end = Some(at);
                        break;
                    }
                    _ => {}
                }
            }
            let len = end.unwrap_or(buffer.len());
            if element.len() + len > RECORD_BYTES {
                long = true;
                element.clear();
            } else if !long {
                element.extend_from_slice(&buffer[..len]);
            }
            let consumed = len + usize::from(end.is_some());
            self.bytes.consume(consumed);
            taken += consumed as u64;
            if end.is_some() {
                break true;
            }
        };
        self.number += 1;
        let place = format!("record {}", self.number);
        if long {
            return Ok(Some((Err(format!("{place}: longer than {} MiB", RECORD_BYTES >> 20)), taken)));
        }
        if element.trim_ascii().is_empty() && self.ended {
            return Ok(None);
        }
        if !closed {
            return Ok(Some((Err(format!("{place}: the file ends within it or without `]`")), taken)));
        }
        Ok(Some((object(&element, &place), taken)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &str) -> Vec<Outcome> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(name);
        std::fs::write(&file, content).expect("written");
        let mut records = Records::open(&file).expect("opened");
        std::iter::from_fn(|| records.next().expect("read")).map(|(record, _)| record).collect()
    }

    fn texts(records: &[Outcome]) -> Vec<Option<&str>> {
        records.iter().map(|record| record.as_ref().ok().and_then(|record| record.cell("t"))).collect()
    }

    #[test]
    fn a_broken_element_hurts_no_other() {
        let records = read("a.json", "\u{feff} [ {\"t\": \"a, ]\\\"\"},\n{\"t\": oops}, 5, {\"t\": \"b\"} ]");
        assert_eq!(texts(&records), [Some("a, ]\""), None, None, Some("b")]);
        assert!(records[1].as_ref().is_err_and(|error| error.starts_with("record 2: not JSON")), "{records:?}");
        assert_eq!(
            texts(&read("a.json", "[{\"t\":\"x\"}, {\"t\":\"unclosed}\n, {\"t\":\"y\"}]")).first(),
            Some(&Some("x"))
        );
        assert_eq!(texts(&read("a.json", "[]")), [None; 0]);
        assert_eq!(texts(&read("a.json", "[{\"t\":\"x\"}")), [None], "an array without an end");
    }

    #[test]
    fn lines_and_tables_go_on_after_a_broken_one() {
        assert_eq!(texts(&read("a.jsonl", "{\"t\":\"a\"}\n\nnonsense\n{\"t\":\"b\"}")), [Some("a"), None, Some("b")]);
        assert_eq!(texts(&read("a.csv", "id,t\n1,\"a\nb\"\n2,x,y\n3\n4,d\n")), [Some("a\nb"), None, None, Some("d")]);
        assert_eq!(texts(&read("a.tsv", "\u{feff}t\tid\na\t1\n")), [Some("a")]);
    }
}
