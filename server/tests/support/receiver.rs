//! Someone who is told by webhooks, or collects spans, as a server of a few lines.

#![expect(dead_code, reason = "each test file uses a part of this")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What was posted.
pub struct Message {
    pub head: String,
    pub body: String,
    /// The body, where it is no text.
    pub bytes: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> &str {
        let line = self.head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("no `{name}` in {}", self.head))[name.len() + 1..].trim()
    }
}

/// Listens on this machine; it refuses as many messages as `refuse` says, with 500.
pub struct Receiver {
    pub address: SocketAddr,
    pub refuse: Arc<AtomicU32>,
    messages: UnboundedReceiver<Message>,
}

impl Receiver {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sender, messages) = unbounded_channel();
        let refuse = Arc::new(AtomicU32::new(0));
        let refusals = Arc::clone(&refuse);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut bytes = Vec::new();
                let message = loop {
                    let mut chunk = [0; 4096];
                    let Ok(read @ 1..) = stream.read(&mut chunk).await else { break None };
                    bytes.extend_from_slice(&chunk[..read]);
                    if let Some(message) = whole(&bytes) {
                        break Some(message);
                    }
                };
                let Some(message) = message else { continue };
                let refused =
                    refusals.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
                let status = if refused { "500 Internal Server Error" } else { "200 OK" };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { address, refuse, messages }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(Duration::from_secs(60), self.messages.recv()).await;
        next.expect("nothing was posted").expect("it listens")
    }

    pub fn is_quiet(&mut self) -> bool {
        self.messages.try_recv().is_err()
    }
}

fn whole(bytes: &[u8]) -> Option<Message> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = (String::from_utf8_lossy(&bytes[..end]).into_owned(), &bytes[end + 4..]);
    let length: usize =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok())?;
    let text = String::from_utf8_lossy(body).into_owned();
    (body.len() == length).then(|| Message { head, body: text, bytes: body.to_vec() })
}
