//! Word 97 to 2003 ([MS-DOC]), and the plain text of Word 6 and 95: headers, body, footers, notes, text boxes, comments.

mod header;
mod lists;
mod pieces;
mod properties;
mod story;
mod styles;
mod word95;

use sheaf_domain::Failure;

use crate::formats::compound::{Compound, u32_at};
use crate::formats::{corrupt, password};
use crate::output::Output;
use header::{Header, Table};
use lists::Lists;
use pieces::Pieces;
use properties::Formatting;
use story::Reader;
use styles::Styles;

/// One page.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut file = Compound::open(bytes, output.limits())?;
    output.metadata = file.metadata()?;
    let document = file.stream("/WordDocument")?.ok_or_else(|| corrupt("this Word file has no document stream"))?;
    let header = Header::read(&document).ok_or_else(|| corrupt("this Word file is damaged: its header is cut off"))?;
    if header.encrypted {
        return Err(password("this Word file is encrypted"));
    }
    if header.is_old() {
        return output.page(&word95::text(&document, output.limits())?);
    }
    let table =
        file.stream(header.table_stream())?.ok_or_else(|| corrupt("this Word file has lost its table stream"))?;
    let part = |which: Table| header.part(which, &table);

    let pieces = Pieces::read(part(Table::Pieces), &document, output.limits())?;
    let formatting = Formatting::read(part(Table::Paragraphs), part(Table::Characters), &document);
    let styles = Styles::read(part(Table::Styles));
    let lists = Lists::read(&table, header.place(Table::Lists), part(Table::ListOverrides));
    let mut reader = Reader::new(&pieces, &formatting, &styles, &lists, output.limits());

    let [body, notes, headers, _macros, comments, end_notes, boxes, _header_boxes] = header.stories();
    let (above, below) = surroundings(part(Table::HeaderStories), headers.start);
    let mut texts: Vec<String> = above.into_iter().map(|story| reader.read(story)).collect();
    let main = reader.read(body);
    let below: Vec<String> = below.into_iter().map(|story| reader.read(story)).collect();
    texts.push(main);
    texts.extend(below);
    texts.extend([boxes, notes, end_notes, comments].map(|story| reader.read(story)));
    if pieces.cut_off {
        output.problem(None, "some of the text lies outside of the file and is lost");
    }

    // Word keeps a header for first, odd and even pages of each section.
    let mut page = String::new();
    let mut seen: Vec<&str> = Vec::new();
    for text in texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        if !seen.contains(&text) {
            page.push_str(if page.is_empty() { "" } else { "\n\n" });
            page.push_str(text);
            seen.push(text);
        }
    }
    output.page(&page)
}

/// Where the headers and footers of the sections are. The first six stories separate notes; then each section has six. The
/// last position means nothing.
fn surroundings(plc: &[u8], start: usize) -> (Vec<std::ops::Range<usize>>, Vec<std::ops::Range<usize>>) {
    let ends: Vec<usize> = (0..(plc.len() / 4).saturating_sub(1))
        .filter_map(|at| u32_at(plc, 4 * at))
        .map(|cp| start + cp as usize)
        .collect();
    let stories = ends.windows(2).map(|pair| pair[0]..pair[1].max(pair[0])).enumerate().skip(6);
    let (above, below): (Vec<_>, Vec<_>) = stories.partition(|(index, _)| matches!(index % 6, 0 | 1 | 4));
    let ranges =
        |list: Vec<(usize, std::ops::Range<usize>)>| list.into_iter().map(|(_, range)| range).take(256).collect();
    (ranges(above), ranges(below))
}

#[cfg(test)]
mod tests;
