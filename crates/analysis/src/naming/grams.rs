//! Words in text that is written without spaces: what is often said as one.

use rustc_hash::{FxHashMap, FxHashSet};

/// The most signs of a word.
const LONGEST: usize = 6;
/// A word of three and more signs is said this often at least; what is said once cannot be told from its neighbours.
const FEWEST: u32 = 2;
/// Places that words beginning at one sign have, of any length.
pub(super) const PLACES: usize = LONGEST + 2;
/// Signs that join words and are no end of one.
const JOINING: &[char] =
    &['的', '了', '是', '与', '與', '及', '或', '也', '而', '被', '把', '这', '這', '那', '吗', '嗎', '呢'];

/// How often a word is said, and where first: unique, ascending through the text.
pub(super) type Uses = (u32, usize);

/// The words of runs of ideographs, each run with the place where it begins.
///
/// Pairs of signs are words, until a longer stretch is said nearly as often as the pair: then the pair is a piece of it
/// (`件包` of `软件包`). A stretch counts when one of the two shorter ones that it is made of is hardly ever said alone.
pub(super) fn grams<'text>(runs: &[(usize, &'text str)]) -> FxHashMap<&'text str, Uses> {
    let mut counts: FxHashMap<&str, Uses> = FxHashMap::default();
    for length in 2..=LONGEST {
        let mut found: FxHashMap<&str, Uses> = FxHashMap::default();
        for &(start, run) in runs {
            for (at, gram) in windows(run, length).enumerate() {
                let is_often = |part| counts.get(part).is_some_and(|&(count, _)| count >= FEWEST);
                if length == 2 || parts(gram).is_some_and(|parts| parts.into_iter().all(is_often)) {
                    let first = (start + at) * PLACES + length;
                    found.entry(gram).or_insert((0, first)).0 += 1;
                }
            }
        }
        if length > 2 {
            found.retain(|_, (count, _)| *count >= FEWEST);
        }
        if found.is_empty() {
            break;
        }
        counts.extend(found);
    }
    let mut gone: FxHashSet<&str> = FxHashSet::default();
    for (&gram, &(count, _)) in &counts {
        let is_nearly = |part: &str| counts.get(part).is_some_and(|&(other, _)| other * 4 <= count * 5);
        if gram.starts_with(JOINING) || gram.ends_with(JOINING) {
            gone.insert(gram);
        } else if let Some(halves) = parts(gram) {
            if halves.into_iter().any(is_nearly) {
                let shorter = (2..gram.chars().count()).flat_map(|length| windows(gram, length));
                gone.extend(shorter.filter(|part| is_nearly(part)));
            } else {
                gone.insert(gram);
            }
        }
    }
    counts.retain(|gram, _| !gone.contains(gram));
    counts
}

/// Without its last sign, and without its first; `None` for a pair.
fn parts(gram: &str) -> Option<[&str; 2]> {
    let (second, _) = gram.char_indices().nth(1)?;
    let (last, _) = gram.char_indices().next_back()?;
    (last > second).then(|| [&gram[..last], &gram[second..]])
}

/// All stretches of so many signs.
fn windows(run: &str, length: usize) -> impl Iterator<Item = &str> {
    let starts = run.char_indices().map(|(at, _)| at);
    let ends = run.char_indices().map(|(at, c)| at + c.len_utf8()).skip(length - 1);
    starts.zip(ends).map(|(start, end)| &run[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_words_are_no_words() {
        let check = |text: &str, expect: &[(&str, u32)]| {
            let runs: Vec<(usize, &str)> = text.split(' ').map(|run| (text.find(run).unwrap_or(0), run)).collect();
            let mut found: Vec<(&str, u32)> =
                grams(&runs).into_iter().map(|(gram, (count, _))| (gram, count)).collect();
            found.sort_by_key(|&(gram, count)| (std::cmp::Reverse(count), gram));
            found.truncate(expect.len());
            assert_eq!(found, expect, "{text}");
        };
        check("安装软件包 删除软件包 升级软件包的时候", &[("软件包", 3)]);
        check("软件包 软件包 软件 软件 软件", &[("软件", 5), ("软件包", 2)]);
        check("应用程序 新应用程序 旧应用程序 好应用程序", &[("应用程序", 4)]);
        check("我的 你的 他的", &[]);
        check("银", &[]);
    }
}
