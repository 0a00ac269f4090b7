//! Accents that a PDF draws as signs of their own, as in papers set by TeX.

#[path = "support/pdf.rs"]
mod made;

use std::fs;
use std::path::PathBuf;

use sheaf_parsing::{Pool, PoolConfig, Quote, find_pdfium};

/// In the standard encoding `\302` is an acute accent 333 wide, `\301` a grave one, `\365` an `i` without its dot. The
/// numbers move back, so that what follows is drawn under the accent.
const TEXT: &str = r"Versi) Tj [(\302) 445 (on de Garc) -20 (\302) 305 (\365a: )] TJ (\301o\301";

#[tokio::test]
async fn an_accent_drawn_over_a_letter_is_one_letter_with_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("accents.pdf");
    fs::write(&file, made::pdf(&[TEXT])).expect("room");
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    let pool = Pool::new(PoolConfig { pdfium: find_pdfium(), ..PoolConfig::new(program, 1) });
    let document = pool.parse(&file, "accents.pdf").await.expect("readable");
    let text = &document.pages[0].text;
    assert_eq!(text, "Versión de García: `o`");

    let at = text.find("García").expect("it is there");
    let quote = Quote::of(text, at..at + "García".len()).expect("a quote");
    let found = pool.boxes(&file, "accents.pdf", 1, quote).await.expect("it is there");
    // `Versión de ` and `García` in Helvetica of 24 points from 72, by the widths of its letters.
    let (before, width) = (f32::from(4946_i16) * 0.024, f32::from(3049_i16) * 0.024);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!((found[0].left * 595.0 - 72.0 - before).abs() < 6.0, "{found:?}");
    assert!((found[0].width * 595.0 - width).abs() < 6.0, "{found:?}");
}
