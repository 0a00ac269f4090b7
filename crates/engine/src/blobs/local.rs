//! Blobs in a folder: `blobs/ab/abcdef…`, each written to a temporary file, synced, renamed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{BlobStore, Staged};

/// Bytes that are read, hashed and written at a time.
const BUFFER: usize = 256 * 1024;

/// A folder of blobs.
pub struct LocalBlobs {
    blobs: PathBuf,
    derived: PathBuf,
    incoming: PathBuf,
}

impl LocalBlobs {
    /// Opens the folder, makes it if absent, and clears what an interrupted run left half-written.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let store =
            Self { blobs: folder.join("blobs"), derived: folder.join("derived"), incoming: folder.join("incoming") };
        if store.incoming.exists() {
            fs::remove_dir_all(&store.incoming)?;
        }
        for folder in [&store.blobs, &store.derived, &store.incoming] {
            fs::create_dir_all(folder)?;
        }
        Ok(store)
    }

    fn place(&self, sha256: &str) -> io::Result<PathBuf> {
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hash {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a SHA-256 in hexadecimal"));
        }
        Ok(self.blobs.join(&sha256[..2]).join(sha256))
    }

    fn derived_place(&self, name: &str) -> io::Result<PathBuf> {
        let is_plain =
            name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') && !name.starts_with('.');
        if !is_plain {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a plain name"));
        }
        Ok(self.derived.join(name))
    }
}

impl BlobStore for LocalBlobs {
    fn stage(&self, reader: &mut dyn Read) -> io::Result<Staged> {
        let mut file = tempfile::NamedTempFile::new_in(&self.incoming)?;
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

    fn commit(&self, staged: Vec<Staged>) -> io::Result<()> {
        let mut folders = Vec::new();
        for blob in staged {
            let place = self.place(&blob.sha256)?;
            if place.exists() {
                continue; // Dropping it removes the temporary file.
            }
            let folder = place.parent().unwrap_or(&self.blobs).to_owned();
            fs::create_dir_all(&folder)?;
            File::open(&blob.file)?.sync_all()?;
            blob.file.persist(&place).map_err(|e| e.error)?;
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        // The names have to survive as well as the bytes.
        for folder in folders {
            File::open(folder)?.sync_all()?;
        }
        File::open(&self.blobs)?.sync_all()
    }

    fn file(&self, sha256: &str) -> io::Result<PathBuf> {
        let place = self.place(sha256)?;
        if place.is_file() { Ok(place) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn remove(&self, sha256: &str) -> io::Result<()> {
        match fs::remove_file(self.place(sha256)?) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn put_derived(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let place = self.derived_place(name)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.incoming)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&place).map_err(|e| e.error)?;
        File::open(&self.derived)?.sync_all()
    }

    fn read_derived(&self, name: &str) -> io::Result<Vec<u8>> {
        fs::read(self.derived_place(name)?)
    }

    fn remove_derived(&self, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(&self.derived)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_found_by_their_hash_once_committed() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = LocalBlobs::open(folder.path()).expect("opens");
        let staged = blobs.stage(&mut &b"abc"[..]).expect("staged");
        let sha256 = staged.sha256.clone();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(staged.bytes, 3);
        assert!(blobs.file(&sha256).is_err(), "not before it is durable");
        let again = blobs.stage(&mut &b"abc"[..]).expect("staged");
        blobs.commit(vec![staged, again]).expect("committed");
        assert_eq!(fs::read(blobs.file(&sha256).expect("found")).expect("read"), b"abc");
        assert_eq!(fs::read_dir(folder.path().join("incoming")).expect("read").count(), 0, "nothing is left over");
        blobs.remove(&sha256).expect("removed");
        blobs.remove(&sha256).expect("removed again");
        assert!(blobs.file(&sha256).is_err());
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let blobs = LocalBlobs::open(folder.path()).expect("opens");
        for name in ["../x", "a/b", ".hidden", "a\0b"] {
            assert!(blobs.put_derived(name, b"x").is_err(), "{name:?}");
            assert!(blobs.file(name).is_err(), "{name:?}");
        }
        blobs.put_derived("a-1.f32", b"x").expect("kept");
        blobs.remove_derived("a-").expect("removed");
        assert!(blobs.read_derived("a-1.f32").is_err());
    }
}
