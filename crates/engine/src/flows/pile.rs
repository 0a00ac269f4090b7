//! A sample of the texts of a run, by which labels without examples are fitted to them.

use sheaf_domain::flow::RunDocumentQuery;
use sheaf_domain::{Failure, RunId};

use crate::Engine;

/// Places of the run from which documents are taken, evenly spread.
const PLACES: u64 = 16;
/// Documents of each place.
const AT_ONE_PLACE: u64 = 32;
/// Bytes of a document that count: a sample need not read whole books.
const BYTES: usize = 4000;

/// The beginnings of documents that are spread over the run, at most 512.
///
/// # Errors
/// `storage`.
pub async fn sample(engine: &Engine, run: RunId) -> Result<Vec<String>, Failure> {
    let total = engine.run(run).await?.counts.total;
    let mut texts = Vec::new();
    for (offset, limit) in stretches(total) {
        let query = RunDocumentQuery { offset, limit, ..RunDocumentQuery::default() };
        for row in engine.store().run_documents(run, &query).await?.items {
            if let Some(document) = engine.store().document_text(row.batch, row.document).await? {
                texts.push(beginning(&document.pages));
            }
        }
    }
    Ok(texts)
}

/// Where to look, and at how many: all of a small run.
fn stretches(total: u64) -> Vec<(u32, u32)> {
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    if total <= PLACES * AT_ONE_PLACE {
        return (0..total).step_by(500).map(|offset| (narrow(offset), 500)).collect();
    }
    (0..PLACES).map(|place| (narrow(place * total / PLACES), narrow(AT_ONE_PLACE))).collect()
}

fn beginning(pages: &[String]) -> String {
    let mut text = String::new();
    for page in pages {
        let room = BYTES.saturating_sub(text.len());
        text.push_str(&page[..page.floor_char_boundary(room)]);
        if text.len() >= BYTES {
            break;
        }
        text.push_str("\n\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_the_run() {
        assert_eq!(stretches(0), []);
        assert_eq!(stretches(512), [(0, 500), (500, 500)]);
        let large = stretches(1_000_000);
        assert_eq!((large.len(), large[1], large[15]), (16, (62_500, 32), (937_500, 32)));
    }

    #[test]
    fn only_beginnings_are_read() {
        let long = "ä".repeat(5000);
        assert_eq!(beginning(&[long]).len(), BYTES);
        assert_eq!(beginning(&["a".to_owned(), "b".to_owned()]), "a\n\nb\n\n");
    }
}
