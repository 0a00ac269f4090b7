//! Where bytes are received and hashed before they are kept: a folder of this process alone.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

use super::{BlobError, BlobStream, Result};

/// Bytes that are read, hashed and written at a time.
const BUFFER: usize = 256 * 1024;

/// Bytes that were received and hashed, but do not survive a crash yet and cannot be found by their hash.
#[derive(Debug)]
pub struct Staged {
    /// Lower-case hex SHA-256.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Removes itself.
    file: TempPath,
}

impl Staged {
    /// Where the bytes are.
    pub fn path(&self) -> &Path {
        &self.file
    }
}

/// A folder for what is being received.
#[derive(Clone, Debug)]
pub struct Staging {
    folder: PathBuf,
}

impl Staging {
    /// Takes `data/incoming`, makes it if absent, and clears what an interrupted run left half-written.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("incoming");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&folder)?;
        Ok(Self { folder })
    }

    /// Takes everything that `reader` gives, hashing on the way. Blocks.
    ///
    /// # Errors
    /// Those of `reader` and of the disk.
    pub fn stage(&self, reader: &mut dyn Read) -> io::Result<Staged> {
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; BUFFER];
        let mut bytes = 0;
        loop {
            let n = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hasher.update(&buffer[..n]);
            file.write_all(&buffer[..n])?;
            bytes += n as u64;
        }
        Ok(Staged { sha256: hex::encode(hasher.finalize()), bytes, file: file.into_temp_path() })
    }

    /// Takes a whole blob out of a store and checks that it is what its name says.
    ///
    /// # Errors
    /// `Damaged`, and those of the stream and of the disk.
    pub async fn fetch(&self, sha256: &str, mut blob: BlobStream) -> Result<Staged> {
        let (file, path) = tempfile::NamedTempFile::new_in(&self.folder)?.into_parts();
        let mut file = tokio::io::BufWriter::with_capacity(BUFFER, tokio::fs::File::from_std(file));
        let mut hasher = Sha256::new();
        let mut bytes = 0;
        while let Some(chunk) = blob.stream.try_next().await? {
            hasher.update(&chunk);
            file.write_all(&chunk).await?;
            bytes += chunk.len() as u64;
        }
        file.flush().await?;
        let hash = hex::encode(hasher.finalize());
        if hash != sha256 {
            return Err(BlobError::Damaged(sha256.to_owned()));
        }
        Ok(Staged { sha256: hash, bytes, file: path })
    }
}

/// How many bytes come, and their lower-case hex SHA-256.
///
/// # Errors
/// Those of the stream.
pub async fn digest(mut blob: BlobStream) -> Result<(u64, String)> {
    let mut hasher = Sha256::new();
    let mut bytes = 0;
    while let Some(chunk) = blob.stream.try_next().await? {
        hasher.update(&chunk);
        bytes += chunk.len() as u64;
    }
    Ok((bytes, hex::encode(hasher.finalize())))
}
