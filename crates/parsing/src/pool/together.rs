//! Small documents that share one message to a child and one answer: for a text of two pages the way there and back costs
//! more than the reading.

use std::os::fd::AsFd;
use std::path::Path;

use sheaf_domain::Failure;
use tokio::fs::File;
use tokio::time::timeout;

use super::Pool;
use super::child::{Child, Ending, Outcome, Received, Stretch};
use crate::document::{ParsedDocument, Part};
use crate::hints::Hints;
use crate::limits::Limits;
use crate::protocol::{self, Request};
use crate::wire;

/// Documents that go together, at most: as many as files may come at once.
pub const TOGETHER: usize = wire::FILES;

/// Bytes of the requests that go together; a socket takes more without waiting. Passwords make them long.
const REQUEST_BYTES: usize = 32 << 10;

/// What became of the first documents; of the others the child did not come to an end.
type Answers = Vec<Result<Stretch, Part>>;

impl Pool {
    /// Parses up to [`TOGETHER`] documents in one child, one after the other; results in their order. It is made for small
    /// ones: none begins before the one in front of it has ended. One that a child dies of, and those behind it, are parsed
    /// again by themselves, so that each result is that of [`Self::parse_or_part`].
    pub async fn parse_together(&self, documents: &[(&Path, &Hints)]) -> Vec<Result<ParsedDocument, Part>> {
        let limits = &self.config.limits;
        let range = (1, self.config.pages_per_job.max(1));
        let asked = self.with_child(None, async |child| child.parse_together(documents, range, limits).await).await;
        // Without a child there is no answer; the documents will say why.
        let mut answers = asked.unwrap_or_else(|_: Failure| Vec::new()).into_iter();
        let mut results = Vec::with_capacity(documents.len());
        for (path, hints) in documents {
            results.push(match answers.next() {
                Some(Ok(first)) => self.parse_rest(path, hints, first, &|_, _| {}).await,
                Some(Err(part)) => Err(part),
                None => self.parse_or_part(path, hints, &|_, _| {}).await,
            });
        }
        results
    }
}

impl Child {
    /// Has documents parsed one after the other, as far as it comes.
    async fn parse_together(
        mut self,
        documents: &[(&Path, &Hints)],
        range: (u32, u32),
        limits: &Limits,
    ) -> Outcome<Answers> {
        let asked = match self.ask_together(documents, range, limits).await {
            Ok(asked) => asked,
            Err(_) => return Outcome { result: Ok(Vec::new()), child: None },
        };
        let mut answers = Vec::with_capacity(asked);
        while answers.len() < asked {
            let mut received = Received::default();
            let Ok(Ok(Ending { result, retire })) = timeout(limits.wall, self.hear_of(limits, &mut received)).await
            else {
                return Outcome { result: Ok(answers), child: None };
            };
            answers.push(match result {
                Ok(summary) => received.finish(summary).map_err(Part::from),
                Err(failure) => Err(received.cut_off(failure)),
            });
            if retire {
                return Outcome { result: Ok(answers), child: None };
            }
        }
        Outcome { result: Ok(answers), child: Some(self) }
    }

    /// Sends the requests for documents up to the first that cannot be opened; how many.
    async fn ask_together(
        &mut self,
        documents: &[(&Path, &Hints)],
        range: (u32, u32),
        limits: &Limits,
    ) -> std::io::Result<usize> {
        self.close_document();
        let (mut frames, mut files) = (Vec::new(), Vec::new());
        for (path, hints) in documents.iter().take(TOGETHER) {
            let Ok(file) = File::open(path).await else { break };
            let request = Request::Job { hints: hints.short(), limits: limits.clone(), range: Some(range) };
            let frame = protocol::encode(&request)?;
            if !files.is_empty() && frames.len() + frame.len() > REQUEST_BYTES {
                break;
            }
            frames.extend(frame);
            files.push(file);
        }
        if !files.is_empty() {
            let files: Vec<_> = files.iter().map(AsFd::as_fd).collect();
            self.say_all(&frames, &files).await?;
        }
        Ok(files.len())
    }
}
