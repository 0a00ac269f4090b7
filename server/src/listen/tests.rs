//! Clients that hold what others need, against a server that is less patient than ours.

use std::net::SocketAddr;
use std::time::Instant;

use axum::routing::{get, post};
use http::StatusCode;
use tokio::io::AsyncReadExt;

use super::*;

/// A server that is less patient than ours; it ends with the test.
async fn start(patience: Patience) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let router = Router::new()
        .route("/", get(async || "here\n"))
        .route("/large", get(async || vec![b'x'; 64 << 20]))
        .route("/body", post(async |body: String| body.len().to_string()))
        .route("/refused", post(async || (StatusCode::FORBIDDEN, "no\n")));
    tokio::spawn(serve(listener, router, patience, std::future::pending(), DRAIN));
    address
}

fn hasty() -> Patience {
    Patience {
        headers: Duration::from_millis(300),
        body: Pace { bytes: 100, within: Duration::from_millis(300) },
        answer: Duration::from_millis(300),
        connections: 2000,
    }
}

/// It wants a provider, though it speaks no TLS here.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

/// Whatever the server still says, until it closes; it must do so by itself.
async fn rest(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    let closed = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut said)).await;
    assert!(closed.is_ok(), "the connection stays open");
    String::from_utf8_lossy(&said).into_owned()
}

#[tokio::test]
async fn whoever_says_nothing_is_let_go() {
    let address = start(hasty()).await;
    for beginning in ["", "GET / HTTP/1.1\r\nhost: x\r\n", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        stream.write_all(beginning.as_bytes()).await.expect("written");
        let said = rest(&mut stream).await;
        assert_eq!(said.ends_with("here\n"), beginning.ends_with("\r\n\r\n"), "{beginning:?}: {said}");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_off_and_a_slow_one_is_not() {
    let address = start(hasty()).await;
    let send = async |pieces: usize, size: usize| {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let head =
            format!("POST /body HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", pieces * size);
        stream.write_all(head.as_bytes()).await.expect("written");
        for _ in 0..pieces {
            if stream.write_all(&vec![b'a'; size]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
        rest(&mut stream).await
    };
    // A byte now and then keeps nobody waiting longer than silence would.
    assert!(!send(60, 1).await.contains("200 OK"));
    let said = send(30, 100).await;
    assert!(said.ends_with("3000"), "{said}");
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_body_arrives_and_the_next_request_too() {
    let address = start(Patience::default()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    // Longer than what the systems at both ends hold back.
    let body = vec![b'a'; 16 << 20];
    let head = format!("POST /refused HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    for _ in 0..3 {
        stream.write_all(head.as_bytes()).await.expect("written");
        let mut said = [0; 1024];
        let read = stream.read(&mut said).await.expect("answered");
        let said = String::from_utf8_lossy(&said[..read]);
        assert!(said.starts_with("HTTP/1.1 403 ") && said.ends_with("no\n"), "{said}");
        stream.write_all(&body).await.expect("somebody takes it");
    }
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.expect("written");
    let said = rest(&mut stream).await;
    assert!(said.ends_with("here\n"), "{said}");
}

#[tokio::test]
async fn who_waits_to_be_asked_for_a_body_is_not_asked_after_a_refusal() {
    let address = start(Patience::default()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    let head = "POST /refused HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 9\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("written");
    let said = rest(&mut stream).await;
    assert!(said.starts_with("HTTP/1.1 403 "), "{said}");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up() {
    let address = start(hasty()).await;
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("written");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let mut taken = 0;
    let mut bytes = vec![0; 1 << 20];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        taken += read;
    }
    assert!(taken < 64 << 20, "{taken} bytes: it was waited for");
}

#[tokio::test]
async fn a_full_house_says_so() {
    let address = start(Patience { connections: 2, headers: Duration::from_secs(60), ..hasty() }).await;
    let _held =
        [TcpStream::connect(address).await.expect("connected"), TcpStream::connect(address).await.expect("connected")];
    let mut third = TcpStream::connect(address).await.expect("connected");
    let said = rest(&mut third).await;
    assert!(
        said.starts_with("HTTP/1.1 429 ") && said.contains("retry-after: 5") && said.contains("overloaded"),
        "{said}"
    );
    drop(_held);
    // The places come back when the server has noticed.
    let client = client();
    for _ in 0..100 {
        if client.get(format!("http://{address}/")).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no place came back");
}

#[tokio::test]
async fn a_thousand_idle_connections_hold_nobody_up() {
    let address = start(Patience { headers: Duration::from_secs(60), ..hasty() }).await;
    // Both ends of each connection are in this process.
    crate::limits::allow_many_files();
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(address).await.expect("connected"));
    }
    let client = client();
    let begun = Instant::now();
    for _ in 0..200 {
        let answer = client.get(format!("http://{address}/")).send().await.expect("answered");
        assert_eq!(answer.status(), StatusCode::OK);
    }
    // In the order of 50 ms; a server that goes through its connections, or waits for one, takes far longer.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    drop(idle);
}
