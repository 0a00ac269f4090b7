//! Excel (OOXML, ECMA-376 part 1, 18): sheets in their order, hidden ones too, with comments, shapes and charts.

mod book;
mod cells;
mod comments;

use sheaf_domain::Failure;

use super::{put, xlsb};
use crate::formats::corrupt;
use crate::formats::markdown::Markdown;
use crate::formats::ooxml::{self, shapes, targets, write_related};
use crate::formats::package::Package;
use crate::output::Output;
use book::Book;

/// One page for each sheet.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut package = Package::open(bytes, output.limits())?;
    let main = ooxml::main_part(&mut package, "xl/workbook.xml")?;
    if main.ends_with(".bin") {
        return xlsb::parse(&mut package, &main, output);
    }
    let book = Book::read(&mut package, &main, output.limits())?;
    output.metadata = ooxml::metadata(&mut package)?;
    let relations = package.relations(&main)?;
    let people = comments::people(&mut package, &relations)?;

    let mut lost = 0;
    for sheet in &book.sheets {
        let part = relations.iter().find(|relation| relation.id == sheet.relation).map(|relation| &relation.target);
        let Some((part, xml)) = (match part {
            Some(part) => package.part(part)?.map(|xml| (part, xml)),
            None => None,
        }) else {
            lost += 1;
            continue;
        };
        let table = cells::read(part, &xml, &book, output.limits())?;
        let more = beside(&mut package, part, &people, output)?;
        put(&sheet.name, &table, &more, output)?;
    }
    if lost == book.sheets.len() {
        return Err(corrupt("this Excel file has lost its sheets"));
    }
    if lost > 0 {
        output.problem(None, format!("{lost} sheets are named by the file and are not in it"));
    }
    Ok(())
}

