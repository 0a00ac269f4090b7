//! What the forms of flows and runs answer, what a run may cost, and a run from the command line.

#[path = "support/model.rs"]
#[expect(dead_code, reason = "its troubles are for other tests")]
mod model;
mod support;

use std::io::Read;
use std::process::Command;
use std::time::{Duration, Instant};

use model::{FakeModel, Fault};
use serde_json::{Value, json};
use support::Server;

async fn post(server: &Server, path: &str, body: &Value) -> (u16, Value) {
    let answer = server.client.post(format!("{}{path}", server.address)).json(body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a text");
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The status, the kind and the text of what a form is answered.
async fn form(server: &Server, path: &str, fields: &[(&str, &str)]) -> (u16, String, String) {
    let url = format!("{}{path}", server.address);
    let encoded = reqwest::Url::parse_with_params(&url, fields).expect("an address");
    let body = encoded.query().unwrap_or_default().to_owned();
    let form = "application/x-www-form-urlencoded";
    let answer = server.client.post(url).header("content-type", form).body(body).send().await.expect("an answer");
    let kind = answer.headers()["content-type"].to_str().expect("text").to_owned();
    (answer.status().as_u16(), kind, answer.text().await.expect("a text"))
}

fn letters() -> Vec<(String, Vec<u8>)> {
    let text =
        |i: usize| format!("Customer Name{i} writes.\n\nTP53 was strongly expressed in the liver of {i} patients.\n");
    (0..6).map(|i| (format!("letters/{i}.txt"), text(i).into_bytes())).collect()
}

async fn batch(server: &Server) -> String {
    let (status, batch) = server.upload(&[("model", "fast"), ("name", "Letters")], &letters()).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    id
}

#[tokio::test]
async fn a_form_that_fails_is_a_page_with_what_was_typed() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let batch = batch(&server).await;
    let asking = json!({ "name": "Who", "steps": [{ "name": "who", "do": "ask", "instructions": "Who?",
        "fields": [{ "name": "customer" }] }] });
    let (_, flow) = post(&server, "/api/flows", &asking).await;
    let id = flow["id"].as_str().expect("an id");

    let pick = format!("batch {batch}");
    let fields = [("flow", id), ("pick", &pick), ("name", "My own name"), ("act", "start")];
    let (_, kind, page) = form(&server, "/runs", &fields).await;
    assert!(kind.starts_with("text/html"), "{kind}");
    for part in ["none was allowed", "--model-endpoint", "My own name", "All of Letters"] {
        assert!(page.contains(part), "{part}");
    }
    let fields = [("flow", id), ("pick", &pick), ("budget_tokens", "a lot"), ("act", "start")];
    let (_, _, page) = form(&server, "/runs", &fields).await;
    assert!(page.contains("is no number for the most tokens") && page.contains("value=\"a lot\""));

    let gone = "/runs/018f0000-0000-7000-8000-000000000000/cancel";
    let (status, kind, page) = form(&server, gone, &[]).await;
    assert_eq!(status, 404);
    assert!(kind.starts_with("text/html") && page.contains("there is no run"), "{kind}");
    let (status, refused) = post(&server, &format!("/api{gone}"), &json!({})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("not_found")), "programs get JSON");

    let file = reqwest::multipart::Part::text("name = 1").file_name("flow.toml");
    let sent = reqwest::multipart::Form::new().part("file", file);
    let answer = server.client.post(format!("{}/flows/import", server.address)).multipart(sent).send().await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status(), 422);
    assert!(answer.text().await.expect("a text").contains("the file cannot be read as a flow"));
}

