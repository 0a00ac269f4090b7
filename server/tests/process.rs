//! `sheaf process` by its command line: what it writes, and with which code it ends.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// Texts with their labels: one line of a small shop's letters each.
const LETTERS: [(&str, &str); 12] = [
    ("My parcel has not arrived yet, where is the delivery?", "delivery_late"),
    ("The package was promised for Monday and is still not here", "delivery_late"),
    ("When will my order be delivered? It is two weeks late", "delivery_late"),
    ("Shipping takes forever, I am still waiting for my parcel", "delivery_late"),
    ("I want my money back for the broken lamp", "refund"),
    ("Please refund the amount that I paid", "refund"),
    ("How do I get a refund to my card?", "refund"),
    ("You charged me twice, return the money", "refund"),
    ("I forgot my password and cannot log in", "login_problem"),
    ("The site does not accept my password any more", "login_problem"),
    ("How can I reset the password of my account?", "login_problem"),
    ("Login fails with an error message", "login_problem"),
];
const LABELS: &str = r#"["delivery_late", "refund", "login_problem"]"#;

fn process(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sheaf"))
        .current_dir(folder)
        .arg("process")
        .args(args)
        .output()
        .expect("sheaf starts")
}

/// A folder with the labels and a file.
fn folder(name: &str, content: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("labels.json"), LABELS).expect("written");
    fs::write(folder.path().join(name), content).expect("written");
    folder
}

fn rows(folder: &Path) -> Vec<Value> {
    let text = fs::read_to_string(folder.join("out/results.jsonl")).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn errors(ended: &Output) -> String {
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

fn letters() -> String {
    let lines = LETTERS.iter().enumerate();
    lines.map(|(i, (text, _))| format!("{}\n", serde_json::json!({"key": format!("L{i}"), "body": text}))).collect()
}

#[test]
fn the_words_of_labels_are_enough() {
    let folder = folder("letters.jsonl", &letters());
    let ended = process(folder.path(), &["letters.jsonl", "--labels", "labels.json", "--out", "out"]);
    assert_eq!(ended.status.code(), Some(0), "{}", errors(&ended));
    let rows = rows(folder.path());
    let right = rows.iter().zip(LETTERS).filter(|(row, (_, label))| row["label"] == *label).count();
    assert!(right >= 9, "{right} of {}: {rows:?}", LETTERS.len());
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(row["id"], format!("L{i}"), "input order");
        let probability = row["probability"].as_f64().expect("a number");
        let level = if probability > 0.7 {
            "high"
        } else if probability >= 0.4 {
            "medium"
        } else {
            "low"
        };
        assert_eq!(row["confidence"], level, "{row}");
    }
    let csv = fs::read_to_string(folder.path().join("out/results.csv")).expect("written");
    assert_eq!(csv.lines().next(), Some("id,label,probability,confidence,status,attempts,error"));
    assert_eq!(csv.lines().count(), LETTERS.len() + 1);
}

#[test]
fn examples_by_id_and_by_text_are_learnt_from() {
    let by_id: String = LETTERS.iter().enumerate().map(|(i, (_, label))| format!("L{i}\t{label}\n")).collect();
    let by_text: String = LETTERS.iter().map(|(text, label)| format!("{text}\t{label}\n")).collect();
    for (header, examples) in [("id", by_id), ("text", by_text)] {
        let folder = folder("letters.jsonl", &letters());
        fs::write(folder.path().join("gold.tsv"), format!("{header}\tlabel\n{examples}")).expect("written");
        let args = ["letters.jsonl", "--labels", "labels.json", "--examples", "gold.tsv", "--out", "out"];
        let ended = process(folder.path(), &[&args[..], &["--output", "stats.json", "--model", "fast"]].concat());
        assert_eq!(ended.status.code(), Some(0), "{}", errors(&ended));
        assert!(errors(&ended).contains("Cross-validated accuracy"), "{}", errors(&ended));
        let rows = rows(folder.path());
        let right = rows.iter().zip(LETTERS).filter(|(row, (_, label))| row["label"] == *label).count();
        assert!(right >= 10, "{header}: {right} of {}", LETTERS.len());
        let stats = fs::read_to_string(folder.path().join("stats.json")).expect("written");
        let stats: Value = serde_json::from_str(&stats).expect("JSON");
        assert_eq!((&stats["records"], &stats["attempts"]), (&12.into(), &12.into()));
        assert_eq!(stats["classifier"]["examples"], 12);
    }
}

#[test]
fn a_broken_record_is_a_row_and_never_a_stop() {
    let array = r#"[{"id": 7, "text": "Where is my parcel?"}, {"id": 8, "text": oops}, "loose", {"id": 9, "text": "  "},
        {"id": 10}, {"id": 11, "text": "?!"}, {"id": 12, "text": "Please refund me"}]"#;
    let folder = folder("backlog.json", array);
    for size in ["1", "2", "256"] {
        let args = ["backlog.json", "--labels", "labels.json", "--out", "out", "--model", "fast", "--batch-size", size];
        let ended = process(folder.path(), &[&args[..], &["--max-concurrent", "2"]].concat());
        assert_eq!(ended.status.code(), Some(2), "{}", errors(&ended));
        let rows = rows(folder.path());
        let ids: Vec<&str> = rows.iter().filter_map(|row| row["id"].as_str()).collect();
        assert_eq!(ids, ["7", "record-2", "record-3", "9", "10", "11", "12"]);
        let failed: Vec<bool> = rows.iter().map(|row| row["status"] == "failed").collect();
        assert_eq!(failed[..5], [false, true, true, true, true]);
        assert!(!failed[6]);
        for row in rows.iter().filter(|row| row["status"] == "failed") {
            assert!(row["label"].is_null() && row["error"].as_str().is_some_and(|e| e.len() > 5), "{row}");
        }
        assert_eq!(rows[3]["error"], "the text is empty");
    }
}

