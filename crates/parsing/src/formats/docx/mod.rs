//! Word (OOXML, ECMA-376): body, tables, headers, notes and comments, with headings and lists as in Markdown.
//! Parts are read one by one under a limit; nothing outside the package is ever followed.

mod body;
mod math;
mod numbering;
mod styles;

use sheaf_domain::Failure;

use crate::formats::markdown::Markdown;
use crate::formats::package::Package;
use crate::formats::{corrupt, ooxml};
use crate::limits::Limits;
use crate::output::Output;
use numbering::Numbering;
use styles::Styles;

/// One page: the headers, the body, the footers, then foot- and endnotes and comments.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut package = Package::open(bytes, output.limits())?;
    let main = ooxml::main_part(&mut package, "word/document.xml")?;
    let document = package.part(&main)?.ok_or_else(|| corrupt("this Word file has no document part"))?;
    let context = Context {
        styles: Styles::read(&package.part("word/styles.xml")?.unwrap_or_default()),
        numbering: Numbering::read(&package.part("word/numbering.xml")?.unwrap_or_default()),
        limits: output.limits(),
    };

    let mut page = String::new();
    let body = body::text(&main, &document, &context)?;
    append_parts(&mut page, &mut package, "header", &context)?;
    append(&mut page, &body.text);
    let mut related = Markdown::new(output.limits());
    let relations = package.relations(&main)?;
    ooxml::write_related(&mut package, &relations, &body.parts, output.limits(), &mut related)?;
    append(&mut page, &related.take());
    for part in ["footer", "footnotes", "endnotes", "comments"] {
        append_parts(&mut page, &mut package, part, &context)?;
    }
    output.metadata = ooxml::metadata(&mut package)?;
    output.page(&page)
}

/// What the text of a part depends on besides the part.
struct Context<'a> {
    styles: Styles,
    numbering: Numbering,
    limits: &'a Limits,
}

/// Adds the text of the parts `word/NAME.xml` or `word/NAME1.xml` and so on, the same text once: Word keeps a header
/// for first, odd and even pages.
fn append_parts(
    page: &mut String,
    package: &mut Package<'_>,
    name: &str,
    context: &Context<'_>,
) -> Result<(), Failure> {
    let mut seen = Vec::new();
    for part in package.numbered(&format!("word/{name}")) {
        let Some(xml) = package.part(&part)? else { continue };
        // A broken header is no reason to lose the body.
        let Ok(body::Text { text, .. }) = body::text(&part, &xml, context) else { continue };
        if !seen.contains(&text) {
            append(page, &text);
            seen.push(text);
        }
    }
    Ok(())
}

