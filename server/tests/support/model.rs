//! An OpenAI-compatible server for tests, which can be told to be in trouble.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Json;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::{Value, json};

/// What goes wrong with a question, by words of the document that it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first time: too many requests, come back after so many seconds.
    Busy(u32),
    /// The first time: an error of the server.
    Broken,
    /// The first time: the answer breaks off.
    Cut,
    /// The first time: no JSON; then mended.
    Malformed,
    /// The first time: a field that was not asked for; then mended.
    WrongField,
    /// Always no JSON.
    Hopeless,
    /// Always an error that lasts.
    Refused,
}

#[derive(Clone)]
pub struct FakeModel {
    pub address: String,
    /// The documents' lines of all questions, in the order in which they came.
    pub asked: Arc<Mutex<Vec<String>>>,
    /// When they came.
    pub times: Arc<Mutex<Vec<Instant>>>,
    faults: Arc<HashMap<&'static str, Fault>>,
    slow: Duration,
}

impl FakeModel {
    /// Starts on a thread of its own runtime's tasks.
    pub async fn start(faults: &[(&'static str, Fault)], slow: Duration) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let faults = Arc::new(faults.iter().copied().collect());
        let model = Self { address, asked: Arc::default(), times: Arc::default(), faults, slow };
        let router = Router::new().route("/v1/chat/completions", post(answer)).with_state(model.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        model
    }

    pub fn count(&self, words: &str) -> usize {
        self.asked.lock().expect("no panic").iter().filter(|document| document.contains(words)).count()
    }
}

async fn answer(State(model): State<FakeModel>, Json(body): Json<Value>) -> Response {
    model.times.lock().expect("no panic").push(Instant::now());
    let messages = body["messages"].as_array().expect("messages");
    let document = messages[2]["content"].as_str().expect("a document").to_owned();
    let mends = messages.len() > 3;
    let before = {
        let mut asked = model.asked.lock().expect("no panic");
        let before = asked.iter().filter(|other| **other == document).count();
        asked.push(document.clone());
        before
    };
    tokio::time::sleep(model.slow).await;
    let fault = model.faults.iter().find(|(words, _)| document.contains(**words)).map(|(_, fault)| *fault);
    match fault {
        Some(Fault::Busy(seconds)) if before == 0 => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())], "later").into_response();
        }
        Some(Fault::Broken) if before == 0 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Cut) if before == 0 => return "{\"choices\": [{\"mess".into_response(),
        Some(Fault::Malformed) if !mends => return said("Of course! Here it is: {rows"),
        Some(Fault::WrongField) if !mends => {
            return said("{\"rows\": [{\"lines\": [1, 1], \"command\": \"rm -rf /\"}]}");
        }
        Some(Fault::Hopeless) => return said("no"),
        Some(Fault::Refused) => return StatusCode::UNAUTHORIZED.into_response(),
        Some(_) | None => {}
    }
    // What is asked for stands on the first line: `1| Customer NAME`.
    let first = document.lines().find_map(|line| line.strip_prefix("1| ")).unwrap_or_default();
    let name = first.split_whitespace().nth(1).unwrap_or_default();
    let content = json!({ "rows": [{ "customer": name, "lines": [1, 1] }] }).to_string();
    if body["model"] == "counting" {
        // As real models count, roughly: a token for each four characters.
        let letters = |message: &Value| message["content"].as_str().map_or(0, |text| text.chars().count());
        return charged(&content, messages.iter().map(letters).sum::<usize>() / 4, content.len() / 4);
    }
    said(&content)
}

fn said(content: &str) -> Response {
    charged(content, 60, 40)
}

fn charged(content: &str, asked: usize, answered: usize) -> Response {
    let usage = json!({ "prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered });
    let choice = json!({ "index": 0, "finish_reason": "stop", "message": { "role": "assistant", "content": content } });
    Json(json!({ "object": "chat.completion", "choices": [choice], "usage": usage })).into_response()
}
