//! Files made to break a parser, all in one batch with good documents: each ends as its row of the corpus says, the good
//! ones do not notice, nothing is written elsewhere and memory stays bounded.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Server, analyze, files, pile};

/// The good documents beside them.
const GOOD: usize = 50;

/// Failures that are the product's, never a document's.
const OURS: &[&str] = &["internal", "storage", "pdfium_missing", "model_missing", "weak_sandbox"];

/// A row of `cases.tsv`.
struct Case {
    file: String,
    upload_name: String,
    expect: String,
    must_not: String,
}

/// What became of a file and, if it is an archive or a letter, of all in it.
struct Outcome<'a> {
    rows: Vec<&'a Value>,
}

impl Outcome<'_> {
    fn completed(&self) -> usize {
        self.rows.iter().filter(|row| row["status"] == "completed").count()
    }

    /// Whether it is of a kind that is known and not read.
    fn is_unread(&self) -> bool {
        let known = self.rows.iter().all(|row| row["kind"] != "unknown");
        known && self.completed() == 0 && self.codes().iter().eq(&["unsupported_kind"])
    }

    fn codes(&self) -> BTreeSet<&str> {
        self.rows.iter().filter_map(|row| row["error_code"].as_str()).collect()
    }
}

fn cases(root: &Path) -> Vec<Case> {
    let table = fs::read_to_string(root.join("cases.tsv")).expect("the corpus has a table");
    let rows = table.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    rows.map(|row| Case {
        upload_name: serde_json::from_str(&row[1]).unwrap_or_else(|_| row[1].clone()),
        file: row[0].clone(),
        expect: row[4].clone(),
        must_not: row[5].clone(),
    })
    .collect()
}

/// Different documents from few, each with a line of its own.
fn good_documents() -> Vec<(String, Vec<u8>)> {
    let texts: Vec<_> = files(&pile()).into_iter().filter(|(path, _)| path.ends_with(".txt")).collect();
    (0..GOOD)
        .map(|number| {
            let (path, text) = &texts[number % texts.len()];
            let mut text = text.clone();
            text.extend_from_slice(format!("\n\nCopy number {number}.\n").as_bytes());
            (format!("good/{number}-{}", path.replace('/', "-")), text)
        })
        .collect()
}

#[test]
fn every_hostile_file_ends_as_expected_beside_fifty_good_ones() {
    let Some(root) = support::corpus("hostile") else { return };
    let cases = cases(&root);
    let work = tempfile::tempdir().expect("a folder");
    let (input, out) = (work.path().join("in"), work.path().join("out"));
    for case in &cases {
        let to = input.join(&case.file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::copy(root.join(&case.file), to).expect("the corpus is complete");
    }
    for (path, text) in good_documents() {
        let to = input.join(path);
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::write(to, text).expect("written");
    }
    let before = temporary_files();

    let started = Instant::now();
    let (from, to) = (input.to_string_lossy(), out.to_string_lossy());
    let ended = analyze(&[&from, "--out", &to, "--model", "fast", "--text", "--parse-seconds", "20"]);
    let took = started.elapsed();
    assert_eq!(ended.status.code(), Some(2), "{}", String::from_utf8_lossy(&ended.stderr));
    assert!(took < Duration::from_secs(180), "{took:?}");

    let rows: Vec<Value> = fs::read_to_string(out.join("documents.jsonl"))
        .expect("written")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let good = rows.iter().filter(|row| row["path"].as_str().is_some_and(|path| path.starts_with("good/")));
    let good: Vec<_> = good.map(|row| row["status"].as_str()).collect();
    assert_eq!(good, vec![Some("completed"); GOOD]);

    let mut complaints = Vec::new();
    for case in &cases {
        let outcome = outcome(&rows, &case.file);
        if let Some(complaint) = complaint(case, &outcome) {
            let (read, codes) = (outcome.completed(), outcome.codes());
            complaints.push(format!("{}: {complaint}; {read} read, {codes:?} (expected: {})", case.file, case.expect));
        }
        complaints.extend(forbidden(case, &outcome, &out));
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));

    let written: Vec<_> = fs::read_dir(work.path()).expect("there").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(written.len(), 2, "{written:?}");
    assert_eq!(temporary_files(), before, "nothing is written elsewhere");
    let timings: Value = serde_json::from_slice(&fs::read(out.join("timings.json")).expect("written")).expect("JSON");
    let peak = |key: &str| timings[key].as_u64().expect("bytes") >> 20;
    assert!(peak("peak_memory_bytes") < 1024, "{timings}");
    assert!(peak("peak_parser_memory_bytes") < 1536, "{timings}");
}

