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

use crate::protections::Protections;

pub use limits::{Resident, allow_processor_time};
pub use probe::what_is_possible;

/// Locks this process in, and says how well.
///
/// # Errors
/// When a limit that every Unix has cannot be set.
pub fn enter(address_space: u64) -> io::Result<Protections> {
    limits::lower_all(address_space)?;
    forbid_new_privileges();
    // Landlock binds the thread that asks for it, and there is no other.
    let landlock = close_files();
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
