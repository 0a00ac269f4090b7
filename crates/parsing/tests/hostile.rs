//! Files made to break a parser: each ends in a document or a failure that says why, and its neighbours do not notice.

mod support;

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use sheaf_domain::{Failure, FailureCode};
use sheaf_parsing::archive::{ArchiveItem, ArchiveLimits, Container};
use sheaf_parsing::{ParsedDocument, Pool, detect_kind};
use tokio::sync::mpsc;

/// A row of `cases.tsv`.
struct Case {
    file: String,
    name: String,
    expect: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hostile_file_ends_as_expected() {
    let Some(root) = support::corpus("hostile") else { return };
    let pool = support::pool(support::limits());
    let healthy = root.join("upload-name/name-00.txt");
    let mut complaints = Vec::new();
    for case in cases(&root) {
        let started = Instant::now();
        let path = root.join(&case.file);
        let (outcome, neighbour) = tokio::join!(outcome(&pool, &path, &case.name), pool.parse(&healthy, "healthy.txt"));
        let seconds = started.elapsed().as_secs_f32();
        eprintln!("{seconds:6.2} s  {}: {}", case.file, outcome.describe());
        if let Some(complaint) = complaint(&case, &outcome) {
            complaints.push(format!("{}: {complaint}; got {}", case.file, outcome.describe()));
        }
        if let Err(failure) = neighbour {
            complaints.push(format!("{}: its neighbour failed: {failure}", case.file));
        }
        if seconds > 25.0 {
            complaints.push(format!("{}: took {seconds} s", case.file));
        }
    }
    pool.shutdown().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// What became of a file: of an archive, what became of all in it.
struct Outcome {
    whole: Result<(), Failure>,
    documents: Vec<(String, Result<ParsedDocument, Failure>)>,
}

impl Outcome {
    fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.whole
            .as_ref()
            .err()
            .into_iter()
            .chain(self.documents.iter().filter_map(|(_, result)| result.as_ref().err()))
    }

    fn accepted(&self) -> impl Iterator<Item = &ParsedDocument> {
        self.documents.iter().filter_map(|(_, result)| result.as_ref().ok())
    }

    fn describe(&self) -> String {
        let failures: Vec<String> = self.failures().take(3).map(|f| format!("{}: {}", f.code, f.message)).collect();
        format!("{} read, {} failed [{}]", self.accepted().count(), self.failures().count(), failures.join("; "))
    }
}

async fn outcome(pool: &Pool, path: &Path, name: &str) -> Outcome {
    let file = File::open(path).expect("the corpus is complete");
    let container = Container::of(detect_kind(&file, name).expect("readable"));
    let mut documents = Vec::new();
    if container != Some(Container::Archive) {
        documents.push((name.to_owned(), pool.parse(path, name).await));
    }
    if container.is_none() {
        return Outcome { whole: Ok(()), documents };
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (whole, items) = unpack(pool, path, name).await;
    for (index, ArchiveItem { path, content }) in items.into_iter().enumerate().take(50) {
        assert!(path.starts_with(&format!("{name}!/")), "{path}");
        let result = match content {
            Ok(mut content) => {
                let stored = folder.path().join(index.to_string());
                std::io::copy(&mut content, &mut File::create(&stored).expect("room")).expect("room");
                pool.parse(&stored, &path).await
            }
            Err(failure) => Err(failure),
        };
        documents.push((path, result));
    }
    Outcome { whole, documents }
}

async fn unpack(pool: &Pool, path: &Path, name: &str) -> (Result<(), Failure>, Vec<ArchiveItem>) {
    let file = File::open(path).expect("the corpus is complete");
    let (sender, mut receiver) = mpsc::channel(4);
    let limits = ArchiveLimits::default();
    let unpacking = async {
        let sender = sender;
        pool.unpack(file, name, &limits, &sender).await
    };
    let receiving = async {
        let mut items = Vec::new();
        while let Some(item) = receiver.recv().await {
            items.push(item);
        }
        items
    };
    tokio::join!(unpacking, receiving)
}

/// What is wrong with an outcome, by the words of the case.
fn complaint(case: &Case, outcome: &Outcome) -> Option<String> {
    let Case { file, expect, .. } = case;
    for document in outcome.accepted() {
        let text = document.text();
        if text.contains("root:x:0:0") || text.contains('\0') {
            return Some("text that must not be there".to_owned());
        }
    }
    if outcome.failures().any(|failure| matches!(failure.code, FailureCode::Internal | FailureCode::PdfiumMissing)) {
        return Some("a failure that is not the file's".to_owned());
    }
    let first = expect.split([' ', ';']).next().unwrap_or_default();
    let accepted = outcome.accepted().count();
    match first {
        "reject" if expect.contains(" or ") => None,
        // What comes before the limit is read.
        "reject" if expect.contains("at the depth limit") => {
            let stopped = outcome.failures().any(|failure| failure.code == FailureCode::ArchiveTooDeep);
            (!stopped).then(|| "should have met the limit".to_owned())
        }
        "reject" if accepted > 0 && !expect.contains("password") => Some("should have been refused".to_owned()),
        "reject" if expect.contains("password") => {
            let locked = outcome.failures().any(|failure| failure.code == FailureCode::PasswordProtected);
            (!locked).then(|| "should be called password protected".to_owned())
        }
        "accept" if accepted == 0 && !expect.contains(" or ") => {
            // Read by a later version; to be recognised is enough.
            let later = outcome.failures().all(|failure| failure.code == FailureCode::UnsupportedKind);
            let empty = outcome.failures().all(|failure| failure.code == FailureCode::EmptyFile);
            (!later && !empty).then(|| "should have been read".to_owned())
        }
        "reject" | "accept" | "either" => None,
        other => Some(format!("`{file}` expects `{other}`, which this test does not know")),
    }
}

fn cases(root: &Path) -> Vec<Case> {
    let table = fs::read_to_string(root.join("cases.tsv")).expect("the corpus has a table");
    let rows = table.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| Case {
        file: row[0].to_owned(),
        name: serde_json::from_str(row[1]).unwrap_or_else(|_| row[1].to_owned()),
        expect: row[4].to_owned(),
    })
    .collect()
}

#[tokio::test]
async fn archives_end_as_they_should() {
    let Some(root) = support::corpus("hostile/zip") else { return };
    let pool = support::pool(support::limits());
    type Items<'a> = &'a [(&'a str, Result<(), FailureCode>)];
    let check = async |file: &str, expect: Result<Items<'_>, FailureCode>| {
        let (whole, items) = unpack(&pool, &root.join(file), "z").await;
        let items: Vec<_> = items
            .iter()
            .map(|item| (&item.path[3..], item.content.as_ref().map(|_| ()).map_err(|failure| failure.code)))
            .collect();
        match (whole, expect) {
            (Ok(()), Ok(expect)) => assert_eq!(items, expect, "{file}"),
            (whole, expect) => assert_eq!(whole.map_err(|failure| failure.code), expect.map(|_| ()), "{file}"),
        }
    };
    let ok = Ok(());
    let slip = [("good.txt", ok), ("../../../../tmp/slip-evil.txt", Err(FailureCode::UnsafeEntry))];
    check("slip-posix.zip", Ok(&slip)).await;
    check("duplicate-names.zip", Ok(&[("a.txt", ok), ("A.TXT", ok), ("a (2).txt", ok)])).await;
    check("crc-mismatch.zip", Ok(&[("ok.txt", ok), ("bad.txt", Err(FailureCode::CorruptFile))])).await;
    check("encrypted-zipcrypto.zip", Ok(&[("secret.txt", Err(FailureCode::PasswordProtected))])).await;
    check("bomb-256MiB.zip", Ok(&[("zeros.txt", Err(FailureCode::ArchiveRatio))])).await;
    check("many-20k.zip", Err(FailureCode::ArchiveTooManyEntries)).await;
    check("empty.zip", Err(FailureCode::EmptyArchive)).await;
    check("truncated.zip", Err(FailureCode::CorruptFile)).await;
}
