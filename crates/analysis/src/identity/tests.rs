//! Numbers that last, and the words for what changed.

use proptest::prelude::*;

use super::*;

/// `a3b2` is three times the group 0, then twice the group 1; `.` is none.
fn groups(text: &str) -> Vec<Option<u32>> {
    let mut found = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let mut digits = String::new();
        while let Some(digit) = letters.next_if(char::is_ascii_digit) {
            digits.push(digit);
        }
        let group = (letter != '.').then(|| letter as u32 - 'a' as u32);
        found.extend(std::iter::repeat_n(group, digits.parse().unwrap_or(1)));
    }
    found
}

fn now(text: &str) -> Vec<u32> {
    groups(text).into_iter().flatten().collect()
}

#[test]
fn what_is_still_the_same_keeps_its_number() {
    let check = |earlier: &str, after: &str, next: u32, expect: &[u32], left: u32| {
        let after = now(after);
        let count = after.iter().max().map_or(0, |&most| most as usize + 1);
        assert_eq!(numbers(&groups(earlier), &after, count, next), (expect.to_vec(), left), "{earlier}");
    };
    check("", "", 0, &[], 0);
    // The first analysis.
    check(".5", "a3b2", 0, &[0, 1], 2);
    // The order of sizes turned round by documents that are new.
    check("a6b4.9", "b6a4a9", 2, &[1, 0], 2);
    // One split in two: the larger part goes on.
    check("a10", "a4b6", 1, &[1, 0], 2);
    // One of three that are alike only a little.
    check("a9b9", "a3b3c3a3b3c3", 2, &[0, 1, 2].map(|n| n + 2), 5);
    // Two merged: the larger one goes on; a number that is not given any more is not given again.
    check("a6b4", "a10", 2, &[0], 2);
    check("a6.4", "a6b4", 7, &[0, 7], 8);
    // A document alone is a group like any other.
    check("ab", "ba", 2, &[1, 0], 2);
}

#[test]
fn the_largest_sum_wins_over_the_largest_pair() {
    // The group 0 has ten of a and all of b: 0.45 and 0.33; the group 1 has the other seven of a: 0.41.
    let earlier = groups("a17b5");
    let after = now("a10b7a5");
    assert_eq!(matching(&earlier, &after), BTreeMap::from([(0, 1), (1, 0)]));
    let earlier = groups("a10b10");
    let after = now("a6b4a4b6");
    assert_eq!(matching(&earlier, &after), BTreeMap::from([(0, 0), (1, 1)]));
}

proptest! {
    #[test]
    fn the_order_of_documents_changes_nothing(
        documents in prop::collection::vec((prop::option::of(0_u32..6), 0_u32..6), 0..80),
        seed in any::<u64>(),
    ) {
        let mut shuffled = documents.clone();
        shuffled.sort_by_key(|(earlier, now)| (u64::from(*now) + u64::from(earlier.unwrap_or(9)) * 7).wrapping_mul(seed | 1));
        let (earlier, after): (Vec<_>, Vec<_>) = documents.into_iter().unzip();
        let (earlier_too, after_too): (Vec<_>, Vec<_>) = shuffled.into_iter().unzip();
        let found = numbers(&earlier, &after, 6, 6);
        prop_assert_eq!(&found, &numbers(&earlier_too, &after_too, 6, 6));
        let distinct: BTreeSet<u32> = found.0.iter().copied().collect();
        prop_assert_eq!(distinct.len(), 6, "no number is given twice: {:?}", found);
        let fresh = found.0.iter().filter(|number| **number >= 6).count() as u32;
        prop_assert_eq!(found.1, 6 + fresh);
    }

    #[test]
    fn an_unchanged_clustering_keeps_all_numbers(labels in prop::collection::vec(0_u32..9, 1..80)) {
        let earlier: Vec<Option<u32>> = labels.iter().map(|label| Some(label * 10)).collect();
        let (numbers, next) = numbers(&earlier, &labels, 9, 100);
        for label in labels {
            prop_assert_eq!(numbers[label as usize], label * 10);
        }
        prop_assert!(next >= 100);
    }
}

#[test]
fn what_changed_is_told() {
    let check = |earlier: &[Option<Option<u32>>], after: &str, expect: &Changes| {
        assert_eq!(changes(earlier, &groups(after)), *expect, "{after}");
    };
    let there = |text: &str| groups(text).into_iter().map(Some).collect::<Vec<_>>();
    check(&there("a5b5"), "a5b5", &Changes::default());
    let with_new = [there("a5b5"), vec![None; 4]].concat();
    let added = vec![(Some(1), 2), (None, 1), (Some(0), 1)];
    check(&with_new, "a5b5b2a.", &Changes { added, ..Changes::default() });
    let split = Changes { split: vec![(0, vec![0, 2])], moved: 4, ..Changes::default() };
    check(&there("a10b3"), "a6c4b3", &split);
    let merged = Changes { merged: vec![(vec![1, 2], 1)], moved: 4, ..Changes::default() };
    check(&there("a3b5c4"), "a3b9", &merged);
    let new = Changes { new: vec![2], added: vec![(Some(2), 4)], ..Changes::default() };
    check(&with_new, "a5b5c4", &new);
    let gone = Changes { gone: vec![1], moved: 5, ..Changes::default() };
    check(&there("a5b5"), "a5.5", &gone);
    // A few documents that went from one to the other are neither a split nor a merge.
    check(&there("a10b10"), "a9b11", &Changes { moved: 1, ..Changes::default() });
}
