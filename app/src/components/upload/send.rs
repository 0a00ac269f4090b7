//! The course of an upload: what the server has is left out, the rest is sent in groups, and a lost connection is tried again
//! until it is back.

use std::cell::Cell;
use std::rc::Rc;

use leptos::prelude::{RwSignal, Set, Update, window};
use leptos::wasm_bindgen::JsValue;
use send_wrapper::SendWrapper;
use sheaf_domain::{BatchId, Failure, FailureCode, Upload};
use web_sys::FormData;

use super::Phase;
use super::call::{Answer, Body, Line, read, sleep};
use super::compare::{is_readable, missing};
use super::group::{next_group, pause};
use super::pile::Picked;
use super::transfer::{Transfer, Waiting};

/// Where files go.
pub enum Goal {
    /// Into a batch of their own, made with these fields of the form.
    NewBatch(serde_json::Map<String, serde_json::Value>),
    /// Into a batch that is there.
    Batch(BatchId),
    /// On with an upload that was interrupted.
    Upload(Upload),
}

/// How an upload ended.
pub enum Ended {
    /// Everything is there.
    All(BatchId),
    /// What was sent is there, but less than was once announced: how the upload stands.
    Part(Upload),
    /// The batch had it all: nothing was sent.
    Nothing,
    /// Its user stopped it.
    Stopped,
}

/// An upload on its way. Clones are of the same one.
#[derive(Clone)]
pub struct Course {
    line: Line,
    phase: RwSignal<Phase>,
    is_left: SendWrapper<Rc<Cell<bool>>>,
}

impl Course {
    pub fn new(phase: RwSignal<Phase>) -> Self {
        Self { line: Line::new(), phase, is_left: SendWrapper::new(Rc::default()) }
    }

    /// Stops it; what it began is taken back.
    pub fn stop(&self) {
        self.line.cut();
    }

    /// Stops it as a reload of the page would: it can go on from what has arrived.
    pub fn leave(&self) {
        self.is_left.set(true);
        self.line.cut();
    }

    /// # Errors
    /// When it was stopped.
    pub fn check(&self) -> Result<(), Failure> {
        if self.line.is_cut() { Err(Failure::new(FailureCode::Cancelled, "The upload was stopped.")) } else { Ok(()) }
    }

