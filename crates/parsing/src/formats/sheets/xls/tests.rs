//! Small workbooks, made here.

use proptest::prelude::{ProptestConfig, any, proptest};
use sheaf_domain::FailureCode;

use crate::formats::compound::pack;
use crate::formats::read;

fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes(), &(data.len() as u16).to_le_bytes(), data].concat()
}

fn cell(kind: u16, row: u16, column: u16, style: u16, value: &[u8]) -> Vec<u8> {
    record(kind, &[&row.to_le_bytes()[..], &column.to_le_bytes(), &style.to_le_bytes(), value].concat())
}

/// A workbook of one sheet with these cells; two shared strings, the second broken over two records; style 1 is a date.
fn stream(cells: &[Vec<u8>]) -> Vec<u8> {
    let start = record(0x809, &[0, 6, 5, 0]);
    let strings = [&[0; 8][..], &[4, 0, 0], b"Name", &[3, 0, 1, 0x45, 0x04]].concat();
    let mut globals = start.clone();
    globals.extend(record(0xfc, &strings));
    globals.extend(record(0x3c, &[1, 0x34, 0x04, 0x4f, 0x04]));
    globals.extend(record(0xe0, &[0, 0, 0, 0]));
    globals.extend(record(0xe0, &[0, 0, 14, 0]));
    let place = globals.len() + 4 + 11 + 4;
    globals.extend(record(0x85, &[&(place as u32).to_le_bytes()[..], &[0, 0, 3, 0], b"One"].concat()));
    globals.extend(record(0x0a, &[]));
    [globals, start, cells.concat(), record(0x0a, &[])].concat()
}

fn cells() -> Vec<Vec<u8>> {
    let chart = [record(0x809, &[0, 6, 0x20, 0]), cell(0x203, 0, 0, 0, &[0; 8]), record(0x0a, &[])].concat();
    vec![
        cell(0xfd, 0, 0, 0, &[0, 0, 0, 0]),
        cell(0xfd, 0, 1, 0, &[1, 0, 0, 0]),
        chart,
        cell(0x27e, 1, 0, 0, &(1234_u32 << 2 | 3).to_le_bytes()),
        cell(0x203, 1, 1, 1, &45_306_f64.to_le_bytes()),
        cell(0x06, 1, 2, 0, &[0, 0, 0, 0, 0, 0, 0xff, 0xff]),
        record(0x207, &[3, 0, 0, b's', b'u', b'm']),
        cell(0x205, 1, 3, 0, &[0x2a, 1]),
        record(0xbd, &[2, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 10, 0, 0, 0, 1, 0]),
        cell(0xfd, 65_535, 255, 0, &[77, 0, 0, 0]),
    ]
}

#[test]
fn sheets_are_pages() {
    let document = read(&pack(&[("/Workbook", &stream(&cells()))]), "a").expect("xls");
    let rows = "| Name | \u{445}\u{434}\u{44f} |\n| --- | --- | --- | --- |\n\
                | 12.34 | 2024-01-15 | sum | #N/A |\n| 1 | 2 |";
    assert_eq!(document.text(), format!("# One\n\n{rows}"));
}

#[test]
fn books_that_are_refused() {
    #[track_caller]
    fn check(stream: &[u8], code: FailureCode) {
        assert_eq!(read(&pack(&[("/Workbook", stream)]), "a").expect_err("refused").code, code);
    }
    check(b"", FailureCode::CorruptFile);
    check(&stream(&[]), FailureCode::NoText);
    let far = [&[0; 5000][..], &[0x2f, 0, 2, 0, 1, 0]].concat();
    let locked = [record(0x809, &[0, 6, 5, 0]), record(0x1234, &far[..5000]), record(0x2f, &[1, 0])].concat();
    check(&locked, FailureCode::PasswordProtected);
    let whole = stream(&cells());
    check(&whole[..60], FailureCode::CorruptFile);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..300, any::<u8>()), 1..20)) {
        let mut stream = stream(&cells());
        for (at, byte) in changes {
            if let Some(place) = stream.get_mut(at) {
                *place = byte;
            }
        }
        let _ = read(&pack(&[("/Workbook", &stream)]), "a");
    }
}
