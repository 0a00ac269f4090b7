//! A backlog in a database through the built binary: in, worked off by any number of processes, and out again.

#[path = "support/model.rs"]
mod model;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use model::{FakeModel, Fault};
use serde_json::{Value, json};
use sheaf_test_postgres::TestPostgres;

const TOPICS: [(&str, &str); 3] = [
    ("delivery", "My parcel has not arrived, when will the delivery of order"),
    ("refund", "Please refund my money, I was charged twice for purchase"),
    ("login", "I forgot my password and cannot log in to account"),
];
const LABELS: &str = r#"{"delivery": "a parcel that is late or lost", "refund": "money that is to be paid back",
    "login": "passwords and access to the account"}"#;

/// A folder with labels, and where the database is.
struct Place {
    folder: tempfile::TempDir,
    database: Option<String>,
}

impl Place {
    fn new(database: Option<String>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("labels.json"), LABELS).expect("written");
        Self { folder, database }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sheaf"));
        command.current_dir(self.folder.path()).args(args);
        match &self.database {
            // Without a data folder each process has one of its own.
            Some(url) => command.env("SHEAF_DATABASE", url).env("SHEAF_BLOBS", self.path("blobs")),
            None => command.args(["--data", "data"]),
        };
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("sheaf starts")
    }

    /// Runs it, and expects this code.
    fn ends(&self, code: i32, args: &[&str]) -> String {
        let ended = self.run(args);
        let said = format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
        assert_eq!(ended.status.code(), Some(code), "{args:?}: {said}");
        said
    }

    fn start(&self, args: &[&str]) -> Child {
        self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("sheaf starts")
    }

    fn exported(&self, args: &[&str]) -> Vec<Value> {
        self.ends(0, &[&["export", "--out", "out.jsonl", "--quiet"], args].concat());
        lines(&self.path("out.jsonl"))
    }

    fn write(&self, name: &str, records: std::ops::Range<usize>) {
        let text: String = records.map(|i| format!("{}\n", record(i))).collect();
        fs::write(self.path(name), text).expect("written");
    }
}

fn record(i: usize) -> Value {
    json!({ "ticket_id": format!("T/{i}"), "message": format!("{} {i}?", TOPICS[i % 3].1), "n": [i, null], "to": "ä\u{0}" })
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("written");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn by_status(rows: &[Value]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row["status"].as_str().expect("a status")).or_default() += 1;
    }
    counts
}

const PROCESS: [&str; 5] = ["process", "--labels", "labels.json", "--model", "fast"];

