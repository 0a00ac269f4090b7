//! The cage of a child: closed after PDFium is loaded and before the first byte of a document is seen.
//!
//! Inside, no file can be opened but fonts for reading, nothing can be connected to, nothing started, and no memory made
//! executable. A document comes as a descriptor that is open already. What the system cannot enforce is reported, never
//! passed over: whether that is enough is for the parent to say.

mod limits;
mod probe;

#[cfg(target_os = "linux")]
mod calls;
#[cfg(target_os = "linux")]
mod files;

use std::io;
use std::sync::mpsc;

use crate::protections::Protections;

pub use limits::{Resident, allow_processor_time, wait_for_parent_to_go};
pub use probe::what_is_possible;

/// The thread that waits for the parent to go, which has to be locked in, too.
///
/// Landlock binds one thread and those that it starts later; a seccomp filter can be laid on all threads at once.
pub struct MainThread(mpsc::Sender<mpsc::Sender<Option<u8>>>);

/// The main thread's side of [`MainThread`].
pub struct Following(mpsc::Receiver<mpsc::Sender<Option<u8>>>);

impl MainThread {
    /// Two ends of one conversation.
    pub fn new() -> (Self, Following) {
        let (sender, receiver) = mpsc::channel();
        (Self(sender), Following(receiver))
    }

    fn follow(&self) -> Option<u8> {
        let (sender, receiver) = mpsc::channel();
        self.0.send(sender).ok()?;
        receiver.recv().ok()?
    }
}

impl Following {
    /// Waits for the parser's thread to be locked in, and follows it.
    pub fn wait(self) {
        if let Ok(answer) = self.0.recv() {
            let _ = answer.send(close_files());
        }
    }
}

/// Locks this process in, and says how well.
///
/// # Errors
/// When a limit that every Unix has cannot be set.
pub fn enter(address_space: u64, main_thread: &MainThread) -> io::Result<Protections> {
    limits::lower_all(address_space)?;
    forbid_new_privileges();
    let (here, there) = (close_files(), main_thread.follow());
    // A file system that is closed to one thread only is open.
    let landlock = here.min(there);
    Ok(Protections { landlock, seccomp: close_calls(landlock.is_some()) })
}

/// Makes set-user-id programs ordinary ones; both protections below ask for it and would do it themselves.
fn forbid_new_privileges() {
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::set_no_new_privs(true);
}

#[cfg(target_os = "linux")]
fn close_files() -> Option<u8> {
    files::close().ok().flatten()
}

#[cfg(target_os = "linux")]
fn close_calls(landlocked: bool) -> bool {
    calls::close(landlocked).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn close_files() -> Option<u8> {
    None
}

#[cfg(not(target_os = "linux"))]
fn close_calls(_landlocked: bool) -> bool {
    false
}
