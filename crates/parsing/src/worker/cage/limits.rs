//! What any Unix can limit: memory, processor time, open files, no files written, no dumps.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::time::{ClockId, clock_gettime};

/// Pipes, the document, a font: more is never open at the same time.
const OPEN_FILES: u64 = 64;

/// Takes from this process what parsing does not need: memory beyond `address_space` bytes, files, core dumps.
pub fn lower_all(address_space: u64) -> io::Result<()> {
    lower(Resource::As, address_space)?;
    lower(Resource::Core, 0)?;
    lower(Resource::Fsize, 0)?;
    lower(Resource::Nofile, OPEN_FILES)?;
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

/// The memory that this process really holds. The system is asked for its account, and for what a page is, before the
/// cage is locked.
pub struct Resident {
    account: Option<File>,
    page: u64,
}

impl Resident {
    /// Opens the account.
    pub fn open() -> Self {
        Self { account: File::open("/proc/self/statm").ok(), page: rustix::param::page_size() as u64 }
    }

    /// In bytes; 0 where the system does not tell.
    pub fn bytes(&mut self) -> u64 {
        let Some(file) = &mut self.account else { return 0 };
        let mut statm = String::new();
        if file.rewind().is_err() || file.read_to_string(&mut statm).is_err() {
            return 0;
        }
        let pages: u64 = statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0);
        pages * self.page
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
