//! The body of a request at a least pace: a client that trickles is cut off, one that is slow because of the server is not.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep};

/// How many bytes must come within some time of waiting for them.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    pub bytes: u64,
    pub within: Duration,
}

impl Pace {
    /// This body, as long as it comes at this pace.
    pub fn keep<B>(self, body: B) -> Paced<B> {
        Paced { body, pace: self, came: 0, left: self.within, waiting: None }
    }
}

/// A body that ends with an error when it comes too slowly.
pub struct Paced<B = Incoming> {
    body: B,
    pace: Pace,
    /// Bytes of the present window.
    came: u64,
    /// How much longer the window may be waited for.
    left: Duration,
    /// Since when there is nothing to read, and the end of the patience. Time in which nobody wants to read is not counted.
    waiting: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// The client sends too slowly.
#[derive(Debug, thiserror::Error)]
pub enum PaceError {
    #[error("the request came too slowly: at least {bytes} bytes are expected within {} seconds", within.as_secs())]
    TooSlow { bytes: u64, within: Duration },
    #[error("the request broke off")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl<B> Body for Paced<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = PaceError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, PaceError>>> {
        let this = self.get_mut();
        let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
            let left = this.left;
            let (_, patience) =
                this.waiting.get_or_insert_with(|| (Instant::now(), Box::pin(tokio::time::sleep(left))));
            ready!(patience.as_mut().poll(cx));
            let Pace { bytes, within } = this.pace;
            return Poll::Ready(Some(Err(PaceError::TooSlow { bytes, within })));
        };
        if let Some((since, _)) = this.waiting.take() {
            this.left = this.left.saturating_sub(since.elapsed());
        }
        let frame = frame.map(|frame| frame.map_err(|error| PaceError::Body(error.into())));
        if let Some(data) = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref()) {
            this.came += data.len() as u64;
            if this.came >= this.pace.bytes {
                (this.came, this.left) = (0, this.pace.within);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