fn append(page: &mut String, text: &str) {
    let text = text.trim_matches('\n');
    if !text.trim().is_empty() {
        if !page.is_empty() {
            page.push_str("\n\n");
        }
        page.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::package::pack as package;
    use crate::formats::read;

    fn word(body: &str) -> Vec<u8> {
        package(&[
            ("[Content_Types].xml", "<Types>wordprocessingml.document.main</Types>"),
            ("word/document.xml", &format!("<w:document xmlns:w='w'><w:body>{body}</w:body></w:document>")),
        ])
    }

    #[test]
    fn bodies() {
        #[track_caller]
        fn check(body: &str, expect: &str) {
            assert_eq!(read(&word(body), "a.docx").expect("docx").text(), expect, "{body}");
        }
        let p = |text: &str| format!("<w:p><w:r><w:t>{text}</w:t></w:r></w:p>");
        check(&format!("{}{}", p("one"), p("two")), "one\n\ntwo");
        check("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c &amp; d</w:t></w:r></w:p>", "a\tb\nc & d");
        check(
            "<w:p><w:r><w:sym w:font='Symbol' w:char='F062'/><w:t>-carotene </w:t>\
             <w:sym w:font='Wingdings' w:char='F0FE'/><w:sym w:font='Wingdings' w:char='F021'/></w:r></w:p>",
            "β-carotene ☑",
        );
        check("<w:p><w:r><w:tab/><w:t xml:space='preserve'> </w:t><w:t>a</w:t></w:r></w:p>", "a");
        check("<w:p><w:pPr><w:pStyle w:val='Heading2'/></w:pPr><w:r><w:t>Head</w:t></w:r></w:p>", "## Head");
        check(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='1'/><w:numId w:val='3'/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>",
            "  - item",
        );
        let item = |text: &str| {
            format!("<w:p><w:pPr><w:pStyle w:val='ListBullet'/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
        };
        check(&format!("{}{}{}{}", p("a"), item("b"), item("c"), p("d")), "a\n\n- b\n- c\n\nd");
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", p(text));
        check(
            &format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>", cell("a"), cell("b"), cell("c"), cell("d")),
            "| a | b |\n| --- | --- |\n| c | d |",
        );
        let hole = "<w:tc><w:p/></w:tc>";
        check(
            &format!("<w:tbl><w:tr>{}{hole}</w:tr><w:tr>{hole}{}</w:tr></w:tbl>", cell("a"), cell("d")),
            "| a |\n| --- | --- |\n|  | d |",
        );
        check(
            "<w:p><m:oMath><m:r><m:t>f</m:t></m:r><m:d><m:e><m:r><m:t>x</m:t></m:r></m:e></m:d><m:r><m:t>=</m:t></m:r>\
             <m:nary><m:naryPr><m:chr m:val='∑'/></m:naryPr><m:sub><m:r><m:t>0</m:t></m:r></m:sub><m:sup/>\
             <m:e><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f></m:e></m:nary>\
             </m:oMath></w:p>",
            "f(x)=∑_{0}(a)/(b)",
        );
        check(
            "<w:p><w:r><w:t>kept</w:t><w:delText>deleted</w:delText><w:instrText>PAGE</w:instrText></w:r></w:p>",
            "kept",
        );
        check(
            "<w:p><mc:AlternateContent><mc:Choice><w:t>once</w:t></mc:Choice><mc:Fallback><w:t>once</w:t></mc:Fallback>\
             </mc:AlternateContent></w:p>",
            "once",
        );
    }

    #[test]
    fn pieces_in_html_are_read() {
        let bytes = package(&[
            ("[Content_Types].xml", "wordprocessingml.document.main"),
            ("word/document.xml", "<w:document xmlns:w='w' xmlns:r='r'><w:altChunk r:id='h'/></w:document>"),
            ("word/_rels/document.xml.rels", "<R><Relationship Id='h' Type='t/aFChunk' Target='/word/a.html'/></R>"),
            ("word/a.html", "<h1>Web</h1><p>page"),
        ]);
        assert_eq!(read(&bytes, "a").expect("docx").text(), "# Web\n\npage");
    }

    #[test]
    fn packages_that_are_refused() {
        #[track_caller]
        fn check(bytes: &[u8], code: FailureCode) {
            assert_eq!(read(bytes, "a.docx").expect_err("refused").code, code);
        }
        check(&package(&[("[Content_Types].xml", "wordprocessingml.document.main")]), FailureCode::CorruptFile);
        check(&word("<w:p><w:r></w:p>"), FailureCode::CorruptFile);
        check(&word(&"<w:p>".repeat(1000)), FailureCode::NestedTooDeep);
        check(&word("<w:p/>"), FailureCode::NoText);
        let whole = word("<w:p/>");
        check(&whole[..whole.len() / 2], FailureCode::CorruptFile);
    }

    #[test]
    fn metadata_is_read() {
        let bytes = package(&[
            ("[Content_Types].xml", "<Types/>"),
            ("word/document.xml", "<w:document xmlns:w='w'><w:t>text</w:t></w:document>"),
            ("docProps/core.xml", "<cp xmlns:dc='d'><dc:title>T &amp; U</dc:title><dc:creator>Ann</dc:creator></cp>"),
        ]);
        let metadata = read(&bytes, "a").expect("docx").metadata;
        assert_eq!((metadata.title.as_deref(), metadata.author.as_deref()), (Some("T & U"), Some("Ann")));
    }
}
