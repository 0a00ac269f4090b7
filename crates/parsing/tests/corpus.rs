//! Real documents: how many of the words that others found in them are found here.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use sheaf_domain::FailureCode;
use sheaf_parsing::{PageState, ParsedDocument, Pool, read_plain};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// The least share of expected words per suffix, over all files of that suffix.
const RECALL: &[(&str, f64)] = &[
    ("docx", 0.97),
    ("pptx", 0.88),
    ("xlsx", 0.9),
    ("odt", 0.97),
    ("ods", 0.95),
    ("odp", 0.9),
    ("epub", 0.95),
    ("doc", 0.98),
    ("xls", 0.95),
    ("ppt", 0.8),
    ("html", 0.95),
    ("csv", 0.95),
    ("pdf", 0.9),
];
/// The least share of files per suffix that are read at all; what is left are files without text, or locked ones.
const READ: &[(&str, f64)] = &[
    ("docx", 1.0),
    ("pptx", 0.9),
    ("xlsx", 1.0),
    ("odt", 1.0),
    ("ods", 0.75),
    ("odp", 0.6),
    ("rtf", 1.0),
    ("epub", 1.0),
    ("msg", 1.0),
    ("doc", 1.0),
    ("xls", 0.8),
    ("ppt", 1.0),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_are_found() {
    let Some(root) = support::corpus("documents") else { return };
    let pool = support::pool(support::limits());
    let mut by_suffix: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for path in files(&root) {
        let expected = PathBuf::from(format!("{}.expected.txt", path.display()));
        if !expected.is_file() {
            continue;
        }
        let suffix = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = match pool.parse(&path, &name).await {
            // What only recognition can read is measured with it, by `cargo xtask quality parsing`.
            Ok(document) if document.pages.iter().any(|page| page.state == PageState::Pictured) => continue,
            Ok(document) => document.text(),
            // Kinds that a later version reads, and scans.
            Err(failure) if matches!(failure.code, FailureCode::UnsupportedKind | FailureCode::NoText) => continue,
            Err(failure) => panic!("{name}: {failure}"),
        };
        let expected = words(&spoken(&String::from_utf8_lossy(&fs::read(expected).expect("readable"))));
        let found = words(&text);
        let hits: usize = expected.iter().map(|(word, count)| count.min(found.get(word).unwrap_or(&0))).sum();
        let all: usize = expected.values().sum();
        if (hits as f64) < 0.95 * all as f64 {
            let mut missing: Vec<&str> =
                expected.keys().filter(|word| !found.contains_key(*word)).map(String::as_str).collect();
            missing.sort_unstable();
            missing.truncate(12);
            eprintln!("{:.3} {name} ({all} words), missing {missing:?}", hits as f64 / all as f64);
        }
        let sums = by_suffix.entry(suffix).or_default();
        *sums = (sums.0 + hits as f64, sums.1 + all as f64);
    }
    pool.shutdown().await;
    for (suffix, (hits, all)) in &by_suffix {
        eprintln!("{suffix}: recall {:.4} of {all} words", hits / all);
    }
    for (suffix, least) in RECALL {
        let (hits, all) = by_suffix[*suffix];
        assert!(hits >= least * all, "{suffix}: {hits} of {all} words");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_real_document_harms_its_parser() {
    let Some(root) = support::corpus("documents") else { return };
    let pool = support::pool(support::limits());
    let (started, mut pages, mut noisy) = (Instant::now(), 0, 0);
    let mut by_suffix: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for (path, result) in parse_all(&pool, files(&root)).await {
        let suffix = path.extension().unwrap_or_default().to_string_lossy().into_owned();
        let counts = by_suffix.entry(suffix).or_default();
        *counts = (counts.0 + u32::from(result.is_ok()), counts.1 + 1);
        match result {
            Ok(document) => {
                pages += document.pages.len();
                assert!(document.pages.iter().enumerate().all(|(index, page)| page.number as usize == index + 1));
                assert!(document.pages.iter().all(|page| !page.text.contains(['\0', '\r'])));
                // Fonts that tell no letters are those of a whole document: a page here and there is a mistake.
                let noise = document.pages.iter().filter(|page| page.state == PageState::Noise).count();
                assert!(noise == 0 || noise * 2 > document.pages.len(), "{}: {noise} noisy pages", path.display());
                noisy += noise;
            }
            Err(failure) => {
                eprintln!("{}: {}: {}", path.display(), failure.code, failure.message);
                let expected = [
                    FailureCode::UnsupportedKind,
                    FailureCode::NoText,
                    FailureCode::PasswordProtected,
                    FailureCode::CorruptFile,
                    FailureCode::EmptyFile,
                ];
                assert!(expected.contains(&failure.code), "{}: {failure}", path.display());
            }
        }
    }
    eprintln!("{pages} pages in {:.2} s, {noisy} of them noise", started.elapsed().as_secs_f32());
    for (suffix, least) in READ {
        let (read, all) = by_suffix[*suffix];
        assert!(f64::from(read) >= least * f64::from(all), "{suffix}: {read} of {all} files were read");
    }
    pool.shutdown().await;
}

/// Real documents with some bytes changed, as a bad disk or a bad person would: they may fail, but not their parser.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_damaged_document_harms_its_parser() {
    let Some(root) = support::corpus("documents/office") else { return };
    let pool = support::pool(support::limits());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut damaged = Vec::new();
    for path in files(&root).into_iter().filter(|path| path.metadata().is_ok_and(|file| file.len() < 300_000)) {
        let original = fs::read(&path).expect("readable");
        for round in 0..DAMAGES {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let copy = folder.path().join(format!("{round}-{name}"));
            fs::write(&copy, damage(original.clone(), round)).expect("room");
            damaged.push(copy);
        }
    }
    let all = damaged.len();
    let mut read = 0;
    for (path, result) in parse_all(&pool, damaged).await {
        read += usize::from(result.is_ok());
        if let Err(failure) = result {
            let harm =
                [FailureCode::WorkerCrashed, FailureCode::OutOfMemory, FailureCode::TimedOut, FailureCode::Internal];
            assert!(!harm.contains(&failure.code), "{}: {failure}", path.display());
        }
    }
    eprintln!("{read} of {all} damaged documents were read");
    pool.shutdown().await;
}

/// How often each document is damaged.
const DAMAGES: u64 = 2;

/// Changes a few dozen bytes or cuts the end off, each round elsewhere. Every other round changes digits in the parts of a
/// packed document instead, whose checksums would give all else away.
fn damage(mut bytes: Vec<u8>, round: u64) -> Vec<u8> {
    let mut state = (round + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ bytes.len() as u64;
    let mut random = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    if bytes.is_empty() {
        return bytes;
    }
    if round % 2 == 1
        && let Some(changed) = with_other_digits(&bytes, &mut random)
    {
        return changed;
    }
    for _ in 0..8 + random() % 40 {
        let at = random() % bytes.len();
        bytes[at] = random() as u8;
    }
    if round % 3 == 2 {
        bytes.truncate(bytes.len() - random() % (bytes.len() / 2 + 1));
    }
    bytes
}

/// A ZIP file with some digits in its XML changed; nothing when it is none.
fn with_other_digits(bytes: &[u8], random: &mut impl FnMut() -> usize) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut changed = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).ok()?;
        let mut content = Vec::new();
        part.read_to_end(&mut content).ok()?;
        if !content.starts_with(b"\x89PNG") {
            for byte in content.iter_mut().filter(|byte| byte.is_ascii_digit()) {
                if random().is_multiple_of(8) {
                    *byte = b'0' + (random() % 10) as u8;
                }
            }
        }
        changed.start_file(part.name(), SimpleFileOptions::default()).ok()?;
        changed.write_all(&content).ok()?;
    }
    Some(changed.finish().ok()?.into_inner())
}

