//! Text that is text already, such as a record of a backlog: cleaned, counted and its language told, without a child.

use sheaf_domain::{DocumentKind, Failure};

use crate::document::ParsedDocument;
use crate::limits::Limits;
use crate::output::Output;

/// Reads a text under the default limits. It is fast and safe enough for the caller's own thread.
///
/// # Errors
/// `no_text` when it holds no word, `document_limit` when it is too long.
pub fn read_plain(text: &str) -> Result<ParsedDocument, Failure> {
    let limits = Limits::default();
    let mut pages = Vec::new();
    let mut emit = |page| {
        pages.push(page);
        Ok(())
    };
    let mut output = Output::new(&limits, &mut emit);
    output.page(text)?;
    let summary = output.finish()?;
    Ok(ParsedDocument {
        kind: DocumentKind::Text,
        pages,
        metadata: summary.metadata,
        problems: summary.problems,
        language: summary.language,
        words: summary.words,
        recognised: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sheaf_domain::FailureCode;

    #[test]
    fn a_text_is_cleaned_and_counted() {
        let read = read_plain("Two\0 words\r\n").expect("readable");
        assert_eq!((read.text().as_str(), read.words), ("Two words", 2));
        assert_eq!(read_plain(" \n").map_err(|f| f.code), Err(FailureCode::NoText));
    }
}
