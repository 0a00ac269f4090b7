//! A listener to server-sent events.

use std::time::Duration;

use serde_json::Value;

use super::support::Server;

pub struct Listener {
    answer: reqwest::Response,
    unread: String,
    cursor: Option<String>,
}

impl Listener {
    pub async fn open(server: &Server, path: &str, cursor: Option<&str>) -> Self {
        let mut request = server.client.get(format!("{}{path}", server.address));
        if let Some(cursor) = cursor {
            request = request.header("Last-Event-ID", cursor);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self { answer, unread: String::new(), cursor: cursor.map(str::to_owned) }
    }

    /// The id of the last event.
    pub fn cursor(&self) -> Option<String> {
        self.cursor.clone()
    }

    /// The next event's name and data; none when the stream has ended.
    pub async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            if let Some((event, rest)) = self.unread.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.unread = rest;
                let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
                if let Some(id) = field("id:") {
                    self.cursor = Some(id.to_owned());
                }
                if let (Some(name), Some(data)) = (field("event:"), field("data:")) {
                    return Some((name.to_owned(), serde_json::from_str(data).expect("JSON")));
                }
                continue;
            }
            let chunk = tokio::time::timeout(Duration::from_secs(60), self.answer.chunk()).await;
            let chunk = chunk.expect("a sign of life").expect("readable")?;
            self.unread.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }
}