#[test]
fn a_table_with_other_names_is_understood() {
    let folder = folder(
        "backlog.csv",
        "ticket_id,channel,message\nT1,chat,\"My parcel, where is it?\"\nT2,mail,a,b,c\nT3,mail,password reset\n",
    );
    let ended = process(folder.path(), &["backlog.csv", "--labels", "labels.json", "--out", "out", "--model", "fast"]);
    assert_eq!(ended.status.code(), Some(2), "{}", errors(&ended));
    let rows = rows(folder.path());
    assert_eq!((&rows[0]["id"], &rows[1]["status"], &rows[2]["id"]), (&"T1".into(), &"failed".into(), &"T3".into()));
}

#[test]
fn what_cannot_run_says_why_and_leaves_nothing() {
    let folder = folder("letters.jsonl", &letters());
    fs::write(folder.path().join("gold.tsv"), "id\tlabel\nL1\tcomplaint\n").expect("written");
    fs::write(folder.path().join("lost.tsv"), "id\tlabel\nL99\trefund\n").expect("written");
    let check = |args: &[&str], words: &[&str]| {
        let ended = process(folder.path(), &[&["letters.jsonl", "--out", "out"], args].concat());
        let said = errors(&ended);
        assert_eq!(ended.status.code(), Some(1), "{args:?}: {said}");
        assert!(words.iter().all(|word| said.contains(word)), "{args:?}: {said}");
        assert!(!folder.path().join("out/results.csv").exists());
    };
    check(&["--labels", "absent.json"], &["absent.json"]);
    check(&["--labels", "letters.jsonl"], &["not JSON"]);
    check(&["--labels", "labels.json", "--examples", "gold.tsv"], &["`complaint`", "not one of the labels"]);
    check(&["--labels", "labels.json", "--examples", "lost.tsv"], &["`L99`"]);
    check(&["--labels", "labels.json", "--text-field", "absent"], &["`absent`", "key", "body"]);
    check(&["--labels", "labels.json", "--batch-size", "0"], &["--batch-size"]);
}

#[test]
fn a_trial_writes_nothing_and_results_do_not_depend_on_threads() {
    let folder = folder("letters.jsonl", &letters());
    let args = ["letters.jsonl", "--labels", "labels.json", "--model", "fast"];
    let ended = process(folder.path(), &[&args[..], &["--dry-run"]].concat());
    assert_eq!(ended.status.code(), Some(0), "{}", errors(&ended));
    assert!(String::from_utf8_lossy(&ended.stdout).contains("12 records: 12 can be classified"));
    assert!(!folder.path().join("out").exists());
    let mut written = Vec::new();
    for threads in ["1", "3"] {
        let ended = process(folder.path(), &[&args[..], &["--out", "out", "--threads", threads]].concat());
        assert_eq!(ended.status.code(), Some(0), "{}", errors(&ended));
        written.push(fs::read(folder.path().join("out/results.csv")).expect("written"));
    }
    assert_eq!(written[0], written[1]);
}

#[test]
fn a_demo_needs_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let sheaf = |args: &[&str]| {
        let ended = Command::new(env!("CARGO_BIN_EXE_sheaf")).current_dir(folder.path()).args(args).output();
        let ended = ended.expect("sheaf starts");
        assert_eq!(ended.status.code(), Some(0), "{args:?}: {}", errors(&ended));
        String::from_utf8_lossy(&ended.stdout).into_owned()
    };
    let report = sheaf(&["demo", "--count", "60"]);
    assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0, "nothing stays behind");
    let right = report.lines().find_map(|line| line.strip_suffix(" of 60 have the label that they were written for."));
    let right: u32 = right.and_then(|count| count.parse().ok()).expect("a count");
    assert!(right >= 36, "{report}");

    sheaf(&["sample", "--count", "30", "--out", "made"]);
    let (backlog, labels) = ("made/backlog.jsonl", "made/labels.json");
    sheaf(&["process", backlog, "--labels", labels, "--out", "out", "--model", "fast", "--examples", "made/truth.tsv"]);
    assert_eq!(rows(folder.path()).len(), 30);
}
