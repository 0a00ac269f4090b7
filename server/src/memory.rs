//! Gives memory back to the system that was freed. The C library keeps it in the arenas of its threads, and a burst of work
//! leaves much in each: after 100,000 documents 1.1 GB were held, of which 0.27 were in use.

use std::time::Duration;

/// How often it is looked at.
const EVERY: Duration = Duration::from_secs(2);
/// How much more than after the last time is worth the walk through all arenas, in bytes: a tenth of a second for a gigabyte.
const WORTH: u64 = 64 << 20;

/// Never ends. Looks at what the process holds and trims it when it has grown.
pub async fn keep_trimmed() {
    let mut last = resident();
    loop {
        tokio::time::sleep(EVERY).await;
        if resident() > last + WORTH {
            let trimmed = tokio::task::spawn_blocking(trim).await;
            if let Err(error) = trimmed {
                tracing::warn!(%error, "freed memory could not be given back");
                return;
            }
            last = resident();
        }
        last = last.min(resident());
    }
}

/// Bytes of this process that are in memory; 0 where that is not told.
fn resident() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * rustix::param::page_size() as u64
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn trim() {
    #[expect(unsafe_code, reason = "a function of the C library that no crate wraps")]
    // SAFETY: it takes no pointer and its own locks, and returns whole pages only that nothing uses.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
const fn trim() {}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn what_threads_have_freed_goes_back() {
        const PIECE: usize = 1 << 10;
        let kept: Vec<Vec<Box<[u8; PIECE]>>> = std::thread::scope(|scope| {
            let thread = || {
                let pieces: Vec<Box<[u8; PIECE]>> = (0..40_000).map(|_| Box::new([1; PIECE])).collect();
                // Some stay, at the end of the arena too, so that it cannot shrink by itself.
                pieces.into_iter().enumerate().filter(|(at, _)| at % 1000 == 999).map(|(_, piece)| piece).collect()
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(thread)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        let before = resident();
        trim();
        let after = resident();
        assert!(after + (80 << 20) < before, "{before} bytes before, {after} after");
        assert!(kept.iter().flatten().all(|piece| piece[0] == 1));
    }
}