#[tokio::test]
async fn money_is_estimated_and_limited_where_prices_are_known() {
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[], Duration::ZERO).await;
    let endpoint = ["--model-endpoint", model.address.as_str(), "--model-rate", "60000"];
    let prices = ["--model-price-in", "1", "--model-price-out", "4", "--model-currency", "EUR"];
    let server = Server::start(data.path(), &[&endpoint[..], &prices[..]].concat());
    let batch = batch(&server).await;
    let asking = json!({ "name": "Who", "steps": [{ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] }] });
    let (_, flow) = post(&server, "/api/flows", &asking).await;
    let part = json!({ "batch": batch, "filter": { "search": "letters/3" } });
    let wanted = json!({ "flow": flow["id"], "documents": { "selections": [part], "batches": [batch] } });
    let (status, estimate) = post(&server, "/api/runs/estimate", &wanted).await;
    assert_eq!((status, &estimate["documents"]), (200, &json!(6)), "what is chosen twice counts once: {estimate}");
    let number = |value: &Value| value.as_f64().expect("a number");
    let (from, to) = (number(&estimate["money"][0]), number(&estimate["money"][1]));
    let tokens = number(&estimate["tokens"][1]);
    assert!(0.0 < from && from < to && to <= tokens * 4.0 / 1e6, "{estimate}");

    let wanted = json!({ "flow": flow["id"], "documents": { "selections": [part] }, "budget_money": 0.1 });
    let (status, run) = post(&server, "/api/runs", &wanted).await;
    assert_eq!((status, &run["counts"]["total"], &run["budget_tokens"]), (201, &json!(1), &json!(25_000)), "{run}");
    let page = server.text(&format!("/runs/new?flow={}&batch={batch}", flow["id"].as_str().expect("an id"))).await.1;
    assert!(page.contains("The most money, in EUR"), "{page}");
    drop(server);

    let server = Server::start(data.path(), &endpoint);
    let (status, refused) = post(&server, "/api/runs", &wanted).await;
    assert_eq!((status, &refused["code"]), (400, &json!("invalid_request")), "{refused}");
    assert!(refused["hint"].as_str().expect("a hint").contains("--model-price-in"));
}

#[tokio::test]
async fn the_worked_example_runs_from_the_command_line() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let batch = batch(&server).await;
    assert!(server.terminate().success());
    let out = data.path().join("genes.zip");
    let run = Command::new(env!("CARGO_BIN_EXE_sheaf"))
        .args(["flows", "run", "gene-expression", "--batch", &batch, "--name", "Genes"])
        .arg("--out")
        .arg(&out)
        .arg("--data")
        .arg(data.path())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    assert!(said.contains("6 completed, 0 failed"), "{said}");
    let mut zip = zip::ZipArchive::new(std::fs::File::open(&out).expect("the file")).expect("a ZIP");
    assert_eq!(zip.len(), 7, "one for all, and one for each");
    let all = zip.file_names().find(|name| name.ends_with("/all.csv")).expect("a table").to_owned();
    let mut csv = String::new();
    zip.by_name(&all).expect("it is there").read_to_string(&mut csv).expect("text");
    assert_eq!(csv.matches(",TP53,TP53,1,").count(), 6, "{csv}");
}

/// Letters of different lengths.
fn longer(number: usize) -> Vec<(String, Vec<u8>)> {
    let more = |i: usize| "The patient came back in spring and was well again after two weeks.\n".repeat(i % 7 * 5);
    let text =
        |i: usize| format!("Customer Number{i} of {number} writes.\n\nTP53 was found in liver {i}.\n{}", more(i));
    (0..number).map(|i| (format!("{i}.txt"), text(i).into_bytes())).collect()
}

