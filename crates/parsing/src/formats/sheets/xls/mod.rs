//! Excel 95 to 2003 ([MS-XLS], BIFF 5 and 8): sheets in their order with their text boxes and comments.

mod book;
mod cells;
mod records;

use sheaf_domain::Failure;

use super::put;
use crate::formats::compound::Compound;
use crate::formats::corrupt;
use crate::output::Output;
use book::Book;

/// One page for each sheet.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut file = Compound::open(bytes, output.limits())?;
    output.metadata = file.metadata()?;
    let stream = match file.stream("/Workbook")? {
        Some(stream) => Some(stream),
        None => file.stream("/Book")?,
    };
    let stream = stream.ok_or_else(|| corrupt("this Excel file has no workbook"))?;
    let book = Book::read(&stream)?;
    let mut lost = 0;
    for sheet in &book.sheets {
        match stream.get(sheet.place..) {
            Some(records) => {
                let read = cells::read(records, &book, output.limits());
                put(&sheet.name, &read.table, &read.beside, output)?;
            }
            None => lost += 1,
        }
    }
    if book.sheets.len() == lost {
        return Err(corrupt("this Excel file is damaged: it has lost its sheets"));
    }
    if lost > 0 {
        output.problem(None, format!("{lost} sheets lie outside of the file and are lost"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