/// Files with names that the corpus tries to place outside: `/tmp/*evil*`.
fn temporary_files() -> BTreeSet<PathBuf> {
    let evil = |path: &PathBuf| path.to_string_lossy().to_ascii_lowercase().contains("evil");
    let folders = [std::env::temp_dir(), PathBuf::from("/tmp"), PathBuf::from("/")];
    folders
        .iter()
        .filter_map(|folder| fs::read_dir(folder).ok())
        .flatten()
        .flatten()
        .map(|e| e.path())
        .filter(evil)
        .collect()
}

fn outcome<'a>(rows: &'a [Value], file: &str) -> Outcome<'a> {
    let inside = format!("{file}!/");
    let own = |path: &str| path == file || path.starts_with(&inside);
    Outcome { rows: rows.iter().filter(|row| row["path"].as_str().is_some_and(own)).collect() }
}

/// What is wrong with an outcome, by the words of its row.
fn complaint(case: &Case, outcome: &Outcome<'_>) -> Option<String> {
    let Case { file, expect, .. } = case;
    let wants = |word: &str| expect.split([' ', ';']).next() == Some(word);
    let (completed, codes) = (outcome.completed(), outcome.codes());
    if outcome.rows.is_empty() {
        return Some("it is not listed".into());
    }
    if let Some(code) = codes.iter().find(|code| OURS.contains(code)) {
        return Some(format!("`{code}` is not the file's fault"));
    }
    if outcome.is_unread() {
        return Some("its kind is known and not read".into());
    }
    if expect.contains("password") {
        return (!codes.contains("password_protected")).then(|| "it should be called password protected".into());
    }
    // Words are read as words, whatever image the name promises.
    if expect.contains(" or ") || wants("either") || file == "image/text-as.jpg" {
        return None;
    }
    if wants("reject") {
        return (completed > 0).then(|| "it should have been refused".into());
    }
    if wants("accept") {
        // An archive of empty files was read when these are listed.
        let empty = codes.iter().eq(&["empty_file"]);
        return (completed == 0 && !empty).then(|| "it should have been read".into());
    }
    Some("the test does not know what that means".into())
}

/// What happened that must not, as far as results show it; running and connecting are what the cage's own test tries.
fn forbidden(case: &Case, outcome: &Outcome<'_>, out: &Path) -> Vec<String> {
    let mut complaints = Vec::new();
    for row in outcome.rows.iter().filter(|row| row["status"] == "completed") {
        let path = row["path"].as_str().expect("a path");
        let text = fs::read_to_string(out.join("text").join(format!("{path}.txt"))).unwrap_or_default();
        if text.contains("root:x:0:0") || text.contains('\0') {
            complaints.push(format!("{path}: text that must not be there ({})", case.must_not));
        }
        if row["words"].as_u64() < Some(1) {
            complaints.push(format!("{path}: an empty document was completed in silence"));
        }
    }
    complaints
}

/// The names that senders give are only shown: each file of the corpus under the name that its row has for it.
#[tokio::test]
async fn hostile_names_are_only_shown() {
    let Some(root) = support::corpus("hostile") else { return };
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let named: Vec<_> = cases(&root)
        .into_iter()
        .filter(|case| case.file.starts_with("upload-name/"))
        .map(|case| (case.upload_name, fs::read(root.join(&case.file)).expect("the corpus is complete")))
        .collect();
    let before = temporary_files();
    let (status, batch) = server.upload(&[("model", "fast")], &named).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id");
    server.finished(id).await;
    let (_, page) = server.get(&format!("/api/batches/{id}/documents?limit=200")).await;
    let rows = page["items"].as_array().expect("items");
    assert_eq!(rows.len(), named.len());
    for row in rows {
        let path = row["path"].as_str().expect("a path");
        assert!(!path.is_empty() && !path.starts_with('/') && !path.chars().any(char::is_control), "{path:?}");
        assert!(path.split('/').all(|part| part != ".."), "{path}");
        assert_eq!(row["status"], "completed", "{path}");
    }
    assert_eq!(temporary_files(), before);
}