/// Estimates a run, and then does it: the estimate, the run, and the seconds that it took.
async fn foretold_and_done(server: &Server, flow: &Value, files: &[(String, Vec<u8>)]) -> (Value, Value, f64) {
    let (_, batch) = server.upload(&[("model", "fast")], files).await;
    let id = batch["id"].as_str().expect("an id");
    server.finished(id).await;
    let wanted = json!({ "flow": flow["id"], "documents": { "batches": [id] } });
    let (status, estimate) = post(server, "/api/runs/estimate", &wanted).await;
    assert_eq!((status, &estimate["documents"]), (200, &json!(files.len())), "{estimate}");
    let since = Instant::now();
    let (_, run) = post(server, "/api/runs", &wanted).await;
    let at = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    loop {
        let (_, run) = server.get(&at).await;
        if run["status"] == "completed" {
            return (estimate, run, since.elapsed().as_secs_f64());
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{run}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[track_caller]
fn holds(range: &Value, truth: f64) {
    let of = |place: usize| range[place].as_f64().expect("a number");
    assert!(of(0) <= truth && truth <= of(1), "{truth} is not within {range}");
}

/// What the model counted for all documents of a run: tokens that were sent, and those of answers.
async fn counted(server: &Server, run: &Value) -> (f64, f64) {
    let at = format!("/api/runs/{}/documents", run["id"].as_str().expect("an id"));
    let mut sum = (0.0, 0.0);
    for document in server.get(&at).await.1["items"].as_array().expect("documents") {
        let id = document["document"].as_str().expect("an id");
        for exchange in server.get(&format!("{at}/{id}/exchanges")).await.1.as_array().expect("exchanges") {
            let said: Value = serde_json::from_str(exchange["response"].as_str().expect("a text")).expect("JSON");
            let usage = |name: &str| said["usage"][name].as_f64().expect("a number");
            sum = (sum.0 + usage("prompt_tokens"), sum.1 + usage("completion_tokens"));
        }
    }
    sum
}

#[tokio::test]
async fn an_estimate_holds_what_the_run_takes() {
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[], Duration::from_millis(60)).await;
    let endpoint = ["--model-endpoint", model.address.as_str(), "--model-rate", "60000", "--model-name", "counting"];
    let prices = ["--model-price-in", "1", "--model-price-out", "4"];
    let server = Server::start(data.path(), &[&endpoint[..], &prices[..]].concat());
    let words = json!({ "name": "words", "do": "keywords", "count": 5 });
    let who = json!({ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] });
    let (_, asks) = post(&server, "/api/flows", &json!({ "name": "Who", "steps": [words, who] })).await;
    let mut widths = Vec::new();
    // Fewer documents than are counted, then more.
    for number in [12, 40] {
        let (estimate, run, took) = foretold_and_done(&server, &asks, &longer(number)).await;
        holds(&estimate["tokens"], run["tokens"].as_f64().expect("a number"));
        holds(&estimate["seconds"], took);
        let (sent, answered) = counted(&server, &run).await;
        holds(&estimate["money"], (sent + answered * 4.0) / 1e6);
        let timed = estimate["answers_timed"].as_u64().expect("a number");
        assert_eq!(timed, if number == 12 { 0 } else { 12 }, "{estimate}");
        let seconds = |place: usize| estimate["seconds"][place].as_f64().expect("a number");
        widths.push(seconds(1) / seconds(0));
        if number == 40 {
            let batch = run_batch(&server, &run).await;
            let at = format!("/runs/new?flow={}&batch={batch}", asks["id"].as_str().expect("an id"));
            let page = server.text(&at).await.1;
            assert!(page.contains("time is that of its latest 52 answers"), "{page}");
        }
    }
    assert!(widths[1] < widths[0] / 2.0, "what was learned narrows it: {widths:?}");
    let (_, silent) = post(&server, "/api/flows", &json!({ "name": "Words", "steps": [words] })).await;
    let (estimate, run, took) = foretold_and_done(&server, &silent, &longer(30)).await;
    assert_eq!((&estimate["tokens"], &run["tokens"]), (&json!([0, 0]), &json!(0)));
    holds(&estimate["seconds"], took);
}

#[tokio::test]
async fn waits_that_a_model_asked_for_are_in_the_next_estimate() {
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[("writes", Fault::Busy(1))], Duration::ZERO).await;
    let server = Server::start(data.path(), &["--model-endpoint", model.address.as_str(), "--model-rate", "60000"]);
    let who = json!({ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] });
    let (_, flow) = post(&server, "/api/flows", &json!({ "name": "Who", "steps": [who] })).await;
    // Each is refused once.
    let (estimate, _, _) = foretold_and_done(&server, &flow, &longer(12)).await;
    assert_eq!((&estimate["waits_known"], &estimate["wait_seconds"]), (&json!(0), &json!([0.0, 0.0])), "{estimate}");
    let (estimate, run, took) = foretold_and_done(&server, &flow, &longer(40)).await;
    assert_eq!((&estimate["waits_known"], &estimate["put_off"]), (&json!(12), &json!(12)), "{estimate}");
    assert_eq!(estimate["wait_seconds"], json!([0.5, 2.0]), "half and twice of what it was: {estimate}");
    holds(&estimate["seconds"], took);
    let batch = run_batch(&server, &run).await;
    let at = format!("/runs/new?flow={}&batch={batch}", flow["id"].as_str().expect("an id"));
    let page = server.text(&at).await.1;
    assert!(page.contains("put off 52 of the latest 52 questions"), "{page}");
}

