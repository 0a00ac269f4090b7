//! Small files, made here.

use proptest::prelude::{any, proptest};
use sheaf_domain::FailureCode;

use crate::formats::read;
use crate::limits::Limits;

fn text(body: &str) -> String {
    read(format!("{{\\rtf1\\ansi\\ansicpg1252 {body}}}").as_bytes(), "a.rtf").expect("rtf").text()
}

#[test]
fn bodies() {
    #[track_caller]
    fn check(body: &str, expect: &str) {
        assert_eq!(text(body), expect, "{body}");
    }
    check("one\\par two {\\b bold}\\line three\\par", "one\n\ntwo bold\nthree");
    check("caf\\'e9 \\{x\\} a\\~b opt\\-ional\\_x", "café {x} a\u{a0}b optional-x");
    check("\\uc1\\u8364?\\u-10179\\'3f\\u-8704?x {\\uc2\\u233\\'3f\\'3f}y", "€😀x éy");
    check("\\u-3999?-helix \\u-3913? a", "α-helix • a");
    check("{\\fonttbl{\\f0 Arial;}{\\f1\\fcharset204 Cyr;}}{\\f1\\'ef\\'f0\\'e8}\\'e9", "приé");
    check("{\\fonttbl{\\f0\\fcharset128 MS;}}{\\f0\\'93\\'fa\\'96{\\b x}}", "日\u{fffd}x");
    check("a{\\*\\unknown gone}{\\pict\\bin3 }}}gone}b{\\v hidden}{\\fldinst HYPERLINK}{\\fldrslt link}", "ablink");
    check("text{\\footnote note}{\\header Above}", "Above\n\ntext\n\nnote");
    check("{\\header A}{\\headerf A}{\\header aA}{\\footnote n}{\\footnote n}x", "A\n\naA\n\nx\n\nn\n\nn");
    check("{\\*\\atnauthor Ann}{\\*\\annotation Why?}x", "x\n\nComment by Ann: Why?");
    check("{\\stylesheet{\\s1 heading 1;}{\\s7 Body;}}\\pard\\s1 Head\\par\\pard\\s7 text\\par", "# Head\n\ntext");
    check("\\pard\\outlinelevel1 Second\\par", "## Second");
    check("{\\listtext\\'b7\\tab}\\pard\\ls1 a\\par{\\listtext 2.\\tab}\\ilvl1 b\\par", "- a\n  2. b");
    check("{\\upr{ansi}{\\*\\ud{unicode}}}", "unicode");
    check("a{\\shp{\\*\\shpinst{\\sp{\\sn x}{\\sv 1}}{\\shptxt box\\par}}{\\shprslt box}}b", "abox\n\nb");
}

#[test]
fn tables() {
    let row = |a: &str, b: &str| format!("\\trowd\\cellx1\\cellx2\\pard\\intbl {a}\\cell {b}\\cell\\row");
    let body = format!("{}{}\\pard after\\par", row("a", "b\\par c"), row("d", ""));
    assert_eq!(text(&body), "| a | b c |\n| --- | --- |\n| d |\n\nafter");
}

#[test]
fn metadata_is_read() {
    let info =
        "{\\info{\\title On ships}{\\author Ann}{\\creatim\\yr2024\\mo5\\dy6\\hr7\\min8}}{\\*\\generator Riched20;}x";
    let document = read(format!("{{\\rtf1{info}}}").as_bytes(), "a").expect("rtf");
    assert_eq!(document.text(), "x");
    let metadata = document.metadata;
    assert_eq!(metadata.title.as_deref(), Some("On ships"));
    assert_eq!(metadata.author.as_deref(), Some("Ann"));
    assert_eq!(metadata.created.as_deref(), Some("2024-05-06T07:08"));
    assert_eq!(metadata.producer.as_deref(), Some("Riched20"));
}

#[test]
fn broken_files() {
    assert_eq!(read(b"{\\rtf1 cut", "a").expect("as far as it goes").problems.len(), 1);
    assert_eq!(
        read(format!("{{\\rtf1{}", "{".repeat(10_000)).as_bytes(), "a").expect_err("deep").code,
        FailureCode::NestedTooDeep
    );
    assert_eq!(read(b"{\\rtf1\\par}", "a").expect_err("empty").code, FailureCode::NoText);
}

proptest! {
    #[test]
    fn noise_never_panics(noise in any::<Vec<u8>>(), words in "(\\\\(par|cell|row|u-?[0-9]{1,5}|bin[0-9]{1,3}|uc9|'8f|\\*|intbl)|[{}a ;]){0,60}") {
        let limits = Limits::default();
        for bytes in [[b"{\\rtf1", noise.as_slice()].concat(), format!("{{\\rtf1{words}").into_bytes()] {
            let _ = super::Reader::new(&limits).read(&bytes);
        }
    }
}
