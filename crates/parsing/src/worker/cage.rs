//! The limits that the system sets for a child: memory, processor time, no files, no dumps.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::stdio;
use rustix::time::{ClockId, clock_gettime};

/// Takes from this process what parsing does not need: memory beyond `address_space` bytes, files, core dumps.
pub fn enter(address_space: u64) -> io::Result<()> {
    lower(Resource::As, address_space)?;
    lower(Resource::Core, 0)?;
    lower(Resource::Fsize, 0)?;
    Ok(())
}

/// Ends this process by `SIGXCPU` when it uses twice `wall` of processor time from now on. The parent kills it after
/// `wall` already; this is for the case that the parent cannot.
pub fn allow_processor_time(wall: Duration) -> io::Result<()> {
    let used = clock_gettime(ClockId::ProcessCPUTime).tv_sec.unsigned_abs();
    let maximum = getrlimit(Resource::Cpu).maximum;
    let seconds = used + 2 * wall.as_secs().max(1) + 1;
    let current = Some(maximum.map_or(seconds, |maximum| maximum.min(seconds)));
    Ok(setrlimit(Resource::Cpu, Rlimit { current, maximum })?)
}

/// The memory that this process really holds, in bytes; 0 where the system does not tell.
pub fn resident_bytes() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
    pages * rustix::param::page_size() as u64
}

/// Returns when the other end of the standard input is closed.
pub fn wait_for_parent_to_go() {
    let stdin = stdio::stdin();
    // No event is asked for: only a hang-up is reported, however much there is to read.
    let mut watched = [PollFd::new(&stdin, PollFlags::empty())];
    while let Ok(_) | Err(rustix::io::Errno::INTR) = poll(&mut watched, None) {
        if watched[0].revents().intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return;
        }
    }
}

fn lower(resource: Resource, to: u64) -> io::Result<()> {
    let maximum = getrlimit(resource).maximum;
    let to = Some(maximum.map_or(to, |maximum| maximum.min(to)));
    match setrlimit(resource, Rlimit { current: to, maximum: to }) {
        // macOS knows this limit and does not let it be set.
        Err(rustix::io::Errno::INVAL) if matches!(resource, Resource::As) && cfg!(target_os = "macos") => Ok(()),
        other => Ok(other?),
    }
}