#[test]
fn records_go_in_once_are_labelled_and_come_out_as_they_were() {
    let place = Place::new(None);
    place.write("tickets.jsonl", 0..30);
    let import = ["import", "tickets.jsonl", "--model", "fast", "--quiet"];
    let said = place.ends(0, &import);
    assert!(
        said.contains("30 records are new") && said.contains("`message`") && said.contains("`ticket_id`"),
        "{said}"
    );
    assert!(place.ends(0, &import).contains("0 records are new, 30 were there"), "again is no double");
    // It has grown, and some of it is broken.
    let mut text = fs::read_to_string(place.path("tickets.jsonl")).expect("written");
    text.push_str(&format!("nonsense\n{}\n", json!({ "ticket_id": "empty", "message": " " })));
    text.push_str(&format!("{}\n", record(30)));
    fs::write(place.path("tickets.jsonl"), text).expect("written");
    let said = place.ends(2, &import);
    assert!(said.contains("1 records are new, 30 were there, 2 could not be used"), "{said}");
    assert!(said.contains("line 31: not JSON") && said.contains("line 32: the text is empty"), "{said}");
    assert!(place.ends(1, &["import", "missing.jsonl"]).contains("missing.jsonl"));
    place.write("part.jsonl", 0..2);
    let said = place.ends(0, &["import", "part.jsonl", "--name", "tickets", "--later", "--quiet"]);
    assert!(said.contains("2 were there") && said.contains("29 records of the batch are not in the file"), "{said}");

    // Said, but not done.
    let dry = place.ends(0, &[&PROCESS[..], &["--dry-run"]].concat());
    assert!(dry.contains("31 documents would be processed"), "{dry}");
    assert_eq!(by_status(&place.exported(&[])), BTreeMap::from([("pending", 31)]));
    assert!(!place.ends(0, &["flows", "list"]).contains("Labels of labels"), "not even the flow is kept");

    let said = place.ends(0, &[&PROCESS[..], &["--batch", "tickets", "--output", "stats.json"]].concat());
    assert!(said.contains("31 of 31 documents completed"), "{said}");
    let stats: Value = serde_json::from_slice(&fs::read(place.path("stats.json")).expect("written")).expect("JSON");
    assert_eq!(
        (&stats["records"], &stats["attempts"], &stats["status"]),
        (&json!(31), &json!(31), &json!("completed"))
    );
    assert_eq!((&stats["run_by_status"]["completed"], &stats["errors"]), (&json!(31), &json!({})), "{stats}");
    assert!(stats["latency_milliseconds"]["p99"].as_f64().is_some_and(|p99| p99 > 0.0), "{stats}");
    let of_labels = stats["by_label"].as_object().expect("counts").values().filter_map(Value::as_u64).sum::<u64>();
    assert_eq!(of_labels, 31, "{stats}");
    assert_eq!(stats["classifier"]["from"], "words");
    let again = place.ends(0, &[&PROCESS[..], &["--batch", "tickets"]].concat());
    assert!(again.contains("This process did 0 of them"), "{again}");
    assert!(place.ends(0, &[&PROCESS[..], &["--dry-run"]].concat()).contains("0 documents would be processed"));

    // Everything that was imported, in its order.
    let rows = place.exported(&["--batch", "tickets"]);
    assert_eq!(rows.len(), 31);
    let mut right = 0;
    for (i, row) in rows.iter().enumerate() {
        let expect = record(i);
        assert_eq!((&row["record"], &row["id"], &row["status"]), (&expect, &expect["ticket_id"], &json!("completed")));
        assert_eq!(row["text"], expect["message"]);
        right += usize::from(row["label"] == TOPICS[i % 3].0);
    }
    assert!(right >= 28, "{right} of 31");
    place.ends(0, &["export", "--out", "out.json"]);
    let all: Value = serde_json::from_slice(&fs::read(place.path("out.json")).expect("written")).expect("JSON");
    assert_eq!(all.as_array(), Some(&rows));
    place.ends(0, &["export", "--out", "out.csv"]);
    let csv = fs::read_to_string(place.path("out.csv")).expect("written");
    assert!(csv.starts_with("id,text,label,probability,confidence,status,attempts,error\nT/0,"), "{csv}");
    assert_eq!(csv.lines().count(), 32);
    assert!(place.ends(1, &["export", "--out", "out.xls"]).contains(".csv, .jsonl or .json"));
}

