//! `sheaf analyze` on files that others make and that are not what they seem: a text layer of noise, a file of many mails.

#[expect(dead_code, reason = "only what puts objects together is used")]
#[path = "../../crates/parsing/tests/support/pdf.rs"]
mod made;
#[path = "../../crates/parsing/tests/support/noise.rs"]
mod noise;
mod support;

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;
use support::analyze;

#[test]
fn noise_is_recognised_and_a_mailbox_comes_apart() {
    let work = tempfile::tempdir().expect("a folder");
    let (input, out) = (work.path().join("input"), work.path().join("results"));
    fs::create_dir(&input).expect("room");
    fs::write(input.join("noise.pdf"), noise::noisy_pdf(&noise::LINES, &["printf(\"%s\", name);"])).expect("room");
    let mail = |day: u32, subject: &str, text: &str| {
        format!(
            "From ann@example.org Tue Apr {day} 12:00:00 2014\nFrom: ann@example.org\nSubject: {subject}\n\n{text}\n\n"
        )
    };
    let mailbox = [mail(29, "Stones", "The stones are grey."), mail(30, "Re: Stones", ">From the north, I hear.")];
    fs::write(input.join("2014.mbox"), mailbox.concat()).expect("room");

    let ended = analyze(&[&input.to_string_lossy(), "--out", &out.to_string_lossy(), "--text", "--model", "fast"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let rows = fs::read_to_string(out.join("documents.jsonl")).expect("written");
    let rows: BTreeMap<String, Value> = rows
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .map(|row: Value| (row["path"].as_str().expect("a path").to_owned(), row))
        .collect();
    let paths: Vec<&str> = rows.keys().map(String::as_str).collect();
    assert_eq!(paths, ["2014.mbox!/0001 Stones.eml", "2014.mbox!/0002 Re: Stones.eml", "noise.pdf"]);
    assert!(rows.values().all(|row| row["status"] == "completed"), "{rows:?}");
    assert_eq!((&rows["noise.pdf"]["kind"], &rows["noise.pdf"]["pages"]), (&"pdf".into(), &3.into()));

    let text = |path: &str| fs::read_to_string(out.join("text").join(format!("{path}.txt"))).expect("written");
    let read = text("noise.pdf");
    for line in noise::LINES {
        assert_eq!(read.matches(line).count(), 2, "{line}: {read}");
    }
    assert!(read.contains("printf") && !read.contains("Ymj mfwgtzw"), "{read}");
    assert!(text("2014.mbox!/0002 Re: Stones.eml").contains("From the north, I hear."));
}
