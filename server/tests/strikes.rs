//! Documents that break their parser in earnest: they fail with the page where it happened, what was read before is kept,
//! and the neighbours do not notice.

#[expect(dead_code, reason = "only the assembling is used here")]
#[path = "../../crates/parsing/tests/support/pdf.rs"]
mod made;
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::time::{Duration, Instant};

use made::assemble;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use support::{Server, pile};

/// A document that no parser breaks on.
fn good() -> (String, Vec<u8>) {
    let text = fs::read(pile().join("bread/01-sourdough-starter.txt")).expect("a fixture");
    ("good.txt".to_owned(), text)
}

/// A PDF with a page for each text, `behind` drawn after each, and `last` on the last page alone.
fn pdf(pages: &[String], behind: &str, last: &str) -> Vec<u8> {
    let stream = |content: &str| format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len());
    let kids: Vec<String> = (0..pages.len()).map(|page| format!("{} 0 R", 6 + 2 * page)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
        stream(behind),
        stream(last),
    ];
    for (page, text) in pages.iter().enumerate() {
        let last = if page + 1 == pages.len() { "5 0 R" } else { "" };
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents [{} 0 R 4 0 R {last}] \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            7 + 2 * page
        ));
        objects.push(stream(&format!("BT /F1 12 Tf 72 800 Td ({text}) Tj ET")));
    }
    assemble(&objects)
}

/// The row of the document at this path, and its own page's text.
async fn read(server: &Server, batch: &str, path: &str) -> (Value, String) {
    let (_, found) = server.get(&format!("/api/batches/{batch}/documents?q={path}")).await;
    let row = found["items"][0].clone();
    let (_, view) =
        server.get(&format!("/api/batches/{batch}/documents/{}", row["id"].as_str().expect("it is listed"))).await;
    (row, view["text"].as_str().expect("a text").to_owned())
}

/// A page that wants more memory than there is kills its parser by itself.
#[tokio::test]
async fn a_monstrous_page_fails_its_document_and_the_pages_before_it_are_kept() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &["--parse-memory-mib", "512"]);
    let pages = ["Harbour log", "Winter log", "Monstrous log"].map(str::to_owned);
    // Each `q` keeps a copy of the state of drawing.
    let monster = pdf(&pages, "", &"q ".repeat(3_000_000));
    let (status, batch) = server.upload(&[("model", "fast")], &[("monster.pdf".to_owned(), monster), good()]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;

    let (row, text) = read(&server, &id, "monster").await;
    assert_eq!((row["status"].as_str(), row["failure"]["code"].as_str()), (Some("failed"), Some("out_of_memory")));
    let message = row["failure"]["message"].as_str().expect("a message");
    assert!(message.contains("512 MiB") && message.ends_with("after page 2"), "{message}");
    assert_eq!(text, "Harbour log\n\nWinter log");
    assert_eq!(read(&server, &id, "good").await.0["status"], "completed");
}

/// The processes that read documents for this server and have used half a second of processor time, which only those do
/// that are in the middle of a long document.
fn busy_parsers(server: u32) -> BTreeSet<i32> {
    let tasks = fs::read_dir(format!("/proc/{server}/task")).expect("it runs").flatten();
    let children = tasks.flat_map(|task| {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        children.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<i32>>()
    });
    let is_busy = |id: &i32| {
        // User and system time, in hundredths of a second, follow the name in brackets and eleven other figures.
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let figures = stat.rsplit_once(") ").map_or("", |(_, figures)| figures);
        let times = figures.split(' ').skip(11).take(2);
        times.filter_map(|time| time.parse::<u64>().ok()).sum::<u64>() >= 50
    };
    children.filter(is_busy).collect()
}

/// A parser that dies of a fault in its own code may have had bad luck once.
#[tokio::test]
async fn a_document_that_kills_its_parser_twice_fails_where_that_happened() {
    let data = tempfile::tempdir().expect("a folder");
    // One parser at a document, so that each that dies is a strike of its own.
    let server = Server::start(data.path(), &["--workers-per-document", "1"]);
    let sheets: Vec<String> = (1..=4000).map(|sheet| format!("Sheet {sheet}.")).collect();
    let behind = "BT /F1 9 Tf 72 760 Td (harbour) Tj 0 -1 Td (winter) Tj ET\n".repeat(4000);
    let deadly = pdf(&sheets, &behind, "");
    let (status, batch) = server.upload(&[("model", "fast")], &[("deadly.pdf".to_owned(), deadly), good()]).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();

    let started = Instant::now();
    let mut killed = BTreeSet::new();
    while killed.len() < 2 {
        assert!(started.elapsed() < Duration::from_secs(60), "it was not tried again: {killed:?}");
        let next = busy_parsers(server.id()).into_iter().find(|parser| !killed.contains(parser));
        if let Some(parser) = next {
            killed.insert(parser);
            kill_process(Pid::from_raw(parser).expect("not 0"), Signal::ILL).expect("ours");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    server.finished(&id).await;

    let (row, text) = read(&server, &id, "deadly").await;
    assert_eq!((row["status"].as_str(), row["failure"]["code"].as_str()), (Some("failed"), Some("worker_crashed")));
    let message = row["failure"]["message"].as_str().expect("a message");
    let last: u32 = message
        .rsplit_once("the parser crashed after page ")
        .and_then(|(_, page)| page.parse().ok())
        .unwrap_or_else(|| panic!("{message}"));
    assert!((1..4000).contains(&last), "{message}");
    assert!(text.contains("Sheet 1.") && text.contains(&format!("Sheet {last}.")), "{message}");
    assert!(!text.contains(&format!("Sheet {}.", last + 1)), "{message}");
    assert_eq!(read(&server, &id, "good").await.0["status"], "completed");
}
