//! Small files, made here.

use proptest::prelude::{ProptestConfig, any, proptest};
use sheaf_domain::FailureCode;

use crate::formats::compound::pack;
use crate::formats::read;

const TEXT: usize = 0x400;

/// A document of two pieces, the first of narrow and the second of wide characters; without any formatting.
fn streams(narrow: &str, wide: &str) -> (Vec<u8>, Vec<u8>) {
    let wide: Vec<u16> = wide.encode_utf16().collect();
    let length = narrow.len() + wide.len();
    let mut document = vec![0; TEXT];
    let mut put = |at: usize, number: usize| document[at..at + 4].copy_from_slice(&(number as u32).to_le_bytes());
    put(0, 0x00c1_a5ec);
    put(0x4c, length);
    let mut table = vec![2, 28, 0, 0, 0];
    for position in [0, narrow.len(), length] {
        table.extend((position as u32).to_le_bytes());
    }
    for place in [0x4000_0000 | (2 * TEXT as u32), (TEXT + narrow.len()) as u32] {
        table.extend([0, 0]);
        table.extend(place.to_le_bytes());
        table.extend([0, 0]);
    }
    put(0x1a2, 0);
    put(0x1a6, table.len());
    document.extend(narrow.bytes());
    document.extend(wide.iter().flat_map(|unit| unit.to_le_bytes()));
    (document, table)
}

fn file(narrow: &str, wide: &str) -> Vec<u8> {
    let (document, table) = streams(narrow, wide);
    pack(&[("/WordDocument", &document), ("/0Table", &table)])
}

#[test]
fn pieces_join_and_fields_show_their_result() {
    #[track_caller]
    fn check(narrow: &str, wide: &str, expect: &str) {
        assert_eq!(read(&file(narrow, wide), "a").expect("doc").text(), expect);
    }
    check("One\rtw", "ö \u{1f600}\r", "One\n\ntwö \u{1f600}");
    check("a\u{13} HYPERLINK x \u{14}link\u{15}b\u{1}\r", "line\u{b}end", "alinkb\n\nline\nend");
    check("a\u{7}b\u{7}", "", "| a | b |\n| --- | --- |");
    check("\u{15}\u{14}x\u{13}", "hidden", "x");
}

#[test]
fn files_that_are_refused() {
    #[track_caller]
    fn check(bytes: &[u8], code: FailureCode) {
        assert_eq!(read(bytes, "a.doc").expect_err("refused").code, code);
    }
    let (document, table) = streams("text", "");
    check(&pack(&[("/WordDocument", &document)]), FailureCode::CorruptFile);
    check(&pack(&[("/WordDocument", &document), ("/0Table", &[])]), FailureCode::CorruptFile);
    check(&pack(&[("/WordDocument", b"\xec\xa5")]), FailureCode::CorruptFile);
    let mut locked = document.clone();
    locked[11] |= 1;
    check(&pack(&[("/WordDocument", &locked), ("/0Table", &table)]), FailureCode::PasswordProtected);
    let whole = file("text", "");
    check(&[&whole[..600], &[0; 1000]].concat(), FailureCode::CorruptFile);
}

#[test]
fn old_files_have_their_text() {
    let mut document = vec![0; 0x300];
    document[..4].copy_from_slice(&[0xdc, 0xa5, 0x65, 0]);
    document[0x18..0x20].copy_from_slice(&[0, 3, 0, 0, 8, 3, 0, 0]);
    document[0x34] = 8;
    document.extend(b"One\rTwo\r");
    assert_eq!(read(&pack(&[("/WordDocument", &document)]), "a").expect("doc").text(), "One\n\nTwo");
    // The same by a Mac, in French.
    document[6..8].copy_from_slice(&[0x0c, 0x04]);
    document[0x12] = 1;
    document.truncate(0x300);
    document.extend(b"l\xd5\x8et\x8e\r ");
    assert_eq!(read(&pack(&[("/WordDocument", &document)]), "a").expect("doc").text(), "l’été");
}

#[test]
fn characters_of_symbol_fonts_are_what_they_look_like() {
    let text = read(&file("a (-helix ", "\u{f0b3} 5 \u{f06d}g \u{f0fc}\r"), "a").expect("doc");
    assert_eq!(text.text(), "a (-helix ≥ 5 μg");

    // A page of properties of characters: the bracket stands for character 0x61 of the font with number 3.
    let (mut document, mut table) = streams("a (-helix\r", "");
    document.resize(3 * 512, 0);
    let page = document.len();
    document.resize(page + 512, 0);
    for (index, place) in [TEXT, TEXT + 2, TEXT + 3, TEXT + 10].into_iter().enumerate() {
        document[page + 4 * index..page + 4 * index + 4].copy_from_slice(&(place as u32).to_le_bytes());
    }
    document[page + 17] = 100;
    document[page + 200..page + 207].copy_from_slice(&[6, 0x09, 0x6a, 3, 0, 0x61, 0xf0]);
    document[page + 511] = 3;
    let start = table.len() as u32;
    table.extend([0; 8]);
    table.extend((page as u32 / 512).to_le_bytes());
    document[0xfa..0xfe].copy_from_slice(&start.to_le_bytes());
    document[0xfe..0x102].copy_from_slice(&12_u32.to_le_bytes());
    let bytes = pack(&[("/WordDocument", &document), ("/0Table", &table)]);
    assert_eq!(read(&bytes, "a").expect("doc").text(), "a α-helix");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..0x420, any::<u8>()), 1..20), noise in any::<Vec<u8>>()) {
        let (mut document, mut table) = streams("Some text\r", "more\u{7}\r");
        // Every table is read from the noise, then from the piece table itself.
        table.extend(noise);
        for at in [0xa2, 0xf2, 0xfa, 0x102, 0x2e2, 0x2ea] {
            document[at] = 40;
            document[at + 4] = 200;
        }
        for (at, byte) in changes {
            if let Some(place) = document.get_mut(at) {
                *place = byte;
            }
            if let Some(place) = table.get_mut(at % 64) {
                *place = byte;
            }
        }
        let _ = read(&pack(&[("/WordDocument", &document), ("/0Table", &table)]), "a");
    }
}
