//! Text recognition on pages that are drawn here: scans, turned ones, and documents of both kinds of pages.

#[path = "support/pdf.rs"]
mod made;
#[path = "support/noise.rs"]
mod noise;

use std::fs;
use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Mutex;

use image::{GrayImage, ImageFormat, imageops};
use sheaf_domain::FailureCode;
use sheaf_parsing::{PictureFor, Pool, PoolConfig, Reader, Recogniser, find_pdfium, find_tesseract};
use tempfile::TempDir;

const SENTENCE: &str = "The harbour was widened before winter";

fn reader(program: Option<PathBuf>, languages: &str) -> Reader {
    let worker = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    let pool = Pool::new(PoolConfig { pdfium: find_pdfium(), ..PoolConfig::new(worker, 2) });
    Reader::new(pool, Recogniser::new(program, languages.to_owned(), 2))
}

fn with_tesseract() -> Reader {
    let program = find_tesseract().expect("these tests need Tesseract: `cargo xtask test` installs it");
    reader(Some(program), "eng")
}

fn stored(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    fs::write(&file, bytes).expect("room");
    (folder, file)
}

/// A page with the sentence as it comes from a scanner.
async fn scan(reader: &Reader) -> GrayImage {
    let (_folder, file) = stored("page.pdf", &made::pdf(&[SENTENCE]));
    let purpose = PictureFor::Recognition { dpi: 200, pixels: u64::MAX };
    let page = reader.pool().picture(&file, "page.pdf", 1, purpose).await.expect("drawn");
    GrayImage::from_raw(page.width, page.height, page.bytes.to_vec()).expect("as many pixels as it says")
}

fn png(picture: &GrayImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("encodable");
    bytes.into_inner()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_read_and_its_words_have_places() {
    let reader = with_tesseract();
    let (_folder, file) = stored("scan.png", &png(&scan(&reader).await));
    let document = reader.read(&file, &"scan.png".into(), &|_, _| {}).await.expect("readable");
    assert_eq!(document.text(), SENTENCE);
    assert_eq!(document.words, 6);
    let (page, found) = &document.recognised[0];
    assert_eq!((*page, found.words.len()), (1, 6));
    assert!(found.confidence > 0.8, "{}", found.confidence);
    // The sentence begins 72 of 595 points from the left; its letters end 760 of 842 points above the lower edge.
    let first = found.words[0];
    assert!((1150..1300).contains(&first.left) && (700..1000).contains(&first.top), "{first:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_on_its_head_is_read_and_its_words_stay_where_they_are() {
    let reader = with_tesseract();
    // Orientation is only told from some lines of text.
    let mut page = scan(&reader).await;
    let line = imageops::crop_imm(&page, 0, 150, page.width(), 120).to_image();
    for row in 1..8 {
        imageops::replace(&mut page, &line, 0, 150 + row * 200);
    }
    let (_folder, file) = stored("scan.png", &png(&imageops::rotate180(&page)));
    let document = reader.read(&file, &"scan.png".into(), &|_, _| {}).await.expect("readable");
    assert_eq!(document.text().matches(SENTENCE).count(), 8, "{}", document.text());
    let first = document.recognised[0].1.words[0];
    assert!(first.left + first.width > 8500 && first.top > 8500, "it stands at the lower right: {first:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_pages_without_words_are_recognised() {
    let reader = with_tesseract();
    let (_folder, file) = stored("report.pdf", &made::pdf(&["Words of its own", ""]));
    let document = reader.read(&file, &"report.pdf".into(), &|_, _| {}).await.expect("readable");
    assert!(document.recognised.is_empty(), "an empty page shows nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_layer_of_noise_is_recognised_and_one_of_code_is_not() {
    let code = ["for (i = 0; i < len; i++) dst[i] = src[i] ^ msk;", "fprintf(stderr, fmt, ptr); // 0x1f 17.5 1,204"];
    let (_folder, file) = stored("noise.pdf", &noise::noisy_pdf(&noise::LINES, &code));
    let told = Mutex::new(Vec::new());
    let on_pages = |done, total| told.lock().expect("whole").push((done, total));
    let document = with_tesseract().read(&file, &"noise.pdf".into(), &on_pages).await.expect("readable");
    for page in &document.pages[..2] {
        let read: Vec<&str> = page.text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(read, noise::LINES);
    }
    assert_eq!(document.pages[2].text, code.join("\n"));
    assert_eq!(document.recognised.iter().map(|(page, _)| *page).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(document.language.as_deref(), Some("eng"));
    let said = &document.problems[0];
    assert!(
        said.page == Some(1) && said.message.starts_with("the text of pages 1, 2 (2 of 3) could not be used"),
        "{said:?}"
    );
    assert_eq!(told.lock().expect("whole").last(), Some(&(3, 3)));

    let document = reader(None, "eng").read(&file, &"noise.pdf".into(), &|_, _| {}).await.expect("it has some text");
    assert!(document.pages[1].text.contains("Ymj mfwgtzw bfx bnijsji"), "{}", document.pages[1].text);
    let said = &document.problems[0].message;
    assert!(said.starts_with("the text of pages 1, 2 (2 of 3) is not readable"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_engine_a_picture_says_what_is_missing() {
    let (_folder, file) = stored("scan.png", &png(&scan(&with_tesseract()).await));
    let code = async |reader: Reader| {
        reader.read(&file, &"scan.png".into(), &|_, _| {}).await.map_err(|part| part.failure.code)
    };
    assert_eq!(code(reader(None, "eng")).await.map(|_| ()), Err(FailureCode::OcrMissing));
    let unknown = reader(find_tesseract(), "xxx");
    assert_eq!(code(unknown).await.map(|_| ()), Err(FailureCode::OcrMissing));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_picture_without_text_says_so_and_progress_is_told() {
    let reader = with_tesseract();
    let (_folder, file) = stored("white.png", &png(&GrayImage::from_pixel(300, 300, image::Luma([255]))));
    let told = Mutex::new(Vec::new());
    let on_pages = |done, total| told.lock().expect("whole").push((done, total));
    let part = reader.read(&file, &"white.png".into(), &on_pages).await.expect_err("nothing is on it");
    assert_eq!(part.failure.code, FailureCode::NoText);
    assert_eq!(*told.lock().expect("whole"), [(0, 1), (1, 1)]);
}
