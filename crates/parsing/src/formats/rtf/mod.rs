//! Rich Text Format (Microsoft's specification, version 1.9.1): one page with body, tables, lists, notes and comments.
//! What is embedded, such as pictures and objects, is skipped byte by byte.

mod group;
mod reader;
mod tokens;

use sheaf_domain::Failure;

use crate::formats::corrupt;
use crate::output::Output;
use reader::Reader;

/// One page.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(corrupt("this is no RTF file: it does not begin with {\\rtf"));
    }
    let read = Reader::new(output.limits()).read(bytes)?;
    if read.cut_off {
        output.problem(None, "the file ends before its last group is closed; what there is was read");
    }
    output.metadata = read.metadata;
    output.page(&read.text)
}

/// The text of RTF that another kind of file has in it.
///
/// # Errors
/// `document_limit` for groups nested too deep.
pub fn to_text(bytes: &[u8], output: &Output<'_>) -> Result<String, Failure> {
    Ok(Reader::new(output.limits()).read(bytes)?.text)
}

#[cfg(test)]
mod tests;
