//! Memory that a child draws on and the parent reads from: pixels cross without going through a pipe.
//!
//! The parent makes it and passes it with its greeting. It is never mapped in the parent, which reads it like a file: what
//! a child that was taken over does to it meanwhile can spoil a picture and nothing else.

use std::fs::File;
use std::io;
use std::ptr::{self, NonNull};
use std::slice;

use rustix::buffer::spare_capacity;
use rustix::io::pread;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// The most that can be drawn, in bytes. What is not drawn on takes no memory.
pub const LARGEST: usize = 256 << 20;
/// What stays in memory between two pictures, in bytes: a page of print at 300 DPI.
const KEPT: usize = 16 << 20;
/// Mappings grow in steps of so many bytes, so that pages of about the same size share one.
const STEP: usize = 4 << 20;

/// The parent's end: a new canvas.
///
/// # Errors
/// When the system has no memory, or no descriptor left.
pub fn new() -> io::Result<File> {
    let file = anonymous()?;
    file.set_len(LARGEST as u64)?;
    Ok(file)
}

#[cfg(target_os = "linux")]
fn anonymous() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("canvas", rustix::fs::MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(target_os = "linux"))]
fn anonymous() -> io::Result<File> {
    tempfile::tempfile()
}

/// The parent's end: the first `length` bytes, and the memory of a large picture given back.
///
/// # Errors
/// `InvalidData` when it is shorter, and those of reading.
pub fn take(file: &File, length: usize) -> io::Result<Vec<u8>> {
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let offset = bytes.len() as u64;
        if pread(file, spare_capacity(&mut bytes), offset)? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    bytes.truncate(length);
    if length > KEPT {
        file.set_len(0)?;
        file.set_len(LARGEST as u64)?;
    }
    Ok(bytes)
}

/// The child's end.
pub struct Canvas {
    file: File,
    /// Where it is mapped, and how much of it.
    mapped: Option<(NonNull<u8>, usize)>,
}

impl Canvas {
    /// On what the parent has passed.
    pub fn new(file: File) -> Self {
        Self { file, mapped: None }
    }

    /// Its first `length` bytes, with whatever was drawn there before.
    ///
    /// # Errors
    /// When that is more than [`LARGEST`], or than may be mapped.
    pub fn pixels(&mut self, length: usize) -> io::Result<&mut [u8]> {
        let (start, _) = match self.mapped {
            Some(mapped) if mapped.1 >= length => mapped,
            Some(_) | None => self.map(length)?,
        };
        // SAFETY: at least `length` bytes are mapped at `start` for reading and writing as long as `self` exists and is
        // not mapped anew, which the borrow forbids. No other process writes to them: the parent only reads, and not
        // before it is told that the picture is done.
        Ok(unsafe { slice::from_raw_parts_mut(start.as_ptr(), length) })
    }

    fn map(&mut self, length: usize) -> io::Result<(NonNull<u8>, usize)> {
        if length > LARGEST {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.unmap();
        let size = length.max(1).next_multiple_of(STEP);
        // SAFETY: the system chooses the place; nothing else is there.
        let start = unsafe {
            mmap(ptr::null_mut(), size, ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED, &self.file, 0)
        }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(*self.mapped.insert((start, size)))
    }

    fn unmap(&mut self) {
        if let Some((start, size)) = self.mapped.take() {
            // SAFETY: mapped by `map` with this size, and nobody borrows from it any more.
            let _ = unsafe { munmap(start.as_ptr().cast(), size) };
        }
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        self.unmap();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_seen_at_the_other_end() {
        let file = new().expect("memory");
        let mut canvas = Canvas::new(file.try_clone().expect("a descriptor"));
        for length in [1, 5000, STEP, STEP + 1, KEPT + 1, 7] {
            canvas.pixels(length).expect("mapped").fill(length as u8);
            let seen = take(&file, length).expect("as long as that");
            assert!(seen.len() == length && seen.iter().all(|&byte| byte == length as u8), "{length}");
        }
    }

    #[test]
    fn a_large_picture_does_not_stay_in_memory() {
        let file = new().expect("memory");
        let mut canvas = Canvas::new(file.try_clone().expect("a descriptor"));
        canvas.pixels(KEPT + 1).expect("mapped").fill(9);
        take(&file, KEPT + 1).expect("as long as that");
        assert_eq!(canvas.pixels(KEPT + 1).expect("still mapped").iter().copied().max(), Some(0));
    }

    #[test]
    fn nobody_draws_or_reads_beyond_its_end() {
        let file = new().expect("memory");
        assert!(Canvas::new(file.try_clone().expect("a descriptor")).pixels(LARGEST + 1).is_err());
        assert_eq!(take(&file, LARGEST + 1).expect_err("too much").kind(), io::ErrorKind::InvalidData);
    }
}