#[tokio::test]
async fn a_model_is_asked_at_its_rate() {
    // 1,200 a minute, of which a second's worth may come at once.
    const RATE: f64 = 20.0;
    const BURST: usize = 20;
    const ASKED: usize = 140;
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[], Duration::ZERO).await;
    let server = Server::start(data.path(), &["--model-endpoint", model.address.as_str(), "--model-rate", "1200"]);
    let who = json!({ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] });
    let (_, flow) = post(&server, "/api/flows", &json!({ "name": "Who", "steps": [who] })).await;
    let letter = |i: usize| (format!("{i}.txt"), format!("Customer N{i} writes of order {i}.\n").into_bytes());
    let letters: Vec<(String, Vec<u8>)> = (0..ASKED).map(letter).collect();
    let (estimate, _, took) = foretold_and_done(&server, &flow, &letters).await;
    holds(&estimate["seconds"], took);
    let times = model.times.lock().expect("no panic");
    let seconds: Vec<f64> = times.iter().map(|time| time.duration_since(times[0]).as_secs_f64()).collect();
    assert_eq!(seconds.len(), ASKED);
    // What is there at the beginning may go at once. Of the rest each has a partner behind half of it: so a pause of the
    // machine, after which a second's worth may be made up for, counts for a few of them alone.
    let after = &seconds[BURST + 1..];
    let half = after.len() / 2;
    let mut rates: Vec<f64> = (0..half).map(|i| half as f64 / (after[i + half] - after[i])).collect();
    rates.sort_by(f64::total_cmp);
    let rate = rates[rates.len() / 2];
    assert!((rate / RATE - 1.0).abs() <= 0.02, "{rate} a second: {seconds:?}");
    let whole = seconds[ASKED - 1];
    assert!((ASKED as f64) <= BURST as f64 + 1.0 + RATE * whole * 1.02, "{ASKED} within {whole} s");
}

