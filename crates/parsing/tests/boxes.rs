//! Quotes found on the pages of a PDF that says where its words are: Courier, each letter 12 points wide.

use std::path::{Path, PathBuf};

use sheaf_domain::{FailureCode, PageBox};
use sheaf_parsing::{Pool, PoolConfig, Quote, find_pdfium};

struct Document {
    pool: Pool,
    file: PathBuf,
    pages: Vec<String>,
}

impl Document {
    async fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pages/quotes.pdf");
        let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
        let pool = Pool::new(PoolConfig { pdfium: find_pdfium(), ..PoolConfig::new(program, 1) });
        let document = pool.parse(&file, "quotes.pdf").await.expect("readable");
        let pages = document.pages.into_iter().map(|page| page.text).collect();
        Self { pool, file, pages }
    }

    async fn boxes(&self, page: u32, words: &str) -> Vec<PageBox> {
        let text = &self.pages[page as usize - 1];
        let start = text.find(words).unwrap_or_else(|| panic!("{words:?} in {text:?}"));
        let quote = Quote::of(text, start..start + words.len()).expect("a quote");
        self.pool.boxes(&self.file, "quotes.pdf", page, quote).await.expect("it is there")
    }
}

fn near(one: f32, other: f32) -> bool {
    (one - other).abs() < 0.002
}

/// Whether a box begins and ends at these points of a page so wide, stands on a line so far down, and is about 20 points high.
#[track_caller]
fn check_line(found: &PageBox, (from, to, width): (f32, f32, f32), (line, height): (f32, f32)) {
    assert!(near(found.left, from / width) && near(found.right(), to / width), "{found:?}");
    assert!(found.top < line / height && found.bottom() > line / height, "{found:?}");
    assert!((16.0..28.0).contains(&(found.height * height)), "{found:?}");
}

#[tokio::test]
async fn words_are_boxed_where_they_stand() {
    let document = Document::read().await;
    let found = document.boxes(1, "closes").await;
    assert_eq!(found.len(), 1);
    // The twelfth to the seventeenth letter of a line that begins at 100.
    check_line(&found[0], (232.0, 304.0, 595.0), (842.0 - 700.0, 842.0));

    let found = document.boxes(1, "14 March.\nBids are").await;
    assert_eq!(found.len(), 2, "a box for each line: {found:?}");
    check_line(&found[0], (352.0, 460.0, 595.0), (842.0 - 700.0, 842.0));
    check_line(&found[1], (100.0, 196.0, 595.0), (842.0 - 670.0, 842.0));
}

#[tokio::test]
async fn the_same_words_twice_are_told_apart() {
    let document = Document::read().await;
    let text = &document.pages[0];
    let second = text.rfind("tender").expect("twice");
    let quote = Quote::of(text, second..second + 6).expect("a quote");
    let found = document.pool.boxes(&document.file, "quotes.pdf", 1, quote).await.expect("it is there");
    check_line(&found[0], (148.0, 220.0, 595.0), (842.0 - 640.0, 842.0));

    // A text that was read otherwise counts otherwise: the nearest place is taken.
    let quote = Quote { before: 40, text: "ten der".to_owned() };
    let near_second = document.pool.boxes(&document.file, "quotes.pdf", 1, quote).await.expect("it is there");
    assert_eq!(near_second, found);
}

#[tokio::test]
async fn a_page_that_is_cropped_and_turned_is_boxed_as_it_is_shown() {
    let document = Document::read().await;
    let found = document.boxes(2, "seven").await;
    assert_eq!(found.len(), 1, "a line that runs down is one line: {found:?}");
    // 600 by 700 points are left, turned to the right: 700 wide and 600 high, lines running down.
    let PageBox { left, top, .. } = found[0];
    assert!(near(top, 148.0 / 600.0) && near(found[0].bottom(), 208.0 / 600.0), "{found:?}");
    assert!(left < 300.0 / 700.0 && found[0].right() > 300.0 / 700.0, "{found:?}");
}

#[tokio::test]
async fn a_note_is_boxed_as_a_whole_and_strange_words_are_not_found() {
    let document = Document::read().await;
    let found = document.boxes(3, "the board").await;
    assert_eq!(found.len(), 1, "{found:?}");
    let PageBox { left, top, width, height } = found[0];
    assert!(near(left, 100.0 / 595.0) && near(top, 202.0 / 842.0), "{found:?}");
    assert!(near(width, 200.0 / 595.0) && near(height, 40.0 / 842.0), "{found:?}");

    let asked = async |page, text: &str| {
        let quote = Quote { before: 0, text: text.to_owned() };
        document.pool.boxes(&document.file, "quotes.pdf", page, quote).await.expect_err("not there").code
    };
    assert_eq!(asked(1, "harbour").await, FailureCode::NotFound);
    assert_eq!(asked(1, " ").await, FailureCode::NotFound);
    assert_eq!(asked(9, "tender").await, FailureCode::CorruptFile);
}
