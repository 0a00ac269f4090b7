//! The pages of a TIFF: its chain of directories (TIFF 6.0, section 2; BigTIFF).

/// More pages than this are not looked for; a chain may go round in a circle.
const MOST: usize = 10_000;

/// How the numbers of a file are written.
struct Layout {
    big_endian: bool,
    /// BigTIFF has offsets of eight bytes.
    wide: bool,
}

impl Layout {
    fn of(bytes: &[u8]) -> Option<Self> {
        let big_endian = match bytes.get(..2)? {
            b"II" => false,
            b"MM" => true,
            _ => return None,
        };
        let layout = Self { big_endian, wide: false };
        match layout.number(bytes, 2, 2)? {
            42 => Some(layout),
            43 => Some(Self { wide: true, ..layout }),
            _ => None,
        }
    }

    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let digits = bytes.get(at..at.checked_add(length)?)?.iter().map(|&digit| u64::from(digit));
        Some(if self.big_endian {
            digits.fold(0, |sum, digit| sum << 8 | digit)
        } else {
            digits.rev().fold(0, |sum, digit| sum << 8 | digit)
        })
    }

    /// Where the header says where the first directory is, and how long such a place is.
    fn first(&self) -> (usize, usize) {
        if self.wide { (8, 8) } else { (4, 4) }
    }
}

/// The offsets of the directories, one for each page; empty for what is no TIFF.
pub fn directories(bytes: &[u8]) -> Vec<u64> {
    let mut found: Vec<u64> = Vec::new();
    let Some(layout) = Layout::of(bytes) else { return found };
    let (first, width) = layout.first();
    let (count_width, entry) = if layout.wide { (8, 20) } else { (2, 12) };
    let mut next = layout.number(bytes, first, width);
    while let Some(offset) = next.filter(|&offset| offset != 0) {
        let Ok(at) = usize::try_from(offset) else { break };
        let Some(count) = layout.number(bytes, at, count_width) else { break };
        if found.contains(&offset) || found.len() >= MOST {
            break;
        }
        found.push(offset);
        let end =
            usize::try_from(count).ok().and_then(|count| count.checked_mul(entry)).and_then(|n| n.checked_add(at));
        next = end.and_then(|end| layout.number(bytes, end.checked_add(count_width)?, width));
    }
    found
}

/// The same file with page `page` (from 1) as its first, which is the one that decoders show.
pub fn beginning_with(bytes: &[u8], page: u32) -> Option<Vec<u8>> {
    let offset = *directories(bytes).get(page.checked_sub(1)? as usize)?;
    let layout = Layout::of(bytes)?;
    let (at, width) = layout.first();
    let mut turned = bytes.to_vec();
    let digits = offset.to_be_bytes();
    let digits = &digits[8 - width..];
    for (place, digit) in turned[at..at + width].iter_mut().enumerate() {
        *digit = if layout.big_endian { digits[place] } else { digits[width - 1 - place] };
    }
    Some(turned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    /// Two directories without entries, at 8 and 14.
    const TWO: &[u8] = b"II*\0\x08\0\0\0\0\0\x0e\0\0\0\0\0\0\0\0\0";

    #[test]
    fn pages_are_counted_and_turned_to() {
        assert_eq!(directories(TWO), [8, 14]);
        let turned = beginning_with(TWO, 2).expect("there are two");
        assert_eq!(directories(&turned), [14]);
        assert_eq!(beginning_with(TWO, 3), None);
    }

    #[test]
    fn a_circle_ends() {
        let mut circle = TWO.to_vec();
        circle[16] = 8;
        assert_eq!(directories(&circle), [8, 14]);
    }

    proptest! {
        #[test]
        fn noise_is_never_a_panic(noise in any::<Vec<u8>>()) {
            let noise = [b"MM\0*".as_slice(), &noise].concat();
            directories(&noise).iter().enumerate().for_each(|(page, _)| drop(beginning_with(&noise, page as u32 + 1)));
        }
    }
}
