//! PowerPoint (OOXML, ECMA-376): a page for each slide in the order of the show, with its tables, charts, diagrams,
//! speaker's notes and comments.

mod comments;

use quick_xml::events::BytesStart;
use sheaf_domain::Failure;

use crate::formats::corrupt;
use crate::formats::markdown::Markdown;
use crate::formats::ooxml::{self, shapes, targets, write_related};
use crate::formats::package::Package;
use crate::formats::xml::{Visitor, relation_id, walk_part};
use crate::output::Output;

/// One page for each slide.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut package = Package::open(bytes, output.limits())?;
    let main = ooxml::main_part(&mut package, "ppt/presentation.xml")?;
    let xml = package.part(&main)?.ok_or_else(|| corrupt("this PowerPoint file has no presentation part"))?;
    let mut show = Show::default();
    walk_part(&main, &xml, output.limits().depth, &mut show)?;
    let relations = package.relations(&main)?;
    output.metadata = ooxml::metadata(&mut package)?;
    let people = comments::people(&mut package, &relations)?;

    let (mut number, mut lost, mut damaged) = (0, 0, Vec::new());
    for id in &show.slides {
        let Some(name) = relations.iter().find(|relation| relation.id == *id).map(|relation| &relation.target) else {
            lost += 1;
            continue;
        };
        number += 1;
        match page(&mut package, name, &people, output)? {
            Ok(text) => output.page(&text)?,
            Err(failure) => {
                damaged.push(failure);
                output.problem(Some(number), "this slide is damaged and could not be read");
                output.page("")?;
            }
        }
    }
    if number == 0 && lost > 0 {
        return Err(corrupt("this PowerPoint file has lost its slides"));
    }
    // With nothing left to read, the first one tells what is wrong.
    if damaged.len() == number as usize
        && let Some(failure) = damaged.into_iter().next()
    {
        return Err(failure);
    }
    if lost > 0 {
        output.problem(None, format!("{lost} slides are named by the file and are not in it"));
    }
    Ok(())
}

/// The ids of the slides' relations in the order of the show.
#[derive(Default)]
struct Show {
    slides: Vec<String>,
}