    /// Asks until there is an answer; the text of it.
    ///
    /// # Errors
    /// When the server refuses, or the course was stopped.
    pub async fn ask<'a>(&self, method: &str, url: &str, body: impl Fn() -> Body<'a>) -> Result<String, Failure> {
        let mut lost = 0;
        loop {
            let answer = self.line.ask(method, url, body(), |_| {}).await;
            match answer {
                Answer::Done(text) => return Ok(text),
                Answer::Refused(failure) => return Err(failure),
                Answer::Lost(why) => {
                    lost += 1;
                    self.wait(lost, why).await?;
                }
            }
        }
    }

    /// Says that the connection is lost, and waits a while.
    async fn wait(&self, lost: u32, why: Option<Failure>) -> Result<(), Failure> {
        self.check()?;
        let pause = pause(lost);
        let waiting = Waiting { seconds: pause.as_secs(), why: why.map(|failure| failure.message) };
        self.note(|transfer| transfer.waiting = Some(waiting));
        sleep(pause).await;
        self.check()
    }

    /// Changes what is shown of the transfer.
    fn note(&self, change: impl FnOnce(&mut Transfer)) {
        self.phase.try_update(|phase| {
            if let Phase::Sending(transfer) = phase {
                change(transfer);
            }
        });
    }

    /// Sends the files, and finishes the upload. An upload that was begun here and cannot be carried to its end is
    /// taken back.
    ///
    /// # Errors
    /// When the server refuses, or a file cannot be read any more.
    pub async fn run(&self, goal: Goal, files: Vec<Picked>) -> Result<Ended, Failure> {
        self.phase.set(Phase::Sending(Transfer::default()));
        let ended = self.carry(goal, files).await;
        if self.line.is_cut() { Ok(Ended::Stopped) } else { ended }
    }

    async fn carry(&self, goal: Goal, files: Vec<Picked>) -> Result<Ended, Failure> {
        let batch = match &goal {
            Goal::NewBatch(_) => None,
            Goal::Batch(batch) => Some(*batch),
            Goal::Upload(upload) => Some(upload.batch),
        };
        let files = match batch {
            None => files,
            Some(batch) => {
                let all = files.len() as u64;
                let compared = |done| self.note(|transfer| transfer.compared = Some((done, all)));
                let files = missing(self, batch, files, compared).await?;
                self.note(|transfer| transfer.compared = None);
                files
            }
        };
        match goal {
            Goal::NewBatch(fields) => self.begin(fields, files).await,
            Goal::Batch(_) if files.is_empty() => Ok(Ended::Nothing),
            Goal::Batch(batch) => {
                let fields = [("batch".to_owned(), batch.to_string().into())].into_iter().collect();
                self.begin(fields, files).await
            }
            Goal::Upload(upload) => {
                self.send(&upload, files).await?;
                let now: Upload = read(&self.ask("GET", &of(&upload, "?limit=1"), || Body::Nothing).await?)?;
                if now.arrived_files < now.files { Ok(Ended::Part(now)) } else { self.finish(&upload).await }
            }
        }
    }

    /// Begins an upload, and takes it back unless all of it arrives.
    async fn begin(
        &self,
        mut fields: serde_json::Map<String, serde_json::Value>,
        files: Vec<Picked>,
    ) -> Result<Ended, Failure> {
        let bytes: u64 = files.iter().map(|picked| picked.bytes).sum();
        fields.insert("files".to_owned(), files.len().into());
        fields.insert("bytes".to_owned(), bytes.into());
        let fields = serde_json::to_string(&fields).unwrap_or_default();
        // Asked once: a second answer could be a second batch.
        let upload: Upload = match self.line.ask("POST", "/api/uploads", Body::Json(fields), |_| {}).await {
            Answer::Done(text) => read(&text)?,
            Answer::Refused(failure) | Answer::Lost(Some(failure)) => return Err(failure),
            Answer::Lost(None) => {
                return Err(Failure::new(FailureCode::Internal, "Sheaf could not be reached.")
                    .with_hint("See whether it is still running, then try again."));
            }
        };
        let sent = async {
            self.send(&upload, files).await?;
            self.finish(&upload).await
        };
        let ended = sent.await;
        if ended.is_err() && !self.is_left.get() {
            // By a line of its own, for this one may have been cut. Where there is no answer the server ends it in time.
            drop(Line::new().ask("DELETE", &of(&upload, ""), Body::Nothing, |_| {}).await);
        }
        ended
    }

    /// Sends all files, group by group.
    async fn send(&self, upload: &Upload, files: Vec<Picked>) -> Result<(), Failure> {
        let total: u64 = files.iter().map(|picked| picked.bytes).sum();
        self.note(|transfer| transfer.begin(files.len() as u64, total));
        let mut rest = files.as_slice();
        let mut lost = 0;
        while !rest.is_empty() {
            let (group, after) = rest.split_at(next_group(rest.iter().map(|picked| picked.bytes)));
            let body = form(group).map_err(|_| unreadable(&group[0]))?;
            let bytes: u64 = group.iter().map(|picked| picked.bytes).sum();
            let (course, done) = (self.clone(), total - rest.iter().map(|picked| picked.bytes).sum::<u64>());
            let clock = window().performance();
            let on_progress = move |share: f64| {
                let now = clock.as_ref().map_or(0.0, web_sys::Performance::now);
                course.note(|transfer| transfer.note(now, done as f64 + share * bytes as f64));
            };
            match self.line.ask("PUT", &of(upload, "/files"), Body::Files(&body), on_progress).await {
                Answer::Done(_) => {
                    lost = 0;
                    rest = after;
                    self.note(|transfer| transfer.acknowledge(group.len() as u64, done + bytes));
                }
                Answer::Refused(failure) => return Err(failure),
                Answer::Lost(why) => {
                    self.check()?;
                    // To a browser, a file that it cannot read is a lost connection.
                    for picked in group {
                        if !is_readable(&picked.file).await {
                            return Err(unreadable(picked));
                        }
                    }
                    lost += 1;
                    self.wait(lost, why).await?;
                }
            }
        }
        Ok(())
    }

    async fn finish(&self, upload: &Upload) -> Result<Ended, Failure> {
        match self.ask("POST", &of(upload, "/finish"), || Body::Nothing).await {
            Ok(_) => Ok(Ended::All(upload.batch)),
            // The answer to an earlier try was lost: it is finished.
            Err(failure) if failure.code == FailureCode::NotFound => Ok(Ended::All(upload.batch)),
            Err(failure) => Err(failure),
        }
    }
}

fn of(upload: &Upload, what: &str) -> String {
    format!("/api/uploads/{}{what}", upload.id)
}

/// A part for each file with its path as the file name.
fn form(files: &[Picked]) -> Result<FormData, JsValue> {
    let form = FormData::new()?;
    for picked in files {
        form.append_with_blob_and_filename("files", &picked.file, &picked.path)?;
    }
    Ok(form)
}

fn unreadable(picked: &Picked) -> Failure {
    Failure::new(FailureCode::InvalidRequest, format!("The browser cannot read `{}`.", picked.path))
        .with_hint("It may have been moved, changed or deleted since it was chosen. Choose the files again.")
}
