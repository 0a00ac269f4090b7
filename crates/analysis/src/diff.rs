//! What differs between two texts, word by word, cut into rows that can be read side by side.

mod rows;
mod words;

#[cfg(test)]
mod tests;

use rustc_hash::FxHashMap;
use sheaf_domain::{DiffCounts, DiffRow};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use words::{Word, words};

/// Words of a text that are compared, at most: some 250 pages.
pub const MAX_WORDS: usize = 100_000;

/// A word of both texts, or of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Both(usize, usize),
    First(usize),
    Second(usize),
}

/// Compares two texts by Myers' algorithm (1986), whose search the crate bounds as Git does: texts that have little in common
/// may get more differences than the fewest possible, but take seconds at most. The result depends on the texts alone.
pub fn compare(first: &str, second: &str) -> (DiffCounts, Vec<DiffRow>) {
    let (mut a, a_is_cut) = words(first, MAX_WORDS);
    let (mut b, b_is_cut) = words(second, MAX_WORDS);
    // Numbers are compared faster than words.
    let mut numbers: FxHashMap<String, u32> = FxHashMap::default();
    let mut numbered = |words: &mut [Word<'_>]| -> Vec<u32> {
        let number = |word: &mut Word<'_>| {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            *numbers.entry(std::mem::take(&mut word.key)).or_insert(next)
        };
        words.iter_mut().map(number).collect()
    };
    let (numbers_a, numbers_b) = (numbered(&mut a), numbered(&mut b));
    let steps = steps(&capture_diff_slices(Algorithm::Myers, &numbers_a, &numbers_b));
    let count = |is_counted: fn(&Step) -> bool| steps.iter().filter(|step| is_counted(step)).count() as u64;
    let counts = DiffCounts {
        kept: count(|step| matches!(step, Step::Both(..))),
        removed: count(|step| matches!(step, Step::First(_))),
        added: count(|step| matches!(step, Step::Second(_))),
        is_cut: a_is_cut || b_is_cut,
    };
    (counts, rows::rows(&a, &b, &steps))
}

/// Where words stand in place of others, those of both sides by turns, so that long ones end up side by side.
fn steps(operations: &[DiffOp]) -> Vec<Step> {
    let mut steps = Vec::new();
    for operation in operations {
        match *operation {
            DiffOp::Equal { old_index, new_index, len } => {
                steps.extend((0..len).map(|i| Step::Both(old_index + i, new_index + i)));
            }
            DiffOp::Delete { old_index, old_len, .. } => {
                steps.extend((0..old_len).map(|i| Step::First(old_index + i)));
            }
            DiffOp::Insert { new_index, new_len, .. } => {
                steps.extend((0..new_len).map(|i| Step::Second(new_index + i)));
            }
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                for i in 0..old_len.max(new_len) {
                    steps.extend((i < old_len).then_some(Step::First(old_index + i)));
                    steps.extend((i < new_len).then_some(Step::Second(new_index + i)));
                }
            }
        }
    }
    steps
}