async fn parse_all(pool: &Pool, files: Vec<PathBuf>) -> Vec<(PathBuf, Result<ParsedDocument, sheaf_domain::Failure>)> {
    let parse = |path: PathBuf| async move {
        let result = pool.parse(&path, &*path.file_name().unwrap_or_default().to_string_lossy()).await;
        (path, result)
    };
    futures::future::join_all(files.into_iter().map(parse)).await
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if !name.contains(".expected.") && !name.ends_with("SOURCE.md") && !name.ends_with("pdf-index.tsv") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The expected text without what is not the document's: most of it is Markdown with comments in the place of images,
/// link targets, formulas as LaTeX, and entities.
fn spoken(markdown: &str) -> String {
    let text = cut(&cut(&cut(&cut(markdown, "<!--", "-->"), "](", ")"), "$$", "$$"), "$", "$");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\\_", "_")
}

/// Leaves out what stands between two marks on one line.
fn cut(text: &str, from: &str, to: &str) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(from) {
            let Some((_, behind)) = after.split_once(to) else { break };
            kept.push_str(before);
            kept.push(' ');
            rest = behind;
        }
        kept.push_str(rest);
    }
    kept
}

fn words(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    words
}

#[test]
fn what_is_plainly_english_is_english_to_the_detector_too() {
    /// What the language is told by; see `output.rs`.
    const SAMPLE: usize = 4 << 10;
    for (set, step) in [("bbc-news", 3), ("brown-genres", 1), ("banking77", 20)] {
        let Some(folder) = support::corpus(&format!("text/{set}")) else { continue };
        let lines = fs::read_to_string(folder.join("data.jsonl")).expect("a set of texts");
        for line in lines.lines().step_by(step) {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let parsed = read_plain(row["text"].as_str().expect("a text")).expect("words");
            let text = parsed.text();
            let found = whatlang::detect(&text[..text.floor_char_boundary(SAMPLE)]);
            let expect = found.filter(|found| found.is_reliable()).map(|found| found.lang().code().to_owned());
            assert_eq!(parsed.language, expect, "{set} {}", row["id"]);
        }
    }
}