impl Visitor for Show {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if tag.local_name().as_ref() == "sldId" {
            self.slides.extend(relation_id(tag));
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// The text of a slide with all that belongs to it, or why that slide alone cannot be read.
fn page(
    package: &mut Package<'_>,
    name: &str,
    people: &comments::People,
    output: &Output<'_>,
) -> Result<Result<String, Failure>, Failure> {
    let limits = output.limits();
    let Some(xml) = package.part(name)? else {
        return Ok(Err(corrupt(format!("this file is damaged: its part `{name}` is missing"))));
    };
    let slide = match shapes::read(name, &xml, limits) {
        Ok(slide) => slide,
        Err(failure) => return Ok(Err(failure)),
    };
    let relations = package.relations(name)?;
    let mut page = Markdown::new(limits);
    if let Some(title) = &slide.title {
        page.heading(1, title);
    }
    page.paragraph(&slide.body);
    write_related(package, &relations, &slide.parts, limits, &mut page)?;
    for note in targets(&relations, "/notesSlide") {
        let Some(xml) = package.part(note)? else { continue };
        if let Ok(text) = shapes::notes(note, &xml, limits).as_deref()
            && !text.trim().is_empty()
        {
            page.heading(3, "Notes");
            page.paragraph(text);
        }
    }
    for part in targets(&relations, "/comments") {
        let Some(xml) = package.part(part)? else { continue };
        comments::write(&xml, people, limits, &mut page);
    }
    Ok(Ok(page.take()))
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::package::pack;
    use crate::formats::read;

    const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

    fn relations(list: &[(&str, &str, &str)]) -> String {
        let relation = |(id, kind, target): &(&str, &str, &str)| {
            format!("<Relationship Id='{id}' Type='{RELATION}/{kind}' Target='{target}'/>")
        };
        format!("<Relationships>{}</Relationships>", list.iter().map(relation).collect::<String>())
    }

    fn slide(shapes: &str) -> String {
        format!(
            "<p:sld xmlns:p='p' xmlns:a='a' xmlns:r='r' xmlns:c='c'><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
        )
    }

    fn shape(placeholder: &str, paragraphs: &[&str]) -> String {
        let paragraphs: String = paragraphs
            .iter()
            .map(|text| {
                if text.starts_with('<') {
                    (*text).to_owned()
                } else {
                    format!("<a:p><a:r><a:t>{text}</a:t></a:r></a:p>")
                }
            })
            .collect();
        format!("<p:sp><p:nvPr>{placeholder}</p:nvPr><p:txBody>{paragraphs}</p:txBody></p:sp>")
    }

    /// A show of slides, the first of which has notes; the order of the show is not that of the names.
    fn show(slides: &[String]) -> Vec<u8> {
        let ids: String = (1..=slides.len()).map(|n| format!("<p:sldId id='{}' r:id='r{n}'/>", 255 + n)).collect();
        let names: Vec<(String, String)> = (1..=slides.len())
            .map(|n| (format!("r{n}"), format!("slides/slide{}.xml", slides.len() + 1 - n)))
            .collect();
        let list: Vec<_> = names.iter().map(|(id, name)| (id.as_str(), "slide", name.as_str())).collect();
        let presentation =
            format!("<p:presentation xmlns:p='p' xmlns:r='r'><p:sldIdLst>{ids}</p:sldIdLst></p:presentation>");
        let mut parts = vec![
            ("[Content_Types].xml".to_owned(), "presentationml.presentation.main".to_owned()),
            ("ppt/presentation.xml".to_owned(), presentation),
            ("ppt/_rels/presentation.xml.rels".to_owned(), relations(&list)),
            (
                format!("ppt/slides/_rels/slide{}.xml.rels", slides.len()),
                relations(&[("n", "notesSlide", "../notes.xml")]),
            ),
            (
                "ppt/notes.xml".to_owned(),
                slide(
                    &[shape("<p:ph type='body'/>", &["Speak slowly"]), shape("<p:ph type='sldNum'/>", &["17"])]
                        .concat(),
                ),
            ),
        ];
        parts.extend(slides.iter().zip(&names).map(|(text, (_, name))| (format!("ppt/{name}"), text.clone())));
        let parts: Vec<_> = parts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        pack(&parts)
    }

    #[test]
    fn slides_are_pages_in_the_order_of_the_show() {
        let first = [
            shape("", &["Beside"]),
            shape("<p:ph type='title'/>", &["The title"]),
            shape(
                "<p:ph idx='1'/>",
                &[
                    "One",
                    "<a:p><a:pPr lvl='1'/><a:r><a:t>Two</a:t></a:r></a:p>",
                    "<a:p><a:pPr><a:buNone/></a:pPr><a:r><a:t>Plain</a:t></a:r></a:p>",
                    "<a:p><a:pPr><a:buAutoNum/></a:pPr><a:r><a:t>First</a:t></a:r></a:p>",
                    "<a:p><a:pPr><a:buAutoNum/></a:pPr><a:r><a:t>Second</a:t></a:r></a:p>",
                ],
            ),
            shape("<p:ph type='sldNum'/>", &["<a:p><a:fld type='slidenum'><a:t>1</a:t></a:fld></a:p>"]),
        ];
        let cell = |text: &str| format!("<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>");
        let row = |a: &str, b: &str| format!("<a:tr>{}{}</a:tr>", cell(a), cell(b));
        let table = format!("<p:graphicFrame><a:tbl>{}{}</a:tbl></p:graphicFrame>", row("a", "b"), row("c", "d"));
        let document = read(&show(&[slide(&first.concat()), slide(&table)]), "a.pptx").expect("pptx");
        let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
        assert_eq!(
            pages,
            [
                "# The title\n\nBeside\n\n- One\n  - Two\n\nPlain\n\n1. First\n2. Second\n\n### Notes\n\nSpeak slowly",
                "| a | b |\n| --- | --- |\n| c | d |",
            ]
        );
    }

    #[test]
    fn a_broken_slide_is_a_problem_and_a_lost_show_a_failure() {
        let document = read(&show(&[slide(&shape("", &["kept"])), "<p:sld>".to_owned()]), "a").expect("one slide");
        assert_eq!((document.pages.len(), document.problems[0].page), (2, Some(2)));
        let main = ("ppt/presentation.xml", "<p xmlns:r='r'><sldId r:id='r1'/></p>");
        let lost = pack(&[("[Content_Types].xml", "presentationml."), main]);
        assert_eq!(read(&lost, "a").expect_err("lost").code, FailureCode::CorruptFile);
        assert_eq!(read(b"PK\x03\x04", "a.pptx").expect_err("cut").code, FailureCode::CorruptFile);
        let deep = ["<p:grpSp>".repeat(5000), "</p:grpSp>".repeat(5000)].concat();
        for (broken, code) in [("<p:sld>", FailureCode::CorruptFile), (&slide(&deep), FailureCode::NestedTooDeep)] {
            assert_eq!(read(&show(&[broken.to_owned()]), "a").expect_err("nothing is left").code, code);
        }
    }
}
