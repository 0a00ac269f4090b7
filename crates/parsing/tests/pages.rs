//! Pages by the pool: read in ranges by several children, and turned into pictures.

#[path = "support/pdf.rs"]
mod made;

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageFormat, Rgb, RgbImage};
use sheaf_domain::{DocumentKind, FailureCode};
use sheaf_parsing::{PageState, PictureFor, Pool, PoolConfig, find_pdfium};
use tempfile::TempDir;

fn stored(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    fs::write(&file, bytes).expect("room");
    (folder, file)
}

fn pool_of(pages_per_job: u32) -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    Pool::new(PoolConfig { pdfium: find_pdfium(), pages_per_job, ..PoolConfig::new(program, 2) })
}

async fn texts(pool: &Pool, file: &Path) -> Vec<String> {
    let document = pool.parse(file, "report.pdf").await.expect("readable");
    assert!(document.pages.iter().zip(1..).all(|(page, number)| page.number == number));
    document.pages.into_iter().map(|page| page.text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_in_ranges_is_the_same_document() {
    let numbered: Vec<String> = (1..=23).map(|page| format!("Sheet {page} of the harbour log")).collect();
    let pages: Vec<&str> = numbered.iter().map(String::as_str).collect();
    let (_folder, file) = stored("report.pdf", &made::pdf(&pages));
    let whole = texts(&pool_of(1000), &file).await;
    assert_eq!(whole, numbered);
    assert_eq!(texts(&pool_of(5), &file).await, whole);
    assert_eq!(texts(&pool_of(1), &file).await, whole);
}

#[tokio::test]
async fn a_first_range_without_text_is_no_failure_and_a_whole_document_without_is() {
    let pool = pool_of(1);
    let (_folder, file) = stored("report.pdf", &made::pdf(&["", "Words"]));
    assert_eq!(texts(&pool, &file).await, ["", "Words"]);
    let (_folder, file) = stored("report.pdf", &made::pdf(&["", ""]));
    assert_eq!(pool.parse(&file, "report.pdf").await.expect_err("empty").code, FailureCode::NoText);
}

#[tokio::test]
async fn a_page_is_drawn_in_the_wanted_size() {
    let pool = pool_of(32);
    let (_folder, file) = stored("report.pdf", &made::pdf(&["First", "Second"]));
    let seen = pool.picture(&file, "report.pdf", 2, PictureFor::Eye { width: 300 }).await.expect("drawn");
    assert_eq!((seen.width, seen.height), (300, 425));
    let decoded = image::load_from_memory_with_format(&seen.bytes, ImageFormat::WebP).expect("WebP").into_rgb8();
    let dark = decoded.pixels().filter(|pixel| pixel.0.iter().all(|&value| value < 128)).count();
    assert!((50..5000).contains(&dark), "{dark} dark pixels: a word on white");

    let grey = PictureFor::Recognition { dpi: 144, pixels: u64::MAX };
    let grey = pool.picture(&file, "report.pdf", 1, grey).await.expect("drawn");
    assert_eq!((grey.width, grey.height, grey.dpi, grey.bytes.len()), (1190, 1684, Some(144), 1190 * 1684));
    let missing = pool.picture(&file, "report.pdf", 3, PictureFor::Eye { width: 9 }).await.expect_err("two pages");
    assert_eq!(missing.code, FailureCode::CorruptFile);
}

#[tokio::test]
async fn an_image_is_a_pictured_page() {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::from_pixel(40, 20, Rgb([200, 10, 10])).write_to(&mut bytes, ImageFormat::Png).expect("encodable");
    let (_folder, file) = stored("red.dat", &bytes.into_inner());
    let pool = pool_of(32);
    let document = pool.parse(&file, "red.dat").await.expect("an image");
    assert_eq!((document.kind, document.pages.len()), (DocumentKind::Png, 1));
    assert_eq!((document.pages[0].state, document.pages[0].text.as_str()), (PageState::Pictured, ""));
    let seen = pool.picture(&file, "red.dat", 1, PictureFor::Eye { width: 10 }).await.expect("drawn");
    assert_eq!((seen.width, seen.height), (10, 5));
}
