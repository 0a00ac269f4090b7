//! Small documents, made here.

use std::time::Instant;

use sheaf_domain::FailureCode;

use crate::formats::package::pack;
use crate::formats::read;

const NAMES: &str = "xmlns:office='o' xmlns:text='t' xmlns:table='b' xmlns:draw='d' xmlns:presentation='p' \
                     xmlns:style='s' xmlns:dc='c' xmlns:meta='m'";

fn packed(kind: &str, content: &str) -> Vec<u8> {
    let body = match kind {
        "text" => "text",
        "spreadsheet" => "spreadsheet",
        _ => "presentation",
    };
    let content = format!(
        "<office:document-content {NAMES}>{STYLES}<office:body><office:{body}>{content}</office:{body}></office:body>\
         </office:document-content>"
    );
    let styles = format!(
        "<office:document-styles {NAMES}><style:master-page><style:header><text:p>Above</text:p></style:header>\
         <style:footer><text:p>Below</text:p></style:footer></style:master-page></office:document-styles>"
    );
    let meta = format!(
        "<office:document-meta {NAMES}><office:meta><dc:title>On ships</dc:title><meta:initial-creator>Ann\
         </meta:initial-creator><meta:creation-date>2024-05-06T07:08:09</meta:creation-date></office:meta>\
         </office:document-meta>"
    );
    pack(&[
        ("mimetype", &format!("application/vnd.oasis.opendocument.{kind}")),
        ("content.xml", &content),
        ("styles.xml", &styles),
        ("meta.xml", &meta),
    ])
}

const STYLES: &str = "<style:style style:name='P1' style:parent-style-name='Title'/>\
    <text:list-style style:name='L1'><text:list-level-style-number text:level='1' style:num-format='1' \
    style:num-suffix='.'/><text:list-level-style-number text:level='2' style:num-format='a' style:num-prefix='(' \
    style:num-suffix=')'/></text:list-style>";

fn text(content: &str) -> String {
    let text = read(&packed("text", content), "a.odt").expect("odt").text();
    text.trim_start_matches("Above\n\n").trim_end_matches("\n\nBelow").to_owned()
}

#[test]
fn texts() {
    #[track_caller]
    fn check(content: &str, expect: &str) {
        assert_eq!(text(content), expect, "{content}");
    }
    check(
        "<text:p>one <text:span>t</text:span>wo\n   three<text:s text:c='2'/>.<text:line-break/>four</text:p>",
        "one two three  .\nfour",
    );
    check(
        "<text:p text:style-name='P1'>Title</text:p><text:h text:outline-level='2'>Head</text:h>",
        "# Title\n\n## Head",
    );
    check(
        "<text:p>a<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>note</text:p></text:note-body>\
         </text:note>b</text:p><text:p>c<office:annotation><dc:creator>Ann</dc:creator><text:p>why</text:p>\
         </office:annotation></text:p>",
        "ab\n\nc\n\nnote\n\nComment by Ann: why",
    );
    check("<text:tracked-changes><text:p>gone</text:p></text:tracked-changes><text:p>kept</text:p>", "kept");
    check(
        "<text:p><draw:frame><draw:text-box><text:p>box</text:p></draw:text-box></draw:frame>around</text:p>",
        "box\n\naround",
    );
}

#[test]
fn lists_have_their_numbers() {
    let item = |text: &str, inner: &str| format!("<text:list-item><text:p>{text}</text:p>{inner}</text:list-item>");
    let inner = format!("<text:list>{}{}</text:list>", item("b", ""), item("c", ""));
    let list = format!(
        "<text:list text:style-name='L1'>{}{}</text:list>",
        item("a", &inner),
        item("d", "<text:p>more</text:p>")
    );
    let bullets = format!("<text:list>{}</text:list>", item("e", ""));
    assert_eq!(text(&format!("{list}{bullets}")), "1. a\n  (a) b\n  (b) c\n2. d\n\nmore\n\n- e");
}

