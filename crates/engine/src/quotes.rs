//! Where a quote stands on a page: from the words that were recognised on it, or from the PDF itself.

use std::ops::Range;

use sheaf_domain::{
    BatchId, DocumentId, Failure, FailureCode, PageBox, PageRecognition, PageView, QuoteBoxes, TextQuery, WordBox,
};
use sheaf_parsing::{Hints, Quote};

use crate::Engine;

/// Hits of a search that are boxed on one page.
const HITS: usize = 12;

impl Engine {
    /// Where a stretch of a page's text stands on the page (from 1): a box for each stretch of a line, in reading order.
    /// `range` is in bytes of the text as [`Engine::page`] gives it. On a recognised page whole words are boxed.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` when `range` is no stretch of the text, shows nothing or is very long;
    /// `unsupported_kind` when the document has no pages to look at.
    pub async fn quote_boxes(
        &self,
        batch: BatchId,
        document: DocumentId,
        page: u32,
        range: Range<u32>,
    ) -> Result<QuoteBoxes, Failure> {
        let view = self.page(batch, document, page).await?;
        let bytes = range.start as usize..range.end as usize;
        let quote = Quote::of(&view.text, bytes).ok_or_else(|| {
            Failure::new(
                FailureCode::InvalidRequest,
                format!(
                    "`start` and `end` are no stretch of the text of page {page}, which has {} bytes, or one without words \
                     or of more than {} bytes",
                    view.text.len(),
                    Quote::LONGEST
                ),
            )
        })?;
        let text = quote.text.clone();
        let boxes = match &view.recognition {
            Some(recognition) => of_words(recognition, &view.text, &range),
            None => {
                let (path, file) = self.original_file(batch, document).await?;
                let hints = Hints { name: path, passwords: self.store().passwords(batch).await? };
                self.reader().pool().boxes(file.path(), hints, page, quote).await?
            }
        };
        Ok(QuoteBoxes { page, start: range.start, end: range.end, text, boxes })
    }

    /// Where a page has what is searched for, the first few times; what has no place on it is left out.
    pub async fn hit_boxes(
        &self,
        batch: BatchId,
        document: DocumentId,
        page: &PageView,
        query: &TextQuery,
    ) -> Vec<PageBox> {
        let mut boxes = Vec::new();
        for hit in query.hits(&page.text, HITS) {
            let (Ok(start), Ok(end)) = (u32::try_from(hit.start), u32::try_from(hit.end)) else { break };
            match self.quote_boxes(batch, document, page.number, start..end).await {
                Ok(quote) => boxes.extend(quote.boxes),
                // The others fail alike.
                Err(_) => break,
            }
        }
        boxes
    }
}

/// The boxes of the words that `range` touches.
fn of_words(recognition: &PageRecognition, text: &str, range: &Range<u32>) -> Vec<PageBox> {
    let end = |word: &WordBox| word.start.saturating_add(word.length);
    let touched = |word: &&WordBox| word.start < range.end && end(word) > range.start;
    let mut before = None;
    let places = recognition.words.iter().filter(touched).map(|word| {
        let between = before.replace(end(word)).and_then(|before| text.get(before as usize..word.start as usize));
        (PageBox::from(word), between.is_none_or(|between| between.contains('\n')))
    });
    PageBox::lines(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognised_words_are_boxed_line_by_line() {
        let word = |start, length, left, top| WordBox { start, length, left, top, width: 900, height: 300 };
        let text = "The harbour\nwas wide";
        let words =
            vec![word(0, 3, 1000, 1000), word(4, 7, 2000, 1000), word(12, 3, 1000, 1500), word(16, 4, 2000, 1500)];
        let recognition = PageRecognition { page: 1, confidence: 0.9, words };
        let check = |range: Range<u32>, expect: &[[f32; 3]]| {
            let found = of_words(&recognition, text, &range);
            assert_eq!(found.len(), expect.len(), "{range:?}: {found:?}");
            for (found, [left, top, width]) in found.iter().zip(expect) {
                let near = |one: f32, other: f32| (one - other).abs() < 1e-5;
                assert!(near(found.left, *left) && near(found.top, *top) && near(found.width, *width), "{found:?}");
            }
        };
        check(0..3, &[[0.1, 0.1, 0.09]]);
        check(1..2, &[[0.1, 0.1, 0.09]]);
        check(0..11, &[[0.1, 0.1, 0.19]]);
        check(4..15, &[[0.2, 0.1, 0.09], [0.1, 0.15, 0.09]]);
        check(3..4, &[]);
    }
}