#[test]
fn examples_are_ids_of_records_and_tables_are_backlogs_too() {
    let place = Place::new(None);
    let rows: String = (0..30).map(|i| format!("{i},\"{} {i}?\"\n", TOPICS[i % 3].1)).collect();
    fs::write(place.path("letters.csv"), format!("id,text\n{rows}30,=1+1 is a formula\n")).expect("written");
    place.ends(0, &["import", "letters.csv", "--model", "fast", "--name", "Letters", "--later"]);
    fs::write(place.path("kinds.json"), r#"["x1", "x2", "x3"]"#).expect("written");
    let gold: String = (0..12).map(|i| format!("{i}\tx{}\n", i % 3 + 1)).collect();
    fs::write(place.path("gold.tsv"), format!("id\tlabel\n{gold}")).expect("written");
    let args = ["process", "--labels", "kinds.json", "--examples", "gold.tsv", "--model", "fast", "--output", "s.json"];
    let said = place.ends(0, &args);
    assert!(said.contains("Cross-validated accuracy: "), "{said}");
    let rows = place.exported(&[]);
    let right = rows.iter().enumerate().filter(|(i, row)| row["label"] == format!("x{}", i % 3 + 1)).count();
    assert!(right >= 28, "{right}: {rows:?}");
    place.ends(0, &["export", "--out", "out.csv"]);
    assert!(fs::read_to_string(place.path("out.csv")).expect("written").contains("\n30,'=1+1 is a formula,"));
    fs::write(place.path("gold.tsv"), "id\tlabel\nnobody\tx1\n").expect("written");
    assert!(place.ends(1, &args).contains("no record `nobody`"));
    // A flow of any kind works off a backlog.
    let flow = "name = \"Days\"\n[[steps]]\nname = \"words\"\ndo = \"keywords\"\ncount = 2\n";
    fs::write(place.path("flow.toml"), flow).expect("written");
    place.ends(0, &["process", "--flow", "flow.toml"]);
    assert!(place.ends(0, &["process", "--flow", "Days"]).contains("This process did 0"), "it is kept by its name");
    let rows = place.exported(&["--batch", "Letters"]);
    assert_eq!(rows[0]["values"]["words.keyword"].as_array().map(Vec::len), Some(2), "{}", rows[0]);
    assert!(place.ends(1, &["process", "--flow", "nowhere.toml"]).contains("nowhere.toml"));
    assert!(place.ends(1, &["process", "--flow", "Days", "--batch", "nothing"]).contains("`nothing`"));
}

/// Waits until the check holds, asking now and then.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn completed(place: &Place) -> usize {
    by_status(&place.exported(&[])).get("completed").copied().unwrap_or_default()
}

#[test]
fn after_a_kill_the_next_one_goes_on() {
    let place = Place::new(None);
    place.write("tickets.jsonl", 0..2000);
    place.ends(0, &["import", "tickets.jsonl", "--later", "--quiet"]);
    for _ in 0..2 {
        let before = completed(&place);
        let mut child = place.start(&[&PROCESS[..], &["--max-concurrent", "1"]].concat());
        until("it works", || completed(&place) > before);
        child.kill().expect("it ran");
        assert_eq!(child.wait().expect("it ends").signal(), Some(9), "it was not done yet");
    }
    let left = 2000 - completed(&place);
    assert!(left > 0, "the kills came too late to show anything");
    let said = place.ends(0, &PROCESS);
    assert!(said.contains("2000 of 2000 documents completed, 0 failed"), "{said}");
    let rows = place.exported(&[]);
    assert_eq!(by_status(&rows), BTreeMap::from([("completed", 2000)]));
    assert!(rows.iter().all(|row| !row["label"].is_null()));
}

#[test]
fn ctrl_c_ends_it_within_a_second_and_loses_nothing() {
    let place = Place::new(None);
    place.write("tickets.jsonl", 0..2000);
    place.ends(0, &["import", "tickets.jsonl", "--later", "--quiet"]);
    let child = place.start(&[&PROCESS[..], &["--max-concurrent", "1"]].concat());
    until("it works", || completed(&place) > 0);
    let id = child.id().to_string();
    let start = Instant::now();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
    let ended = child.wait_with_output().expect("it ends");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let rows = place.exported(&[]);
    assert!(rows.iter().all(|row| row["status"] != "processing"), "what was under way was given back");
    assert!(place.ends(0, &PROCESS).contains("2000 of 2000 documents completed"));
    assert!(place.exported(&[]).iter().all(|row| row["attempts"].as_u64().is_some_and(|n| (1..=2).contains(&n))));
}

