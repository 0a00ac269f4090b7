//! What is sent together, and when a lost connection is tried again.

use std::time::Duration;

/// The most files of one request. What a request brings is acknowledged as a whole, so that a lost one costs little.
const FILES: usize = 64;

/// The most bytes of one request, unless it is a single file.
const BYTES: u64 = 8 << 20;

/// The longest pause between two tries.
const LONGEST: Duration = Duration::from_secs(15);

/// How many of the files, given by their sizes in bytes, go into the next request: at least one of those that are left.
pub fn next_group(sizes: impl IntoIterator<Item = u64>) -> usize {
    let mut bytes = 0_u64;
    let fitting = sizes.into_iter().take(FILES).take_while(|size| {
        let is_first = bytes == 0;
        bytes = bytes.saturating_add((*size).max(1));
        is_first || bytes <= BYTES
    });
    fitting.count()
}

/// The pause before a try, after so many in a row that were lost: 1, 2, 4, 8, then 15 seconds.
pub fn pause(lost: u32) -> Duration {
    Duration::from_secs(1_u64 << lost.saturating_sub(1).min(10)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_bounded_in_files_and_bytes() {
        let check = |sizes: &[u64], expect: usize| assert_eq!(next_group(sizes.iter().copied()), expect);
        check(&[], 0);
        check(&[0, 0, 0], 3);
        check(&[0; 3000], 64);
        check(&[5 << 20, 3 << 20, 1], 2);
        check(&[1 << 40, 1], 1);
        check(&[1, 1 << 40], 1);
        check(&[u64::MAX, u64::MAX], 1);
    }

    #[test]
    fn the_pauses_grow_and_stay_bounded() {
        let pauses: Vec<u64> = (1..8).map(|lost| pause(lost).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(pause(u32::MAX), LONGEST);
    }
}
