//! Accepts connections and ends them. `axum::serve` bounds neither connections nor the time that a client may take, so that
//! clients could hold what others need; this does: each has a time for its headers, a pace for its body, and a time in which
//! it must take something of an answer.

mod pace;
mod rest;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::server::conn::http1::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::gauge;
use sheaf_domain::{Failure, FailureCode};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt;

pub use pace::Pace;
use rest::Whole;

/// How long requests may go on after nothing more is served.
pub const DRAIN: Duration = Duration::from_secs(5);

/// What one client may take of the others' share.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For the headers of a request, and between requests.
    pub headers: Duration,
    /// For the body of a request.
    pub body: Pace,
    /// For taking anything of an answer that is ready.
    pub answer: Duration,
    /// Connections at the same time; further ones are told to come back.
    pub connections: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            headers: Duration::from_secs(15),
            body: Pace { bytes: 16 << 10, within: Duration::from_secs(30) },
            answer: Duration::from_secs(60),
            connections: 4096,
        }
    }
}

/// Serves until `stop` resolves, then lets running requests end, for `drain` at most.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: impl Future<Output = ()>,
    drain: Duration,
) {
    let mut builder = Builder::new();
    // HTTP/1 only: over plain TCP browsers speak nothing else, and finding out which one it is has no time limit.
    builder.timer(TokioTimer::new()).header_read_timeout(patience.headers);
    let graceful = GracefulShutdown::new();
    let places = Arc::new(Semaphore::new(patience.connections));
    let mut stop = std::pin::pin!(stop);
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    // Out of file descriptors, most likely: wait for some to come back.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut stop => break,
        };
        // Without this every small response waits for the client's delayed acknowledgement, 40 ms.
        let _ = stream.set_nodelay(true);
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tokio::spawn(turn_away(stream, patience.headers));
            continue;
        };
        let service = router.clone().map_request(move |request: http::Request<hyper::body::Incoming>| {
            // Who waits to be asked for the body is not asked for one that nobody wants.
            let waits = request.headers().contains_key(http::header::EXPECT);
            request.map(|body| {
                let body = patience.body.keep(body);
                if waits { Body::new(body) } else { Body::new(Whole::new(body)) }
            })
        });
        let service = service.map_err(|never: Infallible| never);
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(patience.answer));
        let stream = TokioIo::new(Box::pin(stream));
        let connection = builder.serve_connection(stream, TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            gauge!("sheaf_http_connections").increment(1);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            gauge!("sheaf_http_connections").decrement(1);
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were cut off");
    }
}

/// Answers without reading: there is no place for whoever this is.
async fn turn_away(mut stream: TcpStream, patience: Duration) {
    let failure = Failure::new(FailureCode::Overloaded, "too many connections are open");
    let body = serde_json::to_string(&failure).unwrap_or_default();
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    // A client that does not take it is no loss.
    let _ = tokio::time::timeout(patience, told).await;
}

#[cfg(test)]
mod tests;
