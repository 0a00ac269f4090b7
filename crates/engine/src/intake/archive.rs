//! An archive that was sent: its entries become documents; the archive itself is listed only when it fails.

use std::fs::File;
use std::sync::Arc;

use sheaf_domain::{DocumentKind, Failure, FailureCode};
use sheaf_parsing::archive::{ArchiveItem, walk};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::{Arrival, Intake, kind_of, storage};
use crate::blobs::Staged;
use crate::internal;

impl Intake {
    /// Walks the archive on a blocking thread and lists what comes out.
    pub(super) async fn unpack(&mut self, path: String, archive: Staged) -> Result<(), Failure> {
        let (sender, mut receiver) = mpsc::channel::<Arrival>(16);
        let blobs = Arc::clone(self.engine.blobs());
        let limits = self.engine.config().archive.clone();
        let bytes = archive.bytes;
        let walking = spawn_blocking({
            let path = path.clone();
            move || -> Result<(), Failure> {
                let file = File::open(archive.path()).map_err(storage)?;
                walk(file, &path, &limits, &mut |item: ArchiveItem| {
                    let (kind, content) = match item.content {
                        Ok(mut content) => {
                            let staged = blobs.stage(&mut content).map_err(storage)?;
                            (kind_of(&staged, &item.path), Ok(staged))
                        }
                        Err(failure) => (None, Err((failure, 0))),
                    };
                    let arrival = Arrival { path: item.path, kind, content };
                    sender.blocking_send(arrival).map_err(|_| Failure::new(FailureCode::Cancelled, "the upload ended"))
                })
            }
        });
        while let Some(arrival) = receiver.recv().await {
            self.list(arrival).await?;
        }
        match walking.await.map_err(internal)? {
            Ok(()) => Ok(()),
            Err(failure) if failure.code == FailureCode::Storage => Err(failure),
            Err(failure) => {
                self.list(Arrival { path, kind: Some(DocumentKind::Zip), content: Err((failure, bytes)) }).await
            }
        }
    }
}
