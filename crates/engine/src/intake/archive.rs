//! An archive or a letter that was sent: its files become documents. An archive itself is listed only when it fails; a
//! letter is a document beside its attachments.

use std::fs::File;

use sheaf_domain::{DocumentKind, Failure, FailureCode};
use sheaf_parsing::archive::{ArchiveItem, Container};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::{Arrival, Intake, disk, kind_of};
use crate::blobs::{Staged, Staging};
use crate::internal;

impl Intake {
    /// Lists a file and what it holds.
    pub(super) async fn open(&mut self, path: String, kind: DocumentKind, staged: Staged) -> Result<(), Failure> {
        match Container::of(kind) {
            Some(Container::Archive) => {
                let (bytes, file) = (staged.bytes, File::open(staged.path()).map_err(|error| disk(&error))?);
                match self.unpack(&path, file).await {
                    Ok(()) => Ok(()),
                    Err(failure) if is_ours(&failure) => Err(failure),
                    Err(failure) => self.list(Arrival { path, kind: Some(kind), content: Err((failure, bytes)) }).await,
                }
            }
            Some(Container::Letter) => {
                // Opened first: once listed, it moves into the store.
                let file = File::open(staged.path()).map_err(|error| disk(&error))?;
                self.list(Arrival { path: path.clone(), kind: Some(kind), content: Ok(staged) }).await?;
                self.unpack(&path, file).await
            }
            None => self.list(Arrival { path, kind: Some(kind), content: Ok(staged) }).await,
        }
    }

    /// Has a child unpack the file and lists what comes.
    async fn unpack(&mut self, path: &str, file: File) -> Result<(), Failure> {
        let (sender, receiver) = mpsc::channel(4);
        let (engine, passwords) = (self.engine.clone(), self.passwords.clone());
        let unpacking = async {
            let sender = sender;
            engine.reader().pool().unpack(file, path, &engine.config().processing.archive, &passwords, &sender).await
        };
        let listing = async {
            // Dropped with the first error: nobody waits for a place in a channel that is not read any more.
            let mut receiver = receiver;
            while let Some(item) = receiver.recv().await {
                let staging = self.engine.staging().clone();
                let arrival = spawn_blocking(move || arrival(item, &staging)).await.map_err(internal)??;
                self.list(arrival).await?;
            }
            Ok(())
        };
        let (unpacked, listed) = tokio::join!(unpacking, listing);
        listed.and(unpacked)
    }
}

fn arrival(item: ArchiveItem, staging: &Staging) -> Result<Arrival, Failure> {
    let ArchiveItem { path, content } = item;
    let (kind, content) = match content {
        Ok(mut content) => {
            let staged = staging.stage(&mut content).map_err(|error| disk(&error))?;
            (kind_of(&staged, &path), Ok(staged))
        }
        Err(failure) => (None, Err((failure, 0))),
    };
    Ok(Arrival { path, kind, content })
}

/// Whether the upload has to end, for the archive is not at fault.
fn is_ours(failure: &Failure) -> bool {
    matches!(
        failure.code,
        FailureCode::Storage | FailureCode::Internal | FailureCode::Cancelled | FailureCode::WeakSandbox
    )
}
