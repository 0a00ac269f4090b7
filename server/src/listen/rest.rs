//! What a request has still to say when it is answered already, as after a refusal. It is taken and thrown away meanwhile: a
//! connection that is closed on a client that still sends may lose it the answer, and one that breaks off between two
//! requests loses it the next one.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

/// How much of a body that nobody wants is still taken, in bytes, and for how long.
const MOST: u64 = 64 << 20;
const LONGEST: Duration = Duration::from_secs(30);

/// A body whose rest is taken when it is dropped before its end.
pub struct Whole<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    /// Until it has ended, with or without an error.
    body: Option<B>,
}

impl<B> Whole<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    pub fn new(body: B) -> Self {
        Self { body: (!body.is_end_stream()).then_some(body) }
    }
}

impl<B> Body for Whole<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        let frame = Pin::new(&mut *body).poll_frame(cx);
        let ended = match &frame {
            Poll::Ready(Some(Ok(_))) => body.is_end_stream(),
            Poll::Ready(Some(Err(_)) | None) => true,
            Poll::Pending => false,
        };
        if ended {
            this.body = None;
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> Drop for Whole<B>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
{
    fn drop(&mut self) {
        let Some(mut body) = self.body.take() else { return };
        // Without a runtime the program is about to end.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(tokio::time::timeout(LONGEST, async move {
            let mut came = 0;
            while let Some(Ok(frame)) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                came += frame.data_ref().map_or(0, |data| data.len() as u64);
                if came > MOST {
                    break;
                }
            }
        }));
    }
}
