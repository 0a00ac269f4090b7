//! CSV and TSV: a line for each record, its cells separated by tabs.

use csv::{ReaderBuilder, StringRecord};
use sheaf_domain::Failure;

use crate::formats::text;
use crate::output::Output;

/// The delimiter is looked for in so many lines.
const SAMPLE: usize = 20;

/// One page; `delimiter` is guessed when it is not known.
pub fn parse(bytes: &[u8], delimiter: Option<u8>, output: &mut Output<'_>) -> Result<(), Failure> {
    let decoded = text::decode(bytes, None, output);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter.unwrap_or_else(|| guess(&decoded)))
        .has_headers(false)
        .flexible(true)
        .from_reader(decoded.as_bytes());
    let mut page = String::with_capacity(decoded.len());
    let mut record = StringRecord::new();
    // From a string, and with records of any length, nothing can fail.
    while let Ok(true) = reader.read_record(&mut record) {
        for (index, cell) in record.iter().enumerate() {
            if index > 0 {
                page.push('\t');
            }
            page.push_str(cell.trim());
        }
        page.push('\n');
    }
    output.page(&page)
}

/// The delimiter that is in most of the first lines, and in the first line most often.
fn guess(text: &str) -> u8 {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).take(SAMPLE).collect();
    let score = |delimiter: u8| {
        let count = |line: &str| line.bytes().filter(|&byte| byte == delimiter).count();
        let lines_with = lines.iter().filter(|line| count(line) > 0).count();
        (lines_with, lines.first().map_or(0, |line| count(line)))
    };
    // Of equals, the last wins.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|&delimiter| score(delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use crate::formats::read;

    #[test]
    fn cells_become_tabs() {
        #[track_caller]
        fn check(text: &str, name: &str, expect: &str) {
            assert_eq!(read(text.as_bytes(), name).expect("table").text(), expect);
        }
        check("a,b\n\"x, y\",z\n", "t.csv", "a\tb\nx, y\tz");
        check("a;b\n1,5;2,5\n", "t.csv", "a\tb\n1,5\t2,5");
        check("a\tb\n1\t2\n", "t.tsv", "a\tb\n1\t2");
        check("one\n\"never closed\n", "t.csv", "one\nnever closed");
    }
}
