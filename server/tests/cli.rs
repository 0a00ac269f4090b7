//! `sheaf analyze` by its command line: what it writes, and with which code it ends.

mod support;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{analyze, files, pile};

fn rows(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("documents.jsonl")).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Cluster, position-free: what a clustering says about each path.
fn clusters(out: &Path) -> BTreeMap<String, Value> {
    rows(out)
        .into_iter()
        .map(|row| (row["path"].as_str().expect("a path").to_owned(), row["cluster"].clone()))
        .collect()
}

#[test]
fn a_folder_becomes_a_folder_of_results() {
    let work = tempfile::tempdir().expect("a folder");
    let out = work.path().join("results");
    let ended = analyze(&[&pile().to_string_lossy(), "--out", &out.to_string_lossy(), "--text"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));

    let rows = rows(&out);
    let expected: Vec<String> = files(&pile()).into_iter().map(|(path, _)| path).collect();
    let paths: Vec<&str> = rows.iter().filter_map(|row| row["path"].as_str()).collect();
    assert_eq!(paths, expected, "one row for each file, in the order of paths");
    assert!(rows.iter().all(|row| row["status"] == "completed" && row["words"].as_u64() > Some(10)));

    // The folders are the topics: no cluster mixes them.
    let mut topics: HashMap<u64, HashSet<&str>> = HashMap::new();
    for row in rows.iter().filter(|row| row["cluster"].is_u64()) {
        let topic = row["path"].as_str().and_then(|path| path.split('/').next()).expect("a folder");
        topics.entry(row["cluster"].as_u64().expect("a number")).or_default().insert(topic);
    }
    assert!(topics.len() >= 3 && topics.values().all(|topics| topics.len() == 1), "{topics:?}");

    for name in [
        "documents.csv",
        "clusters.json",
        "families.json",
        "similarity.csv",
        "manifest.json",
        "map.csv",
        "timings.json",
    ] {
        assert!(out.join(name).is_file(), "{name}");
    }
    let csv = fs::read_to_string(out.join("documents.csv")).expect("written");
    assert_eq!(csv.lines().count(), expected.len() + 1);
    let map = fs::read_to_string(out.join("map.csv")).expect("written");
    assert_eq!(map.lines().next(), Some("path,x,y,cluster"));
    assert_eq!(map.lines().count(), expected.len() + 1);
    let text = fs::read_to_string(out.join("text").join(format!("{}.txt", expected[0]))).expect("its text");
    assert!(text.split_whitespace().count() > 10);
    let leftovers =
        fs::read_dir(&out).expect("read").flatten().filter(|e| e.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(leftovers.count(), 0, "nothing temporary stays behind");
}

#[test]
fn what_cannot_be_used_is_listed_and_the_rest_goes_on() {
    let work = tempfile::tempdir().expect("a folder");
    let input = work.path().join("in");
    fs::create_dir_all(input.join("sub")).expect("made");
    for (path, bytes) in files(&pile()).into_iter().take(6) {
        fs::write(input.join("sub").join(path.replace('/', "-")), bytes).expect("written");
    }
    fs::write(input.join("empty.txt"), "").expect("written");
    fs::write(input.join("broken.pdf"), "%PDF-1.7 and no more").expect("written");
    fs::write(input.join("deep.json"), "[".repeat(100_000)).expect("written");
    let mut zip = zip::ZipWriter::new(fs::File::create(input.join("a.zip")).expect("made"));
    zip.start_file("inner/letter.txt", zip::write::SimpleFileOptions::default()).expect("an entry");
    std::io::Write::write_all(&mut zip, b"Dear reader, the dough has to rest before it is baked.").expect("written");
    zip.finish().expect("a ZIP");

    let out = work.path().join("out");
    let ended = analyze(&[&input.to_string_lossy(), "--out", &out.to_string_lossy(), "--model", "fast", "--json"]);
    assert_eq!(ended.status.code(), Some(2), "{}", String::from_utf8_lossy(&ended.stderr));
    let report: Value = serde_json::from_slice(&ended.stdout).expect("JSON");
    assert_eq!((&report["documents"], &report["failed"]), (&10.into(), &3.into()));

    let failed: BTreeMap<String, String> = rows(&out)
        .into_iter()
        .filter(|row| row["status"] == "failed")
        .map(|row| (row["path"].as_str().expect("path").into(), row["error_code"].as_str().expect("code").into()))
        .collect();
    let expect = [("broken.pdf", "corrupt_file"), ("deep.json", "nested_too_deep"), ("empty.txt", "empty_file")];
    let failed: Vec<(&str, &str)> = failed.iter().map(|(p, c)| (p.as_str(), c.as_str())).collect();
    assert_eq!(failed, expect);
    assert!(clusters(&out).contains_key("a.zip!/inner/letter.txt") && !clusters(&out).contains_key("a.zip"));
}

/// A mail in a gzipped TAR: the mail, its attachment, and what lies beside it.
#[test]
fn archives_and_letters_open_in_any_mix() {
    let work = tempfile::tempdir().expect("a folder");
    let text = |what: &str| format!("Dear reader, {what} has to rest for a night before it is baked in the oven.");
    let mail = format!(
        "From: a@b.c\nSubject: The recipe\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\n{}\n--x\n\
         Content-Type: text/plain\nContent-Disposition: attachment; filename=recipe.txt\n\n{}\n--x--\n",
        text("the letter"),
        text("the dough"),
    );
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    let mut tar = tar::Builder::new(gzip);
    for (path, text) in [("post/mail.eml", mail), ("beside.txt", text("the bread"))] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        tar.append_data(&mut header, path, text.as_bytes()).expect("memory");
    }
    let tar = tar.into_inner().and_then(flate2::write::GzEncoder::finish).expect("memory");
    fs::write(work.path().join("all.tar.gz"), tar).expect("written");

    let out = work.path().join("out");
    let input = work.path().join("all.tar.gz");
    let ended = analyze(&[&input.to_string_lossy(), "--out", &out.to_string_lossy(), "--model", "fast"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let rows = rows(&out);
    let found: Vec<_> = rows.iter().map(|row| (row["path"].as_str(), row["kind"].as_str())).collect();
    assert_eq!(
        found,
        [
            (Some("all.tar.gz!/beside.txt"), Some("text")),
            (Some("all.tar.gz!/post/mail.eml"), Some("email")),
            (Some("all.tar.gz!/post/mail.eml!/recipe.txt"), Some("text")),
        ]
    );
}

#[test]
fn what_cannot_run_ends_with_one_and_says_why() {
    let work = tempfile::tempdir().expect("a folder");
    let out = work.path().join("out");
    let out = out.to_string_lossy();
    for (args, word) in [
        (vec!["/does/not/exist", "--out", &*out], "does not exist"),
        (vec![".", "--out", &*out, "--clusters", "1"], "between 2 and"),
        (vec![".", "--out", &*out, "--model", "best"], "model"),
        (vec!["--out", &*out], "INPUT"),
    ] {
        let ended = analyze(&args);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    }
}

#[test]
fn records_keep_their_ids_and_bad_ones_are_listed_by_line() {
    let work = tempfile::tempdir().expect("a folder");
    let input = work.path().join("queries.jsonl");
    let mut lines: Vec<String> = files(&pile())
        .iter()
        .enumerate()
        .map(|(i, (_, bytes))| {
            serde_json::json!({ "key": format!("q-{i}"), "body": String::from_utf8_lossy(bytes) }).to_string()
        })
        .collect();
    lines.insert(3, "{ not json".into());
    lines.push(r#"{"key":"no-text"}"#.into());
    fs::write(&input, lines.join("\n")).expect("written");
    let out = work.path().join("out");
    let ended = analyze(&[
        &input.to_string_lossy(),
        "--out",
        &out.to_string_lossy(),
        "--id-field",
        "key",
        "--text-field",
        "body",
        "--model",
        "fast",
    ]);
    assert_eq!(ended.status.code(), Some(2), "{}", String::from_utf8_lossy(&ended.stderr));
    let rows = rows(&out);
    assert_eq!(rows.len(), lines.len());
    assert_eq!(rows[0]["id"], "q-0");
    assert_eq!((rows[3]["id"].as_str(), rows[3]["error_code"].as_str()), (Some("line-4"), Some("bad_record")));
    assert_eq!(rows[lines.len() - 1]["id"], "no-text");
}

/// Not the paths and not the number of threads: the same documents, the same clusters and names.
#[test]
fn order_and_threads_do_not_change_clusters() {
    let work = tempfile::tempdir().expect("a folder");
    let all = files(&pile());
    let run = |name: &str, files: Vec<&(String, Vec<u8>)>, threads: &str| {
        let input = work.path().join(format!("{name}.jsonl"));
        let lines: Vec<String> = files
            .iter()
            .map(|(path, bytes)| serde_json::json!({ "id": path, "text": String::from_utf8_lossy(bytes) }).to_string())
            .collect();
        fs::write(&input, lines.join("\n")).expect("written");
        let out = work.path().join(name);
        let ended = analyze(&[
            &input.to_string_lossy(),
            "--out",
            &out.to_string_lossy(),
            "--text-field",
            "text",
            "--threads",
            threads,
        ]);
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
        let by_id: BTreeMap<String, (Value, Value)> = rows(&out)
            .into_iter()
            .map(|row| (row["id"].as_str().expect("id").into(), (row["cluster"].clone(), row["probability"].clone())))
            .collect();
        let clusters: Vec<Value> =
            serde_json::from_slice(&fs::read(out.join("clusters.json")).expect("written")).expect("JSON");
        let names: Vec<String> = clusters.iter().map(|c| c["name"].to_string()).collect();
        (by_id, names)
    };
    let forward = run("forward", all.iter().collect(), "1");
    let backward = run("backward", all.iter().rev().collect(), "2");
    assert_eq!(forward, backward);
}

#[test]
fn near_duplicates_are_families() {
    let work = tempfile::tempdir().expect("a folder");
    let input = work.path().join("in");
    fs::create_dir_all(&input).expect("made");
    let sentences: Vec<String> =
        (0..40).map(|n| format!("Entry {n} of the log tells how the boat number {} came in.", n * 7 + 3)).collect();
    let html: String = sentences.iter().map(|sentence| format!("<p>{sentence}</p>\n")).collect();
    let edited =
        sentences.join("\n").replace("boat number 31", "ship numbered 31").replace("boat number 94", "raft 94");
    let other: Vec<String> =
        (0..40).map(|n| format!("Dish {n} wants {n} grams of flour, an egg and patience.")).collect();
    for (name, text) in [
        ("log.txt", sentences.join("\n")),
        ("copy of log.txt", sentences.join("\n")),
        ("log.html", format!("<html><body>{html}</body></html>")),
        ("log edited.txt", edited),
        ("half.txt", sentences[..20].join("\n")),
        ("recipes.txt", other.join("\n")),
    ] {
        fs::write(input.join(name), text).expect("written");
    }
    let out = work.path().join("out");
    let ended = analyze(&[&input.to_string_lossy(), "--out", &out.to_string_lossy(), "--model", "fast"]);
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let families: Value = serde_json::from_slice(&fs::read(out.join("families.json")).expect("written")).expect("JSON");
    let members: Vec<(&str, &str)> = families[0]["members"]
        .as_array()
        .expect("members")
        .iter()
        .map(|member| (member["path"].as_str().expect("a path"), member["kind"].as_str().expect("a kind")))
        .collect();
    let expect =
        [("copy of log.txt", "exact"), ("log.txt", "exact"), ("log.html", "same-text"), ("log edited.txt", "near")];
    assert_eq!(members, expect);
    assert_eq!((&families[0]["principal"], &families[0]["size"]), (&"copy of log.txt".into(), &4.into()));
    assert_eq!(families.as_array().map(Vec::len), Some(1), "an excerpt and another text are in no family");
}

/// A setting of `sheaf serve`, as its help tells of it.
struct Setting {
    flag: String,
    variable: Option<String>,
    default: Option<String>,
    takes_value: bool,
}

fn settings() -> Vec<Setting> {
    let help = Command::new(support::SHEAF).args(["serve", "--help"]).output().expect("sheaf starts");
    let help = String::from_utf8(help.stdout).expect("text");
    let within = |line: &str, from: &str| {
        let rest = line.split_once(from)?.1;
        rest.split([']', '=']).next().map(str::to_owned)
    };
    let mut settings: Vec<Setting> = Vec::new();
    for line in help.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some(flag) = words.iter().take(2).find(|word| word.starts_with("--")) {
            let takes_value = words.last().is_some_and(|last| last.ends_with('>'));
            settings.push(Setting { flag: (*flag).to_owned(), variable: None, default: None, takes_value });
        }
        if let Some(setting) = settings.last_mut() {
            setting.variable = setting.variable.take().or_else(|| within(line, "[env: "));
            setting.default = setting.default.take().or_else(|| within(line, "[default: "));
        }
    }
    settings.retain(|setting| setting.flag != "--help");
    settings
}

#[tokio::test]
async fn every_setting_is_a_flag_and_a_variable_and_nonsense_is_refused() {
    let settings = settings();
    assert!(settings.len() > 30, "the help is understood");
    let work = tempfile::tempdir().expect("a folder");
    let path = |name: &str| work.path().join(name).display().to_string();
    // What has no default, or takes any text.
    let given = [
        ("--data", path("data")),
        ("--database", format!("sqlite://{}", path("sheaf.db"))),
        ("--blobs", path("blobs")),
        ("--webhook-allow", "127.0.0.1,hooks.internal".to_owned()),
        ("--ocr-languages", "eng".to_owned()),
        ("--otlp-endpoint", "http://127.0.0.1:9".to_owned()),
        ("--model-endpoint", "http://127.0.0.1:9/v1".to_owned()),
    ];
    let any_text = ["--data", "--blobs", "--ocr-languages", "--model-name", "--model-currency"];
    let mut variables = Vec::new();
    for Setting { flag, variable, default, takes_value } in &settings {
        let variable = variable.clone().unwrap_or_else(|| panic!("{flag} has no variable"));
        let known = given.iter().find(|(name, _)| name == flag).map(|(_, value)| value.clone());
        let value =
            known.or_else(|| default.clone()).unwrap_or_else(|| if *takes_value { "2" } else { "false" }.into());
        variables.push((variable.clone(), value));
        if any_text.contains(&flag.as_str()) || !takes_value {
            continue;
        }
        let mut refused = Command::new(support::SHEAF);
        refused.args(["serve", "--data"]).arg(work.path().join("refused")).env(&variable, "no such thing?");
        let refused = refused.output().expect("sheaf starts");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(matches!(refused.status.code(), Some(1 | 2)), "{variable}: {:?} {said}", refused.status);
        // An address of a database may hold a password, and is not shown.
        assert!(said.contains("no such thing?") || said.contains(flag), "{variable} says what is wrong: {said}");
    }
    let named: Vec<(&str, String)> = variables.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    let server = support::Server::start_with(&work.path().join("data"), &[], &named);
    assert_eq!(server.get("/api/batches").await.0, 200, "with all of them at once it serves");
}
