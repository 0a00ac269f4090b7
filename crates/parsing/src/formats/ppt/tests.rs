//! Small presentations, made here.

use proptest::prelude::{ProptestConfig, any, proptest};
use sheaf_domain::FailureCode;

use crate::formats::compound::pack;
use crate::formats::read;

fn record(first: u16, kind: u16, data: &[u8]) -> Vec<u8> {
    [&first.to_le_bytes()[..], &kind.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data].concat()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn text(kind: u32, text: &str) -> Vec<u8> {
    [record(0, 0xf9f, &numbers(&[kind])), record(0, 0xfa8, text.as_bytes())].concat()
}

fn slide(shapes: &[Vec<u8>]) -> Vec<u8> {
    let boxes: Vec<Vec<u8>> = shapes.iter().map(|text| record(0xf, 0xf00d, text)).collect();
    record(0xf, 0x3ee, &record(0xf, 0x40c, &boxes.concat()))
}

/// Two slides; the title of the first is in the list of slides, which has them in the order 3, 2; the first has notes.
fn streams() -> (Vec<u8>, Vec<u8>) {
    let outline = record(0, 0xf9e, &numbers(&[0]));
    let comment = [record(0, 0xfba, b"A\0n\0n\0"), record(0x10, 0xfba, b"W\0h\0y\0?\0")].concat();
    let mut first = slide(&[text(4, "Beside\x0bit"), outline, text(1, "One\rTwo"), text(4, "*")]);
    first.extend(record(0xf, 0x2ee0, &comment));
    let length = (first.len() - 8) as u32;
    first[4..8].copy_from_slice(&length.to_le_bytes());
    let second = slide(&[text(6, "Last")]);
    let notes = [
        record(0, 0x3f1, &numbers(&[256, 0])),
        record(0xf, 0xf00d, &text(2, "Slowly")),
        record(0xf, 0xf00d, &text(4, "page")),
    ];
    let notes = record(0xf, 0x3f0, &notes.concat());
    let persist = |place: u32, id: u32| record(0, 0x3f3, &numbers(&[place, 0, 0, id, 0]));
    let slides = [persist(3, 256), text(0, "Title"), persist(2, 257), persist(3, 258)].concat();
    let document = [record(0xf, 0xff0, &slides), record(0x2f, 0xff0, &persist(4, 900))].concat();
    let document = record(0xf, 0x3e8, &document);

    let mut stream = Vec::new();
    let mut places = Vec::new();
    for part in [&document, &second, &first, &notes] {
        places.push(stream.len() as u32);
        stream.extend(part);
    }
    let directory = stream.len() as u32;
    stream.extend(record(0, 0x1772, &[numbers(&[4 << 20 | 1]), numbers(&places)].concat()));
    let edit = stream.len() as u32;
    stream.extend(record(0, 0xff5, &numbers(&[0, 0, 0, directory, 1, 0, 0])));
    (numbers(&[0, 0, 0, 0xe391_c05f, edit]), stream)
}

#[test]
fn slides_are_pages_in_the_order_of_the_show() {
    let (user, stream) = streams();
    let document = read(&pack(&[("/Current User", &user), ("/PowerPoint Document", &stream)]), "a").expect("ppt");
    let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
    assert_eq!(
        pages,
        ["# Title\n\nBeside\nit\n\n- One\n- Two\n\n### Notes\n\nSlowly\n\nComment by Ann: Why?", "# Last",]
    );
}

#[test]
fn without_a_list_all_texts_are_read() {
    let (_, stream) = streams();
    let document = read(&pack(&[("/PowerPoint Document", &stream)]), "a").expect("ppt");
    assert!(document.text().contains("Last") && document.text().contains("Two"));
    assert_eq!(document.problems.len(), 1);
}

#[test]
fn files_that_are_refused() {
    #[track_caller]
    fn check(user: &[u8], stream: &[u8], code: FailureCode) {
        let bytes = pack(&[("/Current User", user), ("/PowerPoint Document", stream)]);
        assert_eq!(read(&bytes, "a").expect_err("refused").code, code);
    }
    check(b"", b"", FailureCode::CorruptFile);
    let (_, stream) = streams();
    check(&numbers(&[0, 0, 0, 0xf3d1_c4df, 0]), &stream, FailureCode::PasswordProtected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn changed_bytes_never_panic(changes in proptest::collection::vec((0_usize..700, any::<u8>()), 1..20)) {
        let (user, mut stream) = streams();
        for (at, byte) in changes {
            if let Some(place) = stream.get_mut(at) {
                *place = byte;
            }
        }
        let _ = read(&pack(&[("/Current User", &user), ("/PowerPoint Document", &stream)]), "a");
    }
}
