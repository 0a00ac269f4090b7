//! Shards become a batch: what was read and compared elsewhere is listed, and grouped once.

use std::path::PathBuf;

use sheaf_domain::{BatchId, DocumentId, Failure, FailureCode};
use sheaf_store::{ImportedDocument, NewDocument};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{BatchRequest, GROUP, Intake, Piece, clean_path};
use crate::shards::{ShardHead, ShardReader, ShardRow};
use crate::{Engine, internal};

impl Engine {
    /// Makes a batch of all shards of a run. Nothing is read or compared again; originals are not in shards, so the batch has
    /// none. `on_documents` hears how many are listed.
    ///
    /// # Errors
    /// `invalid_request` when a file is no shard, one of the run is missing or twice, or they are of different runs;
    /// `storage`. Then there is no batch.
    pub async fn import_shards(
        &self,
        files: &[PathBuf],
        name: &str,
        mut on_documents: impl FnMut(u64),
    ) -> Result<BatchId, Failure> {
        let readers = files.iter().map(|file| ShardReader::open(file)).collect::<Result<Vec<_>, _>>()?;
        let params = of_one_run(readers.iter().map(|reader| &reader.head))?.params.clone();
        let new = BatchRequest { name: name.to_owned(), params, ..BatchRequest::default() }.check()?;
        self.store().create_batch(&new).await?;
        let mut intake = Intake::new(self, new.id, Piece::Batch { finished: false }, new.passwords);

        let (sender, mut receiver) = mpsc::channel::<ImportedDocument>(GROUP);
        let reading = spawn_blocking(move || {
            for reader in &readers {
                for row in reader.rows()? {
                    if sender.blocking_send(imported(row?)).is_err() {
                        return Ok::<_, Failure>(()); // Listing failed; it says why.
                    }
                }
            }
            Ok(())
        });
        let (mut listed, mut group) = (0, Vec::with_capacity(GROUP));
        while receiver.recv_many(&mut group, GROUP).await > 0 {
            self.store().import_documents(new.id, &group).await?;
            listed += group.len() as u64;
            on_documents(listed);
            group.clear();
        }
        reading.await.map_err(internal)??;
        self.store().seal_batch(new.id).await?;
        intake.piece = Piece::Batch { finished: true };
        self.wake();
        Ok(new.id)
    }
}

/// What the shards have in common, if they are all of one run.
fn of_one_run<'a>(heads: impl Iterator<Item = &'a ShardHead> + Clone) -> Result<&'a ShardHead, Failure> {
    let refused = |message: String, hint: &str| Failure::new(FailureCode::InvalidRequest, message).with_hint(hint);
    let first =
        heads.clone().next().ok_or_else(|| refused("no shard was given".into(), "Give all shards of a run."))?;
    for head in heads.clone() {
        if (head.shard.of, &head.params, &head.model) != (first.shard.of, &first.params, &first.model) {
            let message = format!("shards {} and {} are of different runs", first.shard, head.shard);
            return Err(refused(message, "All have to be made with the same number of shards, model and parameters."));
        }
    }
    let mut there: Vec<u32> = heads.map(|head| head.shard.index).collect();
    there.sort_unstable();
    if let Some(twice) = there.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(refused(format!("shard {}/{} is given twice", twice[0], first.shard.of), "Give each shard once."));
    }
    if let Some(missing) = (0..first.shard.of).find(|index| there.binary_search(index).is_err()) {
        let message = format!("shard {missing}/{} is missing", first.shard.of);
        return Err(refused(message, "Give all shards of the run: together they hold every document."));
    }
    Ok(first)
}

fn imported(row: ShardRow) -> ImportedDocument {
    let document = NewDocument {
        id: DocumentId(Uuid::now_v7()),
        path: clean_path(&row.path),
        sha256: row.sha256.unwrap_or_default(),
        bytes: row.bytes,
        kind: row.kind,
        failure: row.failure,
    };
    ImportedDocument { document, found: row.found }
}
