//! What a run cost: seconds, processor seconds and memory, by stage.

use std::time::Instant;

use serde::Serialize;

/// The costs of one stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StageTiming {
    /// From its first to its last item; stages overlap.
    pub seconds: f64,
    /// Processor seconds, of all threads and children. Of `parse` those of the parsers, of `embed` all others until
    /// grouping began.
    pub cpu_seconds: f64,
    pub items: u64,
}

/// The file `timings.json`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Timings {
    pub wall_seconds: f64,
    pub cpu_seconds: f64,
    /// Largest resident memory of this process in bytes.
    pub peak_memory_bytes: u64,
    /// Largest resident memory of any one parser in bytes.
    pub peak_parser_memory_bytes: u64,
    pub parsers: usize,
    pub list: StageTiming,
    pub parse: StageTiming,
    pub embed: StageTiming,
    pub analyse: StageTiming,
    pub write: StageTiming,
}

/// A running clock of wall and processor time.
pub struct Clock {
    started: Instant,
    cpu: f64,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { started: Instant::now(), cpu: own().0 }
    }

    /// The costs since the start, and starts again.
    pub fn lap(&mut self, items: u64) -> StageTiming {
        let (cpu, _) = own();
        let lap = StageTiming { seconds: self.started.elapsed().as_secs_f64(), cpu_seconds: cpu - self.cpu, items };
        *self = Self { started: Instant::now(), cpu };
        lap
    }
}

/// Processor seconds and peak memory in bytes of this process.
pub fn own() -> (f64, u64) {
    usage(libc::RUSAGE_SELF)
}

/// Processor seconds of the children that have ended, and the peak memory in bytes of the largest.
pub fn children() -> (f64, u64) {
    usage(libc::RUSAGE_CHILDREN)
}

#[expect(unsafe_code, reason = "getrusage is a plain system call that fills a struct")]
fn usage(who: libc::c_int) -> (f64, u64) {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is valid for a `rusage`, and all-zero is one.
    let usage = unsafe {
        libc::getrusage(who, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), u64::try_from(usage.ru_maxrss).unwrap_or_default() * unit)
}
