//! The look of pages: pictures of them, and where a quote stands on them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sheaf_domain::{Failure, PageBox};
use tokio::fs::File;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::child::{Child, Outcome, unreadable};
use super::death::Death;
use super::{Pool, stopping};
use crate::canvas;
use crate::hints::Hints;
use crate::limits::Limits;
use crate::picture::{Content, Drawn, Picture, PictureFor};
use crate::protocol::{self, PageReply, PageRequest, Reply, Request};
use crate::quote::Quote;

/// The largest answer that is taken from a child, in bytes; pixels do not come this way.
const ANSWER_BYTES: usize = 256 << 20;

/// An answer whose pixels were taken from the canvas.
enum Answer {
    Picture(Picture),
    Boxes(Vec<PageBox>),
}

impl Pool {
    /// Makes a picture of a page (from 1) of the file at `path`, as [`Self::parse`] reads it; at most
    /// [`super::PoolConfig::render_workers`] at a time.
    ///
    /// # Errors
    /// As for [`Self::parse`]; `unsupported_kind` when the file has no pages to look at.
    pub async fn picture(
        &self,
        path: &Path,
        hints: impl Into<Hints>,
        page: u32,
        purpose: PictureFor,
    ) -> Result<Picture, Failure> {
        let _renderer = self.renderers.acquire().await.map_err(|_| stopping())?;
        match self.ask(path, hints.into(), page, PageRequest::Picture(purpose)).await? {
            Answer::Picture(picture) => Ok(picture),
            Answer::Boxes(_) => Err(Death::Garbled.failure(None, 0, &self.config.limits)),
        }
    }

    /// Where a quote from the text of a page (from 1) stands on it: a box for each stretch of a line, in reading order.
    ///
    /// # Errors
    /// As for [`Self::picture`]; `not_found` when the page's own text does not have the quote.
    pub async fn boxes(
        &self,
        path: &Path,
        hints: impl Into<Hints>,
        page: u32,
        quote: Quote,
    ) -> Result<Vec<PageBox>, Failure> {
        match self.ask(path, hints.into(), page, PageRequest::Boxes(quote)).await? {
            Answer::Boxes(boxes) => Ok(boxes),
            Answer::Picture(_) => Err(Death::Garbled.failure(None, 0, &self.config.limits)),
        }
    }

    async fn ask(&self, path: &Path, hints: Hints, page: u32, what: PageRequest) -> Result<Answer, Failure> {
        let limits = &self.config.limits;
        let request = Request::Page { hints: hints.short(), limits: limits.clone(), page, what };
        self.with_child(Some(path), async |child| child.show(path, &request, limits).await).await
    }
}

impl Child {
    /// Has a question about a page answered, and finds out what happened when that fails.
    async fn show(mut self, path: &Path, request: &Request, limits: &Limits) -> Outcome<Answer> {
        let file = match File::open(path).await {
            Ok(file) => file,
            Err(error) => return Outcome { result: Err(unreadable(&error)), child: Some(self) },
        };
        self.open = Some(path.to_owned());
        let asked = timeout(limits.wall, self.ask(request, &file)).await;
        let failed = |death: Death| {
            death.count();
            Outcome { result: Err(death.failure(None, 0, limits)), child: None }
        };
        match asked {
            Ok(Ok((result, retire))) => Outcome { result, child: (!retire).then_some(self) },
            Ok(Err(error)) if error.kind() == io::ErrorKind::InvalidData => failed(Death::Garbled),
            Ok(Err(_)) => failed(self.find_cause().await),
            Err(_) => failed(Death::Slow),
        }
    }

    async fn ask(&mut self, request: &Request, file: &File) -> io::Result<(Result<Answer, Failure>, bool)> {
        self.say_with(request, file).await?;
        match protocol::receive(&mut self.stdout, ANSWER_BYTES).await?.0 {
            Reply::OfPage { reply: PageReply::Picture(drawn), retire } => {
                Ok((Ok(Answer::Picture(self.collect(drawn).await?)), retire))
            }
            Reply::OfPage { reply: PageReply::Boxes(boxes), retire } => Ok((Ok(Answer::Boxes(boxes)), retire)),
            Reply::Failed { failure, retire } => Ok((Err(failure), retire)),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// The picture with its pixels.
    async fn collect(&self, Drawn { width, height, dpi, content }: Drawn) -> io::Result<Picture> {
        let bytes = match content {
            Content::File(bytes) => bytes,
            Content::Canvas => {
                let length = (width as usize).checked_mul(height as usize).ok_or(io::ErrorKind::InvalidData)?;
                let canvas = Arc::clone(&self.canvas);
                // Millions of bytes are too many for a thread that others wait for.
                spawn_blocking(move || canvas::take(&canvas, length)).await??.into()
            }
        };
        Ok(Picture { width, height, dpi, bytes })
    }
}