#[test]
fn a_text_has_its_surroundings_and_metadata() {
    let document = read(&packed("text", "<text:p>x</text:p>"), "a").expect("odt");
    assert_eq!(document.text(), "Above\n\nx\n\nBelow");
    let metadata = document.metadata;
    assert_eq!((metadata.title.as_deref(), metadata.author.as_deref()), (Some("On ships"), Some("Ann")));
    assert_eq!(metadata.created.as_deref(), Some("2024-05-06T07:08:09"));
}

#[test]
fn sheets_are_pages() {
    let cell = |text: &str| format!("<table:table-cell><text:p>{text}</text:p></table:table-cell>");
    let rows = format!(
        "<table:table-row>{}{}</table:table-row><table:table-row table:number-rows-repeated='2'>\
         <table:table-cell table:number-columns-repeated='1'/><table:table-cell office:value='7'/></table:table-row>\
         <table:table-row table:number-rows-repeated='1048573'><table:table-cell table:number-columns-repeated='16384'/>\
         </table:table-row>",
        cell("a"),
        cell("b")
    );
    let sheets = format!("<table:table table:name='One'>{rows}</table:table><table:table table:name='Two'/>");
    let document = read(&packed("spreadsheet", &sheets), "a").expect("ods");
    let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(pages, ["# One\n\n| a | b |\n| --- | --- |\n|  | 7 |\n|  | 7 |", ""]);
}

#[test]
fn repeated_cells_are_bounded() {
    let cell = format!(
        "<table:table-cell table:number-columns-repeated='4000000000'><text:p>{}</text:p></table:table-cell>",
        "x".repeat(10_000)
    );
    let row = format!(
        "<table:table table:name='S'><table:table-row table:number-rows-repeated='4000000000'>{cell}</table:table-row></table:table>"
    );
    let started = Instant::now();
    assert_eq!(read(&packed("spreadsheet", &row), "a").expect_err("too much").code, FailureCode::TooMuchText);
    assert!(started.elapsed().as_secs() < 20);
}

#[test]
fn slides_are_pages() {
    let frame = |class: &str, text: &str| {
        format!(
            "<draw:frame presentation:class='{class}'><draw:text-box><text:p>{text}</text:p></draw:text-box></draw:frame>"
        )
    };
    let notes = format!("<presentation:notes>{}{}</presentation:notes>", frame("page", "1"), frame("notes", "Slowly"));
    let first = format!("<draw:page>{}{}{notes}</draw:page>", frame("outline", "point"), frame("title", "Head"));
    let second = format!("<draw:page>{}</draw:page>", frame("subtitle", "end"));
    let document = read(&packed("presentation", &format!("{first}{second}")), "a").expect("odp");
    let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(pages, ["# Head\n\npoint\n\n### Notes\n\nSlowly", "end"]);
}

#[test]
fn flat_files_are_read() {
    let xml = format!(
        "<?xml version='1.0'?><office:document {NAMES} office:mimetype='application/vnd.oasis.opendocument.text'>\
         <office:meta><dc:title>T</dc:title></office:meta><office:body><office:text><text:p>flat\
         <draw:image><office:binary-data>aGVsbG8=</office:binary-data></draw:image></text:p></office:text></office:body>\
         </office:document>"
    );
    let document = read(xml.as_bytes(), "a.xml").expect("fodt");
    assert_eq!((document.text().as_str(), document.metadata.title.as_deref()), ("flat", Some("T")));
}

#[test]
fn broken_files_are_refused() {
    #[track_caller]
    fn check(bytes: &[u8], code: FailureCode) {
        assert_eq!(read(bytes, "a.odt").expect_err("refused").code, code);
    }
    check(&pack(&[("mimetype", "application/vnd.oasis.opendocument.text")]), FailureCode::CorruptFile);
    check(&packed("text", "<text:p>"), FailureCode::CorruptFile);
    check(&packed("text", &"<text:span>".repeat(1000)), FailureCode::NestedTooDeep);
    check(b"no zip at all", FailureCode::CorruptFile);
}