#[test]
fn processes_share_a_backlog_on_postgresql_and_one_that_watches_takes_what_comes_late() {
    let postgres = TestPostgres::start();
    let place = Place::new(Some(postgres.database()));
    place.write("tickets.jsonl", 0..600);
    place.ends(0, &["import", "tickets.jsonl", "--later", "--quiet"]);
    let first = place.start(&[&PROCESS[..], &["--output", "1.json", "--batch-size", "16"]].concat());
    let second = place.start(&[&PROCESS[..], &["--output", "2.json", "--batch-size", "16"]].concat());
    for child in [first, second] {
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    }
    let done = |file: &str| {
        let stats: Value = serde_json::from_slice(&fs::read(place.path(file)).expect("written")).expect("JSON");
        assert_eq!(stats["run_by_status"]["completed"], 600, "{stats}");
        stats["records"].as_u64().expect("a count")
    };
    let (first, second) = (done("1.json"), done("2.json"));
    assert_eq!(first + second, 600, "each once: {first} and {second}");
    assert!(first > 0 && second > 0, "they share: {first} and {second}");
    let rows = place.exported(&[]);
    assert!(rows.iter().all(|row| row["attempts"] == 1 && row["status"] == "completed"));
    assert_eq!(rows[7]["record"], record(7));

    let watching = place.start(&[&PROCESS[..], &["--watch", "--output", "3.json"]].concat());
    place.write("late.jsonl", 600..640);
    place.ends(0, &["import", "late.jsonl", "--later", "--quiet"]);
    until("the late ones are done", || completed(&place) == 640);
    let id = watching.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill starts").success());
    let ended = watching.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let stats: Value = serde_json::from_slice(&fs::read(place.path("3.json")).expect("written")).expect("JSON");
    assert_eq!(stats["records"], 40, "{stats}");
}

