//! Shards: the part of a pile that one of many machines reads, as a Parquet file. It owns which document belongs where and
//! the columns; it refuses to know who runs the machines.
//!
//! The columns are described in `docs/results.md`. What of a document only an import needs stands in `parse` and `terms`.

mod columns;
mod parquet_read;
mod parquet_write;

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sheaf_domain::{BatchParams, DocumentKind, DocumentMetadata, Failure, PageRecognition, Problem};
use sheaf_store::Found;

pub use parquet_read::ShardReader;
pub(crate) use parquet_write::write;

/// Rises when the columns change so that older files cannot be imported.
const FORMAT: u32 = 1;

/// One of `of` parts, from 0. A path always belongs to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    pub index: u32,
    pub of: u32,
}

impl Shard {
    /// Whether what has this path belongs here: the first eight bytes of its SHA-256, modulo the number of shards.
    pub fn holds(self, path: &str) -> bool {
        let hash = Sha256::digest(path);
        let start: [u8; 8] = std::array::from_fn(|i| hash[i]);
        u64::from_be_bytes(start) % u64::from(self.of) == u64::from(self.index)
    }

    /// The name of its file: names sort as shards do.
    pub fn file(self) -> PathBuf {
        let width = self.of.to_string().len().max(4);
        format!("shard-{:0width$}-of-{:0width$}.parquet", self.index, self.of).into()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// Text that names no shard.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not a shard: give it as I/N, where I goes from 0 to N - 1")]
pub struct NoShard(String);

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let parsed = text.split_once('/').and_then(|(index, of)| Some((index.parse().ok()?, of.parse().ok()?)));
        match parsed {
            Some((index, of)) if index < of => Ok(Self { index, of }),
            Some(_) | None => Err(NoShard(text.to_owned())),
        }
    }
}

/// What all rows of a shard have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShardHead {
    format: u32,
    pub shard: Shard,
    pub params: BatchParams,
    /// The model's files and version.
    pub model: String,
    /// Length of a vector; 0 where there is none.
    pub dimensions: u32,
}

impl ShardHead {
    pub fn new(shard: Shard, params: BatchParams, model: String, dimensions: u32) -> Self {
        Self { format: FORMAT, shard, params, model, dimensions }
    }
}

/// One document of a shard.
#[derive(Clone, Debug)]
pub struct ShardRow {
    /// A record's own id, or one that its path always has.
    pub id: String,
    pub path: String,
    pub sha256: Option<String>,
    pub bytes: u64,
    pub kind: Option<DocumentKind>,
    pub pages: Option<u32>,
    pub words: Option<u64>,
    pub language: Option<String>,
    pub failure: Option<Failure>,
    pub found: Option<Found>,
}

/// The column `parse`: what of a document's parse has no column of its own.
#[derive(Serialize, Deserialize)]
struct Parse {
    key: String,
    vector_key: String,
    metadata: DocumentMetadata,
    problems: Vec<Problem>,
    page_starts: Vec<u64>,
    recognised: Vec<PageRecognition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_written_as_two_numbers() {
        let check = |text: &str, expect: Option<(u32, u32)>| {
            let parsed = text.parse::<Shard>().ok().map(|shard| (shard.index, shard.of));
            assert_eq!(parsed, expect, "{text}");
        };
        check("0/1", Some((0, 1)));
        check("15/16", Some((15, 16)));
        check("16/16", None);
        check("0/0", None);
        check("-1/2", None);
        check("1", None);
    }

    #[test]
    fn every_path_is_in_one_shard_and_they_are_about_even() {
        let mut counts = [0; 7];
        for i in 0..7_000 {
            let path = format!("letters/{i}.txt");
            let holders: Vec<u32> = (0..7).filter(|&index| Shard { index, of: 7 }.holds(&path)).collect();
            assert_eq!(holders.len(), 1, "{path}");
            counts[holders[0] as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}
