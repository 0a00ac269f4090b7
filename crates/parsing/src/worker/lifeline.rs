//! Whatever a child is stuck in, it ends with its parent: a pipe whose other end the parent holds.
//!
//! `PR_SET_PDEATHSIG` would fire when the *thread* that started the child ends, and tokio's threads come and go.

use std::fs::File;
use std::io;

use rustix::event::{PollFd, PollFlags, poll};

/// The child's end.
#[cfg(target_os = "linux")]
pub struct Lifeline(#[expect(dead_code, reason = "it has to stay open")] File);

#[cfg(target_os = "linux")]
impl Lifeline {
    /// Ends this process as soon as nobody holds the other end any more. The system sends `SIGIO` then, which ends a process
    /// that does not handle it (fcntl(2), "Signal-driven I/O"), so no thread has to wait.
    ///
    /// # Errors
    /// Those of the system; and when the other end is closed already.
    pub fn new(pipe: File) -> io::Result<Self> {
        use std::os::fd::AsRawFd;

        let checked = |outcome: libc::c_int| if outcome < 0 { Err(io::Error::last_os_error()) } else { Ok(()) };
        // SAFETY: none of these calls touches memory, and the descriptor is open. `SIGIO` may have been ignored by whoever
        // started the parent, and that is inherited.
        unsafe {
            if libc::signal(libc::SIGIO, libc::SIG_DFL) == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
            checked(libc::fcntl(pipe.as_raw_fd(), libc::F_SETOWN, libc::getpid()))?;
            checked(libc::fcntl(pipe.as_raw_fd(), libc::F_SETFL, libc::O_ASYNC))?;
        }
        if is_cut(&pipe, Some(&rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 })) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(Self(pipe))
    }
}

/// The child's end.
#[cfg(not(target_os = "linux"))]
pub struct Lifeline;

#[cfg(not(target_os = "linux"))]
impl Lifeline {
    /// Ends this process as soon as nobody holds the other end any more.
    ///
    /// # Errors
    /// When no thread can be started that waits for it.
    pub fn new(pipe: File) -> io::Result<Self> {
        std::thread::Builder::new().name("lifeline".into()).spawn(move || {
            while !is_cut(&pipe, None) {}
            std::process::exit(1)
        })?;
        Ok(Self)
    }
}

/// Whether the other end is closed, waiting for that at most so long.
fn is_cut(pipe: &File, time: Option<&rustix::event::Timespec>) -> bool {
    // No event is asked for: only a hang-up is reported.
    let mut watched = [PollFd::new(pipe, PollFlags::empty())];
    let heard = poll(&mut watched, time);
    heard.is_ok() && watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL)
}
