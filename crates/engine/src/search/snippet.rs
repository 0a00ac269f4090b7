//! The stretch of a text that shows best why it was found.

use std::collections::HashSet;
use std::ops::Range;

use sheaf_domain::{SnippetPart, TextQuery};
use sheaf_store::FoundDocument;

/// Bytes of a text in which hits are looked for, and hits that are looked at.
const READ: usize = 4 << 20;
const HITS: usize = 200;
/// Bytes of a snippet, and of them before the first hit.
const LENGTH: usize = 280;
const BEFORE: usize = 70;

/// The page with the snippet, and the snippet; without hits it is the beginning of the text.
pub fn of(found: &FoundDocument, words: &TextQuery, by_words: bool) -> (Option<u32>, Vec<SnippetPart>) {
    let Some(text) = found.text.as_deref() else { return (None, Vec::new()) };
    let text = &text[..text.floor_char_boundary(READ)];
    let hits = if by_words { words.hits(text, HITS) } else { Vec::new() };
    let Some(first) = best(text, &hits) else {
        let start = text.len() - text.trim_start().len();
        return (None, SnippetPart::cut(text, start..end_of(text, start), &[]));
    };
    let start = start_of(text, first.start);
    let parts = SnippetPart::cut(text, start..end_of(text, start).max(first.end), &hits);
    (page_of(&found.page_starts, first.start), parts)
}

/// The first hit of the stretch with the most different hits.
fn best(text: &str, hits: &[Range<usize>]) -> Option<Range<usize>> {
    let different = |from: usize| {
        let start = hits[from].start;
        let within = hits[from..].iter().take_while(|hit| hit.end <= start + LENGTH - BEFORE);
        within.map(|hit| text[hit.clone()].to_lowercase()).collect::<HashSet<_>>().len()
    };
    let from = (0..hits.len()).rev().max_by_key(|from| different(*from))?;
    Some(hits[from].clone())
}

/// Where a snippet around a hit begins: with a word, and not far before a new paragraph.
fn start_of(text: &str, hit: usize) -> usize {
    let earliest = text.floor_char_boundary(hit.saturating_sub(BEFORE));
    if earliest == 0 {
        return 0;
    }
    let before = &text[earliest..hit];
    let space = before.rfind("\n\n").map(|at| at + 2).or_else(|| before.find(char::is_whitespace).map(|at| at + 1));
    earliest + space.unwrap_or(0)
}

fn end_of(text: &str, start: usize) -> usize {
    let latest = text.floor_char_boundary(start + LENGTH);
    if latest == text.len() {
        return latest;
    }
    let cut = text[start..latest].rfind(char::is_whitespace).unwrap_or(latest - start);
    start + cut
}

/// The page, from 1, with this place of the text.
fn page_of(starts: &[u64], place: usize) -> Option<u32> {
    u32::try_from(starts.partition_point(|start| *start <= place as u64)).ok().filter(|page| *page > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stretch_with_the_most_different_hits_is_shown() {
        let filler = "nothing of interest is said here at all. ".repeat(20);
        let text = format!("An apple. {filler}An apple, a pear and a plum. {filler}");
        let hits = TextQuery::parse("apple pear plum").hits(&text, HITS);
        let first = best(&text, &hits).expect("there are hits");
        let start = start_of(&text, first.start);
        let parts = SnippetPart::cut(&text, start..end_of(&text, start), &hits);
        let marked: Vec<&str> = parts.iter().filter(|part| part.hit).map(|part| part.text.as_str()).collect();
        assert_eq!(marked, ["apple", "pear", "plum"]);
        let whole: String = parts.iter().map(|part| part.text.as_str()).collect();
        assert!(text.contains(&whole) && whole.len() <= LENGTH, "{whole}");
    }

    #[test]
    fn pages_are_counted_from_one() {
        let check = |place: usize, expect: Option<u32>| assert_eq!(page_of(&[0, 10, 20], place), expect);
        check(0, Some(1));
        check(9, Some(1));
        check(10, Some(2));
        check(500, Some(3));
        assert_eq!(page_of(&[], 5), None);
    }
}
