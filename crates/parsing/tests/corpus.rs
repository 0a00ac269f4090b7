//! Real documents: how many of the words that others found in them are found here.

mod support;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use sheaf_domain::FailureCode;
use sheaf_parsing::{PageState, ParsedDocument, Pool};

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
    let (started, mut pages) = (Instant::now(), 0);
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
    eprintln!("{pages} pages in {:.2} s", started.elapsed().as_secs_f32());
    for (suffix, least) in READ {
        let (read, all) = by_suffix[*suffix];
        assert!(f64::from(read) >= least * f64::from(all), "{suffix}: {read} of {all} files were read");
    }
    pool.shutdown().await;
}

async fn parse_all(pool: &Pool, files: Vec<PathBuf>) -> Vec<(PathBuf, Result<ParsedDocument, sheaf_domain::Failure>)> {
    let parse = |path: PathBuf| async move {
        let result = pool.parse(&path, &path.file_name().unwrap_or_default().to_string_lossy()).await;
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