#[test]
fn a_database_that_goes_away_is_waited_for() {
    let mut postgres = TestPostgres::start();
    let place = Place::new(Some(postgres.database()));
    place.write("tickets.jsonl", 0..400);
    place.ends(0, &["import", "tickets.jsonl", "--later", "--quiet"]);
    let child = place.start(&[&PROCESS[..], &["--max-concurrent", "1", "--lease-seconds", "2"]].concat());
    until("it works", || completed(&place) > 0);
    postgres.stop();
    std::thread::sleep(Duration::from_secs(3));
    postgres.restart();
    let ended = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("400 of 400 documents completed"), "{said}");
    assert_eq!(completed(&place), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_models_trouble_is_waited_for_and_what_failed_stays_with_its_record() {
    let faults = [
        ("Busy", Fault::Busy(0)),
        ("Broken", Fault::Broken),
        ("Cut", Fault::Cut),
        ("Malformed", Fault::Malformed),
        ("Wrong", Fault::WrongField),
        ("Hopeless", Fault::Hopeless),
        ("Refused", Fault::Refused),
    ];
    let model = FakeModel::start(&faults, Duration::ZERO).await;
    let place = Place::new(None);
    let names = ["Fine", "Busy", "Broken", "Cut", "Malformed", "Wrong", "Hopeless"];
    let letter =
        |name: &str| format!("{}\n", json!({ "id": name, "text": format!("Customer {name} writes of an order.") }));
    fs::write(place.path("letters.jsonl"), names.map(letter).concat()).expect("written");
    let fields = "[{ name = \"customer\", kind = \"text\", required = true }]";
    let step =
        format!("name = \"who\"\ndo = \"ask\"\ninstructions = \"Who is it?\"\nrows = \"one\"\nfields = {fields}\n");
    fs::write(place.path("flow.toml"), format!("name = \"Customers\"\n[[steps]]\n{step}")).expect("written");
    tokio::task::spawn_blocking(move || {
        place.ends(0, &["import", "letters.jsonl", "--later", "--quiet"]);
        assert!(place.ends(1, &["process", "--flow", "flow.toml"]).contains("--model-endpoint"));
        let endpoint = ["--model-endpoint", model.address.as_str(), "--model-rate", "60000"];
        let args = [&["process", "--flow", "flow.toml", "--output", "stats.json"][..], &endpoint].concat();
        let said = place.ends(2, &args);
        assert!(said.contains("6 of 7 documents completed, 1 failed"), "{said}");
        let stats: Value = serde_json::from_slice(&fs::read(place.path("stats.json")).expect("written")).expect("JSON");
        assert_eq!(stats["errors"], json!({ "bad_answer": 1 }), "{stats}");
        let rows = place.exported(&[]);
        let of = |name: &str| rows.iter().find(|row| row["id"] == name).expect("exported");
        for name in &names[..6] {
            assert_eq!(of(name)["values"], json!({ "who.customer": [*name] }), "{}", of(name));
        }
        assert_eq!(of("Hopeless")["status"], "failed");
        assert!(of("Hopeless")["error"].as_str().is_some_and(|error| !error.is_empty()));
        let asked = model.count("Hopeless");
        assert!(place.ends(2, &args).contains("This process did 0 of them"), "what failed is left");
        assert_eq!(model.count("Hopeless"), asked);
        place.ends(2, &[&args[..], &["--retry"]].concat());
        assert!(model.count("Hopeless") > asked, "unless it is asked for");
        assert_eq!(model.count("Fine"), 1);
    })
    .await
    .expect("no panic");
}

#[test]
fn records_keep_every_digit_and_what_changes_takes_its_place() {
    let place = Place::new(None);
    let write = |records: [&str; 2]| fs::write(place.path("t.jsonl"), records.join("\n")).expect("written");
    let house =
        r#"{"z":1.50,"id":90071992547409931234567,"text":"The red house is old.","a":{"y":[1E+2,-0],"b":null}}"#;
    write([house, r#"{ "id": 90071992547409931234568, "text": "A blue boat sails.", "price": 0.10 }"#]);
    let import = ["import", "t.jsonl", "--later", "--quiet"];
    assert!(place.ends(0, &import).contains("2 records are new, 0 were there"), "ids differ in their last digit");
    let flow = "name = \"Words\"\n[[steps]]\nname = \"words\"\ndo = \"keywords\"\ncount = 9\n";
    fs::write(place.path("flow.toml"), flow).expect("written");
    let process = ["process", "--flow", "flow.toml", "--output", "stats.json"];
    assert!(place.ends(0, &process).contains("This process did 2"));
    let stats: Value = serde_json::from_slice(&fs::read(place.path("stats.json")).expect("written")).expect("JSON");
    let run = stats["run"].as_str().expect("an id").to_owned();
    place.exported(&[]);
    let raw = fs::read_to_string(place.path("out.jsonl")).expect("written");
    assert!(raw.contains(&format!("\"record\":{house}")), "{raw}");
    assert!(
        raw.contains(r#""record":{"id":90071992547409931234568,"text":"A blue boat sails.","price":0.10}"#),
        "{raw}"
    );
    assert!(raw.contains(r#"{"id":"90071992547409931234567","text":"#), "{raw}");

    // One has another text, one another price.
    let tree = house.replace("red house is old", "green tree grows");
    write([&tree, r#"{"id":90071992547409931234568,"text":"A blue boat sails.","price":0.20}"#]);
    let said = place.ends(0, &import);
    assert!(said.contains("0 records are new, 2 have changed, 0 were there") && said.contains("does again"), "{said}");
    assert!(place.ends(0, &import).contains("0 records are new, 2 were there"), "again changes nothing");
    let rows = place.exported(&[]);
    assert_eq!((rows.len(), &rows[0]["status"], &rows[1]["status"]), (2, &json!("pending"), &json!("completed")));
    assert_eq!((&rows[0]["text"], &rows[0]["values"]), (&json!("The green tree grows."), &Value::Null));
    assert!(fs::read_to_string(place.path("out.jsonl")).expect("written").contains("\"price\":0.20"));
    // The run keeps what it found, and says of what.
    let of_run = place.exported(&["--run", &run]);
    assert!(of_run[0]["values"]["words.keyword"].to_string().contains("hous"), "{}", of_run[0]);
    assert!(of_run[0]["error"].as_str().is_some_and(|error| error.contains("has changed since")), "{}", of_run[0]);
    assert_eq!((&of_run[0]["text"], &of_run[1]["error"]), (&Value::Null, &Value::Null));
    assert!(place.ends(0, &process).contains("This process did 1"), "only what has another text");
    let rows = place.exported(&["--run", &run]);
    let words = rows[0]["values"]["words.keyword"].to_string();
    assert!(words.contains("tree") && !words.contains("hous") && rows[0]["error"].is_null(), "{}", rows[0]);

    // An id that is given twice stands for both.
    write([r#"{"id":1,"text":"One letter."}"#, r#"{"id":1,"text":"Another letter."}"#]);
    let twice = [&import[..], &["--name", "Twice", "--id-field", "id"]].concat();
    assert!(place.ends(0, &twice).contains("2 records are new"));
    assert!(place.ends(0, &twice).contains("0 records are new, 2 were there"));
}
