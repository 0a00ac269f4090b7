//! The compression of RTF in messages ([MS-OXRTFCP]): Lempel-Ziv over a window of 4,096 bytes that begins with common words.

use crate::formats::compound::u32_at;

const COMPRESSED: u32 = 0x7546_5a4c;
const PLAIN: u32 = 0x414c_454d;
const HEAD: usize = 16;
const WINDOW: usize = 4096;

/// What the window holds at the start.
const COMMON: &[u8] = b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \
\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

/// The RTF, up to `most` bytes; nothing when this is no such stream.
pub fn unpack(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let packed = bytes.get(HEAD..)?;
    let length = (u32_at(bytes, 4)? as usize).min(most);
    match u32_at(bytes, 8)? {
        PLAIN => Some(packed[..packed.len().min(length)].to_vec()),
        COMPRESSED => Some(decompress(packed, length)),
        _ => None,
    }
}

fn decompress(packed: &[u8], length: usize) -> Vec<u8> {
    let mut window = [b' '; WINDOW];
    window[..COMMON.len()].copy_from_slice(COMMON);
    let mut at = COMMON.len();
    let mut text = Vec::new();
    let mut put = |byte: u8, window: &mut [u8; WINDOW], at: &mut usize| {
        window[*at] = byte;
        *at = (*at + 1) % WINDOW;
        text.push(byte);
        text.len() < length
    };
    let mut rest = packed.iter().copied();
    'all: while let Some(control) = rest.next() {
        for bit in 0..8 {
            let Some(first) = rest.next() else { break 'all };
            if control >> bit & 1 == 0 {
                if !put(first, &mut window, &mut at) {
                    break 'all;
                }
                continue;
            }
            let Some(second) = rest.next() else { break 'all };
            let reference = usize::from(first) << 8 | usize::from(second);
            let (offset, count) = (reference >> 4, (reference & 0xf) + 2);
            // A reference to where the window ends is the end.
            if offset == at {
                break 'all;
            }
            for step in 0..count {
                let byte = window[(offset + step) % WINDOW];
                if !put(byte, &mut window, &mut at) {
                    break 'all;
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn the_example_of_the_specification() {
        let packed =
            b"\x2d\0\0\0\x2b\0\0\0LZFu\xf1\xc5\xc7\xa7\x03\0\n\0rcpg125B2\n\xf3 hel\t\0 bw\x05\xb0ld}\n\x80\x0f\xa0";
        assert_eq!(unpack(packed, 1 << 20).expect("LZFu"), b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n");
    }

    proptest! {
        #[test]
        fn noise_never_panics_nor_grows(noise in any::<Vec<u8>>()) {
            let packed = [b"\0\0\0\0\xff\xff\xff\xffLZFu\0\0\0\0", noise.as_slice()].concat();
            assert!(unpack(&packed, 100).expect("LZFu").len() <= 100);
        }
    }
}
