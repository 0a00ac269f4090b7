//! `sheaf verify-manifest`: the same input gives the same clusters, and any other is told.

mod support;

use std::fs;
use std::process::{Command, Output};

use support::{SHEAF, analyze, files, pile};

fn verify(results: &str, input: &str) -> (Option<i32>, String) {
    let ended: Output = Command::new(SHEAF).args(["verify-manifest", results, input]).output().expect("sheaf starts");
    (ended.status.code(), String::from_utf8_lossy(&ended.stdout).into_owned())
}

#[test]
fn the_same_input_gives_the_same_clusters_and_another_is_told() {
    let work = tempfile::tempdir().expect("a folder");
    let input = work.path().join("input");
    for (path, bytes) in files(&pile()) {
        let file = input.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("made");
        fs::write(file, bytes).expect("written");
    }
    let (input, out) = (input.to_string_lossy(), work.path().join("results"));
    let results = out.to_string_lossy();
    let ended = analyze(&[&input, "--out", &results, "--model", "fast", "--clusters", "4", "--seed", "7"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let (code, said) = verify(&results, &input);
    assert_eq!((code, said.contains("identical")), (Some(0), true), "{said}");

    // A result that was tampered with, then an input that is another.
    let rows = fs::read_to_string(out.join("documents.jsonl")).expect("written");
    let forged = rows.replacen("\"cluster\":0", "\"cluster\":1", 1);
    assert_ne!(forged, rows);
    fs::write(out.join("documents.jsonl"), forged).expect("written");
    let (code, said) = verify(&results, &input);
    assert_eq!((code, said.lines().count()), (Some(2), 1), "{said}");
    fs::write(out.join("documents.jsonl"), rows).expect("written");
    fs::write(format!("{input}/new.txt"), "A letter about quite another thing.").expect("written");
    let (code, said) = verify(&results, &input);
    assert_eq!((code, said.contains("new.txt: was not in the input")), (Some(2), true), "{said}");
    assert_eq!(verify(&input, &input).0, Some(1), "a folder without a manifest cannot be compared");
}

#[test]
fn every_method_is_recorded_and_replays() {
    let work = tempfile::tempdir().expect("a folder");
    let input = pile().to_string_lossy().into_owned();
    let methods: [(&str, &[&str]); 4] = [
        ("kmeans", &["--clusters", "3"]),
        ("dbscan", &["--similarity", "30", "--least", "3"]),
        ("mixture", &["--clusters", "3", "--seed", "5"]),
        ("hierarchical", &["--similarity", "25"]),
    ];
    for (method, flags) in methods {
        let out = work.path().join(method);
        let results = out.to_string_lossy();
        let mut args = vec![&*input, "--out", &*results, "--model", "fast", "--method", method];
        args.extend(flags);
        let ended = analyze(&args);
        assert_eq!(ended.status.code(), Some(0), "{method}: {}", String::from_utf8_lossy(&ended.stderr));
        let manifest = fs::read_to_string(out.join("manifest.json")).expect("written");
        assert!(
            manifest.contains(&format!("\"method\": \"{method}\""))
                || manifest.contains(&format!("\"method\":\"{method}\"")),
            "{manifest}"
        );
        let (code, said) = verify(&results, &input);
        assert_eq!((code, said.contains("identical")), (Some(0), true), "{method}: {said}");
    }
    let refused = analyze(&[&input, "--out", "nowhere", "--model", "fast", "--method", "dbscan"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(
        (refused.status.code(), said.contains("dbscan wants `similarity`, between 1 and 99")),
        (Some(1), true),
        "{said}"
    );
}
