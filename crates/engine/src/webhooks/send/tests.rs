//! Messages against receivers of a few lines, on this machine.

use std::sync::atomic::{AtomicUsize, Ordering};

use sheaf_domain::{DeliveryId, EventId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::*;

/// A receiver that gives one answer to all; its address, and how many connections there were.
async fn receiver(
    answer: &'static str,
) -> (SocketAddr, Arc<AtomicUsize>, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let count = Arc::new(AtomicUsize::new(0));
    let (sender, requests) = tokio::sync::mpsc::unbounded_channel();
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                let mut bytes = [0; 4096];
                match stream.read(&mut bytes).await {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.extend_from_slice(&bytes[..read]),
                }
            }
            let _ = sender.send(String::from_utf8_lossy(&request).into_owned());
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    (address, count, requests)
}

fn claim(url: String) -> ClaimedDelivery {
    ClaimedDelivery {
        id: DeliveryId(Uuid::nil()),
        attempt: 1,
        tries: 1,
        age_ms: 0,
        url,
        secret: "whsec_00".into(),
        event: EventId(Uuid::nil()),
        body: "{}".into(),
    }
}

fn sender(allowed: &[&str]) -> Sender {
    Sender::new(allowed.iter().map(|text| text.parse().expect("valid")).collect())
}

#[tokio::test]
async fn a_message_is_signed_and_taken() {
    let (address, _, mut requests) = receiver("HTTP/1.1 204 No Content\r\n\r\n").await;
    let sent = sender(&["127.0.0.1"]).send(&claim(format!("http://{address}/hook?key=1"))).await;
    assert_eq!(sent, Ok(204));
    let request = requests.recv().await.expect("it arrived").to_lowercase();
    assert!(request.starts_with("post /hook?key=1 http/1.1\r\n"), "{request}");
    let value =
        |name: &str| request.lines().find_map(|line| line.strip_prefix(name)).expect("a header").trim().to_owned();
    assert_eq!(value("content-type:"), "application/json");
    assert_eq!(value("sheaf-event:"), Uuid::nil().to_string());
    let signed = value("sheaf-signature:");
    let seconds = signed.strip_prefix("t=").and_then(|rest| rest.split(',').next()).expect("a time");
    assert_eq!(signed, signature("whsec_00", seconds.parse().expect("seconds"), "{}"));
}

#[tokio::test]
async fn private_addresses_are_never_connected_to() {
    let (address, connections, _) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    for url in [format!("http://{address}/"), format!("http://localhost:{}/", address.port())] {
        let refused = sender(&["10.0.0.0/8"]).send(&claim(url.clone())).await.expect_err("refused");
        assert!(refused.error.contains("no public address"), "{url}: {}", refused.error);
    }
    assert_eq!(connections.load(Ordering::SeqCst), 0);
    assert_eq!(sender(&["localhost"]).send(&claim(format!("http://localhost:{}/", address.port()))).await, Ok(200));
}

#[tokio::test]
async fn redirects_are_not_followed_and_errors_hold_no_url() {
    let (target, connections, _) = receiver("HTTP/1.1 200 OK\r\n\r\n").await;
    let answer = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{target}/\r\n\r\n");
    let (address, _, _) = receiver(answer.leak()).await;
    let refused = sender(&["127.0.0.1"]).send(&claim(format!("http://{address}/"))).await.expect_err("no success");
    assert_eq!(refused.answer, Some(307));
    assert_eq!(connections.load(Ordering::SeqCst), 0);

    let closed = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("an address");
    let refused =
        sender(&["127.0.0.1"]).send(&claim(format!("http://{closed}/private-key"))).await.expect_err("closed");
    assert!(refused.error.starts_with("it cannot be reached: "), "{}", refused.error);
    assert!(!refused.error.contains("private-key"), "{}", refused.error);
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            stream.read_buf(&mut request).await.expect("a request");
        }
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
    });
    assert_eq!(sender(&["127.0.0.1"]).send(&claim(format!("http://{address}/"))).await, Ok(200));
}

#[test]
fn a_name_keeps_only_its_public_addresses() {
    let found: Vec<SocketAddr> = ["10.0.0.1:0", "1.1.1.1:0", "127.0.0.1:0"].map(|a| a.parse().expect("valid")).to_vec();
    assert_eq!(vetted(&[], "example.com", found.iter().copied()).expect("one is left"), [found[1]]);
    assert!(vetted(&[], "example.com", found[..1].iter().copied()).is_err());
}
