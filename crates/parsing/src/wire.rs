//! The parent's end and the child's end of the socket that requests go through: bytes, and with a request that wants one,
//! an open file (`SCM_RIGHTS`). A child needs no file system to read a document.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::cmsg_space;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    recvmsg, sendmsg,
};
use rustix::stdio;

/// Files that may come at once, with as many requests.
pub const FILES: usize = 16;

/// Sends the beginning of `bytes` together with `files`, at most [`FILES`]; how many bytes went. The rest goes without.
///
/// # Errors
/// Those of the socket, `WouldBlock` among them.
pub fn send(socket: impl AsFd, bytes: &[u8], files: &[BorrowedFd<'_>]) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(files)) {
        return Err(io::Error::other("there is no room for the descriptors"));
    }
    Ok(sendmsg(socket, &[IoSlice::new(bytes)], &mut ancillary, SendFlags::empty())?)
}

/// The child's standard input: reads bytes and keeps the files that come with them.
#[derive(Default)]
pub struct Incoming(VecDeque<File>);

impl Incoming {
    /// The file of the request that was just read.
    ///
    /// # Errors
    /// `InvalidData` when it came without.
    pub fn file(&mut self) -> io::Result<File> {
        self.0.pop_front().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a request came without its file"))
    }
}

impl Read for Incoming {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(FILES))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let message = recvmsg(stdio::stdin(), &mut [IoSliceMut::new(buffer)], &mut ancillary, RecvFlags::empty())?;
        for received in ancillary.drain() {
            if let RecvAncillaryMessage::ScmRights(files) = received {
                self.0.extend(files.map(File::from));
            }
        }
        Ok(message.bytes)
    }
}