/// What a sheet has besides its cells: shapes with text, charts, comments.
fn beside(
    package: &mut Package<'_>,
    part: &str,
    people: &comments::People,
    output: &Output<'_>,
) -> Result<String, Failure> {
    let limits = output.limits();
    let relations = package.relations(part)?;
    let mut page = Markdown::new(limits);
    for drawing in targets(&relations, "/drawing") {
        let Some(xml) = package.part(drawing)? else { continue };
        // A broken drawing is no reason to lose the sheet.
        let Ok(shown) = shapes::read(drawing, &xml, limits) else { continue };
        page.paragraph(&shown.body);
        let charts = package.relations(drawing)?;
        write_related(package, &charts, &shown.parts, limits, &mut page)?;
    }
    for (kind, threads) in [("/comments", false), ("/threadedComment", true)] {
        for name in targets(&relations, kind) {
            let Some(xml) = package.part(name)? else { continue };
            comments::write(&xml, threads, people, limits, &mut page);
        }
    }
    Ok(page.take())
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use sheaf_domain::FailureCode;

    use crate::formats::package::pack;
    use crate::formats::read;

    fn workbook(sheets: &[(&str, &str)], more: &[(&str, &str)]) -> Vec<u8> {
        let (mut list, mut relations) = (String::new(), String::new());
        let mut parts = vec![("[Content_Types].xml".to_owned(), "spreadsheetml.sheet.main".to_owned())];
        for (number, (name, rows)) in (1..).zip(sheets) {
            list.push_str(&format!("<sheet name='{name}' sheetId='{number}' r:id='r{number}'/>"));
            relations.push_str(&format!("<Relationship Id='r{number}' Type='t/worksheet' Target='s{number}.xml'/>"));
            parts.push((format!("xl/s{number}.xml"), format!("<worksheet><sheetData>{rows}</sheetData></worksheet>")));
        }
        relations.push_str("<Relationship Id='s' Type='t/sharedStrings' Target='strings.xml'/>");
        relations.push_str("<Relationship Id='f' Type='t/styles' Target='styles.xml'/>");
        parts.push(("xl/workbook.xml".to_owned(), format!("<workbook xmlns:r='r'><sheets>{list}</sheets></workbook>")));
        parts.push(("xl/_rels/workbook.xml.rels".to_owned(), format!("<R>{relations}</R>")));
        parts.extend(more.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
        let parts: Vec<_> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        pack(&parts)
    }

    #[test]
    fn sheets_are_pages() {
        let strings = "<sst count='9' uniqueCount='99999999999'><si><t>Name</t></si>\
                       <si><r><t>Ro</t></r><r><t>&amp;w</t></r><rPh><t>no</t></rPh></si></sst>";
        let styles = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy-mm-dd'/></numFmts>\
                      <cellStyleXfs><xf numFmtId='14'/></cellStyleXfs>\
                      <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/></cellXfs></styleSheet>";
        let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='inlineStr'><is><t>Day</t></is></c>\
                    <c r='C1' t='b'><v>1</v></c></row>\
                    <row r='2'><c r='A2' t='s'><v>1</v></c><c r='B2' s='1'><v>45306</v></c>\
                    <c r='C2' t='str'><f>A1&amp;A2</f><v>sum</v></c><c r='D2' t='e'><v>#N/A</v></c></row>\
                    <row r='3'><c r='A3' t='s'><v>77</v></c></row>";
        let more = [("xl/strings.xml", strings), ("xl/styles.xml", styles)];
        let document = read(&workbook(&[("Q&amp;A", rows), ("Empty", "")], &more), "a.xlsx").expect("xlsx");
        let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
        let table = "| Name | Day | TRUE |\n| --- | --- | --- | --- |\n| Ro&w | 2024-01-15 | sum | #N/A |";
        assert_eq!(pages, [format!("# Q&A\n\n{table}").as_str(), ""]);
    }

    #[test]
    fn far_cells_cost_nothing() {
        let rows = "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>";
        let started = Instant::now();
        let document = read(&workbook(&[("S", rows)], &[]), "a").expect("xlsx");
        assert_eq!(document.text(), "# S\n\n| 1 |\n| --- | --- |\n|  | 2 |");
        assert!(started.elapsed().as_millis() < 500);
    }

    #[test]
    fn one_long_string_in_many_cells_is_too_much() {
        let strings = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(1 << 20));
        let rows = format!("<row>{}</row>", "<c t='s'><v>0</v></c>".repeat(1000));
        let bytes = workbook(&[("S", &rows)], &[("xl/strings.xml", &strings)]);
        assert_eq!(read(&bytes, "a").expect_err("refused").code, FailureCode::TooMuchText);
    }

    #[test]
    fn books_that_are_refused() {
        #[track_caller]
        fn check(bytes: &[u8], code: FailureCode) {
            assert_eq!(read(bytes, "a.xlsx").expect_err("refused").code, code);
        }
        check(&pack(&[("[Content_Types].xml", "spreadsheetml.sheet.main")]), FailureCode::CorruptFile);
        check(&workbook(&[("S", "<row>")], &[]), FailureCode::CorruptFile);
        check(
            &workbook(&[("S", "")], &[("xl/strings.xml", "<!DOCTYPE s [<!ENTITY a 'b'>]><sst/>")]),
            FailureCode::CorruptFile,
        );
        check(&workbook(&[("S", "")], &[]), FailureCode::NoText);
        let whole = workbook(&[("S", "")], &[]);
        check(&whole[..whole.len() / 2], FailureCode::CorruptFile);
    }

    #[test]
    fn comments_name_their_author() {
        let relations = "<R><Relationship Id='c' Type='t/comments' Target='comments.xml'/></R>";
        let comments = "<comments><authors><author>Ann</author></authors><commentList><comment ref='A1' authorId='0'>\
                        <text><r><t>Why?</t></r></text></comment></commentList></comments>";
        let more = [("xl/_rels/s1.xml.rels", relations), ("xl/comments.xml", comments)];
        let document = read(&workbook(&[("S", "<row><c><v>7</v></c></row>")], &more), "a").expect("xlsx");
        assert_eq!(document.text(), "# S\n\n7\n\nComment by Ann: Why?");
    }
}
