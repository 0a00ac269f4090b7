//! Which documents a flow works on, and which of their pages and sections it sees.

use sheaf_domain::flow::Select;
use sheaf_store::DocumentText;

use super::Passage;

/// The longest line that is taken for a heading, in characters.
const HEADING: usize = 90;

/// Every page as a whole.
pub fn whole(document: &DocumentText) -> Vec<Passage<'_>> {
    let pages = document.pages.iter().zip(1..);
    pages.map(|(text, page)| Passage { page, start: 0, text: text.as_str() }).collect()
}

/// Whether a document is worked on at all.
pub fn takes(select: &Select, document: &DocumentText) -> bool {
    let Select { kinds, languages, clusters, words, pages: _, sections: _ } = select;
    let is_kind = kinds.is_empty() || kinds.contains(&document.kind);
    let is_language = languages.is_empty() || document.language.as_ref().is_some_and(|known| languages.contains(known));
    let is_cluster = clusters.is_empty() || document.cluster.is_some_and(|cluster| clusters.contains(&cluster.0));
    let has_words = words.is_empty() || {
        let pages: Vec<String> = document.pages.iter().map(|page| page.to_lowercase()).collect();
        words.iter().any(|word| pages.iter().any(|page| page.contains(&word.trim().to_lowercase())))
    };
    is_kind && is_language && is_cluster && has_words
}

/// What is left of passages: those of the chosen pages, in them what stands below a chosen heading.
pub fn narrow<'a>(select: &Select, passages: Vec<Passage<'a>>) -> Vec<Passage<'a>> {
    let in_pages = |page: u32| select.pages.is_empty() || select.pages.iter().any(|range| range.contains(page));
    let passages: Vec<Passage<'a>> = passages.into_iter().filter(|passage| in_pages(passage.page)).collect();
    if select.sections.is_empty() {
        return passages;
    }
    let wanted: Vec<String> = select.sections.iter().map(|section| plain(section)).collect();
    // A section goes on over the end of its page.
    let mut inside = false;
    passages.into_iter().flat_map(|passage| below(&wanted, passage, &mut inside)).collect()
}

fn below<'a>(wanted: &[String], passage: Passage<'a>, inside: &mut bool) -> Vec<Passage<'a>> {
    let mut found = Vec::new();
    let mut begin = inside.then_some(0);
    let mut at = 0;
    for line in passage.text.split_inclusive('\n') {
        let is_wanted = wanted.contains(&plain(line));
        if is_wanted || is_heading(line) {
            if let Some(from) = begin.take() {
                found.push((from, at));
            }
            *inside = is_wanted;
            begin = is_wanted.then_some(at + line.len());
        }
        at += line.len();
    }
    if let Some(from) = begin {
        found.push((from, at));
    }
    let cut =
        |(from, to): (usize, usize)| Passage { start: passage.start + from, text: &passage.text[from..to], ..passage };
    found.into_iter().map(cut).filter(|passage| !passage.text.trim().is_empty()).collect()
}

/// A heading as it is compared: lower case, without numbers and marks around it.
fn plain(line: &str) -> String {
    let is_mark = |c: char| c.is_ascii_digit() || c.is_whitespace() || matches!(c, '#' | '.' | ':' | '*' | ')' | '(');
    line.trim_matches(is_mark).to_lowercase()
}

/// Whether a line looks like a heading: a Markdown one, numbered, or short and in capital letters.
fn is_heading(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.chars().count() > HEADING {
        return false;
    }
    let numbered = line.split_once(' ').is_some_and(|(number, rest)| {
        let digits = number.trim_end_matches('.');
        !digits.is_empty()
            && digits.split('.').all(|part| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
            && rest.chars().next().is_some_and(char::is_uppercase)
            && !line.ends_with(['.', ',', ';'])
    });
    let capitals = line.chars().filter(|c| c.is_alphabetic()).count() >= 4 && !line.chars().any(char::is_lowercase);
    line.starts_with('#') || numbered || capitals
}

#[cfg(test)]
mod tests {
    use sheaf_domain::flow::PageRange;

    use super::*;

    fn passages(pages: &[&'static str]) -> Vec<Passage<'static>> {
        pages.iter().zip(1..).map(|(text, page)| Passage { page, start: 0, text }).collect()
    }

    #[test]
    fn sections_go_on_over_pages_up_to_the_next_heading() {
        let select = Select { sections: vec!["Results".into()], ..Select::default() };
        let pages = ["1. Introduction\nbefore\n2. RESULTS\nfirst\n", "second\n\n3 Discussion\nafter", "REFERENCES\nx"];
        let found = narrow(&select, passages(&pages));
        let expect: Vec<_> = found.iter().map(|passage| (passage.page, passage.start, passage.text.trim())).collect();
        assert_eq!(expect, [(1, 34, "first"), (2, 0, "second")]);
        let none = Select { sections: vec!["Methods".into()], ..Select::default() };
        assert_eq!(narrow(&none, passages(&pages)), []);
    }

    #[test]
    fn pages_are_those_of_the_ranges() {
        let range = |from, to| PageRange { from, to };
        let select = Select { pages: vec![range(1, Some(1)), range(3, None)], ..Select::default() };
        let found = narrow(&select, passages(&["a", "b", "c", "d"]));
        assert_eq!(found.iter().map(|passage| passage.page).collect::<Vec<_>>(), [1, 3, 4]);
    }
}
