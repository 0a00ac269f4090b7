//! Spreadsheets of Excel, new (OOXML, in XML or binary) and old (BIFF): a page for each sheet, with its name as heading and its cells as a
//! table. Values are written as the file has them, dates as ISO 8601; formulas by their last result.

pub mod numbers;
mod strings;
pub mod xls;
mod xlsb;
pub mod xlsx;

use sheaf_domain::Failure;

use crate::formats::markdown::{Markdown, Table};
use crate::output::Output;

/// A page that begins with the sheet's name.
fn begin(name: &str, output: &Output<'_>) -> Markdown {
    let mut page = Markdown::new(output.limits());
    page.heading(1, name);
    page
}

/// Puts out a sheet; one that shows nothing is an empty page, whatever its name.
fn put(name: &str, table: &Table, more: &str, output: &mut Output<'_>) -> Result<(), Failure> {
    if table.is_empty() && more.is_empty() {
        return output.page("");
    }
    let mut page = begin(name, output);
    page.table(table);
    page.paragraph(more);
    output.page(&page.take())
}
