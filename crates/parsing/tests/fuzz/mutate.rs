//! Small damage to bytes; of a ZIP package, rather to the parts in it than to what packs them.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// What parsers look for, or trip over.
const TOKENS: &[&[u8]] = &[
    b"<",
    b">",
    b"</",
    b"/>",
    b"&",
    b"&#x10FFFF;",
    b"&#0;",
    b"]]>",
    b"<!--",
    b"<![CDATA[",
    b"<!DOCTYPE a [",
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b",",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"=?utf-8?B?",
    b"?=",
    b"--x",
    b"--x--",
    b"Content-Type: message/rfc822\n\n",
    b"Content-Transfer-Encoding: base64\n",
    b"obj",
    b"endobj",
    b"stream\n",
    b"endstream",
    b"<<",
    b">>",
    b"/Length 99999999",
    b"/Kids [1 0 R]",
    b"BT",
    b"ET",
    b"%PDF-",
    b"PK\x01\x02",
    b"PK\x03\x04",
    b"ustar",
    b"-1",
    b"0",
    b"4294967295",
    b"9223372036854775808",
    b"1e999",
    b"\xf0\x9f\x98\x80",
    b"\xe2\x80\xae",
];

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Less than `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("less than a usize")
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// `bytes` with a few changes, some of them pieces of `other`.
pub fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    if bytes.starts_with(b"PK")
        && random.below(4) > 0
        && let Some(repacked) = mutate_part(bytes, other, random)
    {
        return repacked;
    }
    let mut bytes = bytes.to_vec();
    for _ in 0..=random.below(6) {
        change(&mut bytes, other, random);
    }
    bytes
}

fn change(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len() + 1);
    let longest = random_length(random).min(bytes.len() - at);
    let length = random.below(1 + longest);
    match random.below(9) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
        1 if at < bytes.len() => bytes[at] = random.byte(),
        2 => drop(bytes.drain(at..at + length)),
        3 => bytes.truncate(at),
        4 => {
            let again = bytes[at..at + length].repeat(1 + random.below(64));
            insert(bytes, at, &again);
        }
        5 if !other.is_empty() => {
            let from = random.below(other.len());
            let piece = &other[from..other.len().min(from + random_length(random))];
            insert(bytes, at, piece);
        }
        6 => insert(bytes, at, &TOKENS[random.below(TOKENS.len())].repeat(1 + random.below(4) * random.below(200))),
        7 if at + 4 <= bytes.len() => {
            let number = [0, 1, 0x7fff_ffff, 0x8000_0000, u32::MAX][random.below(5)];
            bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
        _ => insert(bytes, at, TOKENS[random.below(TOKENS.len())]),
    }
}

fn random_length(random: &mut Random) -> usize {
    [4, 64, 1024][random.below(3)]
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    bytes.splice(at..at, piece.iter().copied());
}

/// One part changed, all packed anew.
fn mutate_part(bytes: &[u8], other: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let mut from = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut to = ZipWriter::new(Cursor::new(Vec::new()));
    let chosen = random.below(from.len());
    for index in 0..from.len() {
        let mut part = from.by_index(index).ok()?;
        let mut content = Vec::new();
        part.read_to_end(&mut content).ok()?;
        if index == chosen {
            for _ in 0..=random.below(4) {
                change(&mut content, other, random);
            }
        }
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        to.start_file(part.name(), stored).ok()?;
        to.write_all(&content).ok()?;
    }
    Some(to.finish().ok()?.into_inner())
}