async fn run_batch(server: &Server, run: &Value) -> String {
    let at = format!("/api/runs/{}/documents", run["id"].as_str().expect("an id"));
    server.get(&at).await.1["items"][0]["batch"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn what_runs_found_outlives_a_batch_and_what_a_model_was_sent_does_not() {
    let data = tempfile::tempdir().expect("a folder");
    let model = FakeModel::start(&[], Duration::ZERO).await;
    let endpoint = ["--model-endpoint", model.address.as_str(), "--model-rate", "60000"];
    let server = Server::start(data.path(), &endpoint);
    let who = json!({ "name": "who", "do": "ask", "instructions": "Who?", "rows": "one",
        "fields": [{ "name": "customer", "kind": "text", "required": true }] });
    let (_, flow) = post(&server, "/api/flows", &json!({ "name": "Who", "steps": [who] })).await;
    let (_, run, _) = foretold_and_done(&server, &flow, &letters()).await;
    let batch = run_batch(&server, &run).await;
    assert!(counted(&server, &run).await.0 > 0.0);
    let page = server.text(&format!("/batches/{batch}/delete")).await.1;
    for said in ["1 run used its documents", "(6 values)", "What a model was sent about these documents is removed"] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let (status, _, _) = form(&server, &format!("/batches/{batch}/delete"), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(server.get(&format!("/api/batches/{batch}")).await.0, 404);

    let at = format!("/api/runs/{}", run["id"].as_str().expect("an id"));
    let (_, kept) = server.get(&at).await;
    assert_eq!((&kept["status"], &kept["values"], &kept["tokens"]), (&json!("completed"), &json!(6), &run["tokens"]));
    assert_eq!(counted(&server, &run).await, (0.0, 0.0), "the documents' text is gone");
    let (_, documents) = server.get(&format!("{at}/documents")).await;
    let first = &documents["items"][0];
    assert_eq!((&first["deleted"], &first["path"]), (&json!(true), &json!("letters/0.txt")));
    let table = server.text(&format!("{at}/export?what=table&format=csv")).await.1;
    assert_eq!(table.matches("letters/").count(), 6, "{table}");
    let zip = server.text(&format!("{at}/export?what=zip")).await.0;
    assert!(table.contains("Name3") && zip["content-type"] == "application/zip");
    let shown = at.trim_start_matches("/api");
    assert!(server.text(shown).await.1.contains("Customer Name3 writes."), "its quote stays");
    let page = format!("{shown}/documents/{}", first["document"].as_str().expect("an id"));
    let page = server.text(&page).await.1;
    assert!(page.contains("was deleted since") && !page.contains("/batches/"), "{page}");
}

#[test]
fn what_is_wrong_with_a_flow_is_said_with_step_field_and_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let validate = |text: &str| {
        std::fs::write(folder.path().join("flow.toml"), text).expect("written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_sheaf"));
        let ended = command.args(["flows", "validate", "flow.toml"]).current_dir(folder.path()).output();
        let ended = ended.expect("it runs");
        let said = [ended.stdout, ended.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
        (ended.status.code(), said)
    };
    let right = "name = \"A\"\n[[steps]]\nname = \"days\"\ndo = \"find\"\nwhat = \"dates\"\n";
    assert_eq!(validate(right), (Some(0), "`A` has 1 step and no problems\n".to_owned()));
    let wrong = "name = \"\"\n[[steps]]\nname = \"2nd\"\ndo = \"keywords\"\ncount = 0\n\
        [[steps]]\nname = \"codes\"\ndo = \"find\"\nwhat = \"pattern\"\npattern = \"(\"\n\
        [[steps]]\nname = \"out\"\ndo = \"format\"\ncolumns = [{ from = \"codes.nothing\" }]\n";
    let (code, said) = validate(wrong);
    assert_eq!(code, Some(1), "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "`name`: give the flow a name");
    assert_eq!(lines[1], "step 1 (`2nd`), `name`: use letters, digits and _, beginning with a letter");
    assert_eq!(lines[2], "step 1 (`2nd`), `count`: choose 1 to 100");
    assert!(said.contains("\nstep 2 (`codes`), `pattern`: "), "{said}");
    assert!(
        said.contains("\nstep 3 (`out`), `columns`: no step before this one gives `codes.nothing`; there are "),
        "{said}"
    );
    assert!(lines.last().is_some_and(|last| last.starts_with("5 problems in")), "{said}");
    for unknown in ["do = \"fly\"", "do = \"find\"\nlimits = 5"] {
        let (code, said) = validate(&format!("name = \"A\"\n[[steps]]\nname = \"x\"\n{unknown}\n"));
        assert!(code == Some(1) && said.contains("line ") && said.contains("expected"), "{said}");
    }
}
