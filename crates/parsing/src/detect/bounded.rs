//! A file of which only so many bytes are read. Tables of containers may name one sector, or one header, a million times;
//! who reads them in good faith is led to gigabytes by a few megabytes.

use std::io::{self, Read, Seek, SeekFrom};

/// Reads as from `inner`, and fails when `left` bytes were read.
pub struct Bounded<R> {
    inner: R,
    left: usize,
}

impl<R> Bounded<R> {
    pub fn new(inner: R, most: usize) -> Self {
        Self { inner, left: most }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 && !buffer.is_empty() {
            return Err(io::Error::other("more of the file is asked for than may be read"));
        }
        let most = buffer.len().min(self.left);
        let read = self.inner.read(&mut buffer[..most])?;
        self.left -= read;
        Ok(read)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn the_same_bytes_count_each_time() {
        let mut reader = Bounded::new(Cursor::new([7; 4]), 6);
        let mut bytes = [0; 4];
        assert_eq!(reader.read(&mut bytes).expect("4 of 6"), 4);
        assert_eq!(reader.seek(SeekFrom::Start(0)).expect("memory"), 0);
        assert_eq!(reader.read(&mut bytes).expect("2 are left"), 2);
        assert!(reader.read(&mut bytes).is_err());
        assert_eq!(reader.read(&mut []).expect("nothing is asked for"), 0);
    }
}
