//! Archives and letters through real children: what comes out, under which path, and what is refused.

use std::fs::File;
use std::io::{Cursor, Read, Write};
use std::path::PathBuf;

use cfb::CompoundFile;
use flate2::Compression;
use flate2::write::GzEncoder;
use sheaf_domain::{Failure, FailureCode, Passwords};
use sheaf_parsing::archive::{ArchiveItem, ArchiveLimits};
use sheaf_parsing::{Pool, PoolConfig};
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;

const LETTER: &str = "The harbour was widened before winter.";

fn pool() -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    Pool::new(PoolConfig::new(program, 1))
}

type Items = Vec<(String, Result<Vec<u8>, FailureCode>)>;

async fn unpack(bytes: &[u8], name: &str, limits: &ArchiveLimits) -> (Result<(), Failure>, Items) {
    let pool = pool();
    let mut file = tempfile::tempfile().expect("a temporary file");
    file.write_all(bytes).expect("room");
    let (sender, mut receiver) = mpsc::channel(4);
    let unpacking = async {
        let sender = sender;
        pool.unpack(file, name, limits, &Passwords::default(), &sender).await
    };
    let receiving = async {
        let mut items = Vec::new();
        while let Some(ArchiveItem { path, content }) = receiver.recv().await {
            let content = content.map_err(|failure| failure.code).map(|mut content| {
                let mut bytes = Vec::new();
                content.read_to_end(&mut bytes).expect("complete");
                bytes
            });
            items.push((path, content));
        }
        items
    };
    tokio::join!(unpacking, receiving)
}

#[track_caller]
fn same(items: Items, expect: &[(&str, Result<&[u8], FailureCode>)]) {
    let items: Vec<_> =
        items.iter().map(|(path, content)| (path.as_str(), content.as_deref().map_err(|code| *code))).collect();
    assert_eq!(items, expect);
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        // Not `set_path`, which would not write a name that leads outside.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_cksum();
        tar.append(&header, *bytes).expect("memory");
    }
    tar.into_inner().expect("memory")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

fn zip(files: &[(&str, &[u8])], options: SimpleFileOptions) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, options).expect("memory");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn seven_zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("memory");
    for (name, bytes) in files {
        archive.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*bytes)).expect("memory");
    }
    archive.finish().expect("memory").into_inner()
}

fn mail(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut mail = "From: a@b.c\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nbody\n".to_owned();
    for (headers, body) in parts {
        mail.push_str(&format!("--x\n{headers}\n\n{body}\n"));
    }
    mail.push_str("--x--\n");
    mail.into_bytes()
}

#[tokio::test]
async fn every_kind_of_archive_is_opened() {
    let (limits, files) = (ArchiveLimits::default(), [("a/one.txt", LETTER.as_bytes()), ("two.txt", b"".as_slice())]);
    let deflate = SimpleFileOptions::default();
    for (name, archive) in [
        ("p.tar", tar(&files)),
        ("p.tgz", gzip(&tar(&files))),
        ("p.7z", seven_zip(&files)),
        ("p.zip", zip(&files, deflate)),
        ("p.zip", zip(&files, deflate.compression_method(zip::CompressionMethod::Bzip2))),
    ] {
        let (whole, items) = unpack(&archive, name, &limits).await;
        assert_eq!(whole, Ok(()), "{name}");
        let paths = [format!("{name}!/a/one.txt"), format!("{name}!/two.txt")];
        same(items, &[(&paths[0], Ok(LETTER.as_bytes())), (&paths[1], Ok(b""))]);
    }
    let (whole, items) = unpack(&gzip(LETTER.as_bytes()), "in/letter.txt.gz", &limits).await;
    assert_eq!(whole, Ok(()));
    same(items, &[("in/letter.txt.gz!/letter.txt", Ok(LETTER.as_bytes()))]);
    // Two members are one file, and what fills the block behind them is none.
    let members = [gzip(LETTER.as_bytes()), gzip(b" It froze."), vec![0; 512]].concat();
    let (whole, items) = unpack(&members, "letter.txt.gz", &limits).await;
    assert_eq!(whole, Ok(()));
    same(items, &[("letter.txt.gz!/letter.txt", Ok(&[LETTER.as_bytes(), b" It froze."].concat()))]);
    // As it was written before there was a magic number, with the sum of its header.
    let mut old = tar(&files);
    for start in [0, 1024] {
        let header = &mut old[start..start + 512];
        header[257..265].fill(0);
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    }
    let (whole, items) = unpack(&old, "p", &limits).await;
    assert_eq!(whole, Ok(()));
    same(items, &[("p!/a/one.txt", Ok(LETTER.as_bytes())), ("p!/two.txt", Ok(b""))]);
}

/// What the end of a ZIP file says of its directory: fewer entries lose none, more take no memory.
#[tokio::test]
async fn a_zip_that_miscounts_is_read_by_what_it_holds() {
    let limits = ArchiveLimits::default();
    let files = [("one.txt", LETTER.as_bytes()), ("two.txt", b"frost")];
    let count = |says: u16| {
        let mut zip = zip(&files, SimpleFileOptions::default());
        let end = zip.len() - 22;
        zip[end + 8..end + 10].copy_from_slice(&says.to_le_bytes());
        zip[end + 10..end + 12].copy_from_slice(&says.to_le_bytes());
        zip
    };
    for says in [0, 1, 2] {
        let (whole, mut items) = unpack(&count(says), "p.zip", &limits).await;
        assert_eq!(whole, Ok(()), "{says}");
        items.sort_by(|one, other| one.0.cmp(&other.0));
        same(items, &[("p.zip!/one.txt", Ok(LETTER.as_bytes())), ("p.zip!/two.txt", Ok(b"frost"))]);
    }
    let (whole, items) = unpack(&count(60_000), "p.zip", &limits).await;
    assert_eq!(whole.expect_err("too many").code, FailureCode::ArchiveTooManyEntries);
    assert_eq!(items, []);
}

/// Zstandard has the number 93 and is not unpacked, which is no damage.
#[tokio::test]
async fn an_unknown_way_of_packing_is_told_from_damage() {
    let mut zip = zip(&[("one.txt", LETTER.as_bytes())], SimpleFileOptions::default());
    for (signature, method) in [(b"PK\x03\x04", 8), (b"PK\x01\x02", 10)] {
        let at = zip.windows(4).position(|window| window == signature).expect("a header");
        zip[at + method] = 93;
    }
    let (whole, items) = unpack(&zip, "p.zip", &ArchiveLimits::default()).await;
    assert_eq!(whole, Ok(()));
    same(items, &[("p.zip!/one.txt", Err(FailureCode::UnsupportedKind))]);
}

#[tokio::test]
async fn archives_in_archives_of_any_kind() {
    let innermost = zip(&[("deep.txt", LETTER.as_bytes())], SimpleFileOptions::default());
    let third = tar(&[("c.zip", &innermost)]);
    let second = gzip(&third);
    let outer = seven_zip(&[("b.tar.gz", &second), ("beside.txt", b"words")]);
    let (whole, items) = unpack(&outer, "a.7z", &ArchiveLimits::default()).await;
    assert_eq!(whole, Ok(()));
    let deep = "a.7z!/b.tar.gz!/c.zip!/deep.txt";
    same(items, &[("a.7z!/beside.txt", Ok(b"words")), (deep, Ok(LETTER.as_bytes()))]);

    let (whole, items) = unpack(&outer, "a.7z", &ArchiveLimits { depth: 2, ..ArchiveLimits::default() }).await;
    assert_eq!(whole, Ok(()));
    let refused = ("a.7z!/b.tar.gz!/c.zip", Err(FailureCode::ArchiveTooDeep));
    same(items, &[("a.7z!/beside.txt", Ok(b"words")), refused]);
}

#[tokio::test]
async fn what_points_outside_or_is_no_file_is_refused_alone() {
    let mut builder = tar::Builder::new(tar(&[("../../tmp/evil.txt", b"evil"), ("good.txt", b"good")]));
    let mut plain = builder.get_ref().clone();
    plain.truncate(plain.len() - 1024);
    builder = tar::Builder::new(plain);
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "passwd", "/etc/passwd").expect("memory");
    let (whole, items) = unpack(&builder.into_inner().expect("memory"), "a.tar", &ArchiveLimits::default()).await;
    assert_eq!(whole, Ok(()));
    let unsafe_entry = Err(FailureCode::UnsafeEntry);
    same(
        items,
        &[
            ("a.tar!/../../tmp/evil.txt", unsafe_entry),
            ("a.tar!/good.txt", Ok(b"good")),
            ("a.tar!/passwd", unsafe_entry),
        ],
    );
}

#[tokio::test]
async fn limits_count_what_really_comes_out() {
    let zeros = vec![0; 3 << 20];
    let check = async |archive: &[u8], name: &str, limits: ArchiveLimits, code: FailureCode| {
        let (whole, items) = unpack(archive, name, &limits).await;
        let mut codes: Vec<_> = whole.err().map(|failure| failure.code).into_iter().collect();
        codes.extend(items.into_iter().filter_map(|item| item.1.err()));
        assert_eq!(codes, [code], "{name}");
    };
    let limits = ArchiveLimits::default;
    let of = |files: &[(&str, &[u8])]| gzip(&tar(files));
    check(&gzip(&zeros), "a.gz", limits(), FailureCode::ArchiveRatio).await;
    check(&of(&[("zeros", &zeros)]), "a.tgz", limits(), FailureCode::ArchiveRatio).await;
    check(&seven_zip(&[("zeros", &zeros)]), "a.7z", limits(), FailureCode::ArchiveRatio).await;
    let small = ArchiveLimits { bytes: 1 << 20, ..limits() };
    check(&tar(&[("zeros", &zeros)]), "a.tar", small, FailureCode::ArchiveTooLarge).await;
    let few = ArchiveLimits { entries: 2, ..limits() };
    let three: Vec<(&str, &[u8])> = vec![("a", b"1"), ("b", b"2"), ("c", b"3")];
    check(&of(&three), "a.tgz", few.clone(), FailureCode::ArchiveTooManyEntries).await;
    check(&seven_zip(&three), "a.7z", few, FailureCode::ArchiveTooManyEntries).await;
    let mut cut = of(&[("zeros", &zeros[..4096])]);
    cut.truncate(cut.len() / 2);
    let (whole, _) = unpack(&cut, "a.tgz", &limits()).await;
    assert_eq!(whole.expect_err("cut off").code, FailureCode::CorruptFile);
    let mut broken = seven_zip(&three);
    broken.truncate(40);
    check(&broken, "a.7z", limits(), FailureCode::CorruptFile).await;
}

#[tokio::test]
async fn attachments_come_out_of_letters_and_logos_do_not() {
    let inner = String::from_utf8(mail(&[(
        "Content-Type: text/plain\nContent-Disposition: attachment; filename=note.txt",
        LETTER,
    )]));
    let letter = mail(&[
        ("Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"../invoice.pdf\"", "not really"),
        ("Content-Type: image/png\nContent-ID: <logo>\nContent-Disposition: inline; filename=logo.png", "PNG"),
        ("Content-Type: application/pkcs7-signature; name=smime.p7s", "x"),
        (
            "Content-Type: message/rfc822",
            &inner.expect("text").replace("boundary=x", "boundary=y").replace("--x", "--y"),
        ),
    ]);
    let (whole, items) = unpack(&letter, "mail.eml", &ArchiveLimits::default()).await;
    assert_eq!(whole, Ok(()));
    let paths: Vec<&str> = items.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["mail.eml!/invoice.pdf", "mail.eml!/s.eml", "mail.eml!/s.eml!/note.txt"]);
    assert_eq!(items[0].1.as_deref(), Ok(b"not really".as_slice()));
    assert_eq!(items[2].1.as_deref(), Ok(LETTER.as_bytes()));

    let nothing = unpack(b"From: a@b.c\nSubject: s\n\nHello", "mail.eml", &ArchiveLimits::default()).await;
    assert_eq!(nothing, (Ok(()), Vec::new()));
}

#[tokio::test]
async fn mails_come_out_of_a_mailbox_and_attachments_out_of_them() {
    let mark = |day: u32| format!("From ann@example.org Tue Apr {day} 12:00:00 2014\n");
    let first = String::from_utf8(mail(&[("Content-Disposition: attachment; filename=a.txt", LETTER)])).expect("text");
    let second = "From: b@c.d\nSubject: Re: nets\n\nquoted:\n>From here\n";
    let mailbox = format!("{}{first}\n{}{second}", mark(29), mark(30));
    let (result, mut items) = unpack(mailbox.as_bytes(), "2014.mbox", &ArchiveLimits::default()).await;
    assert_eq!(result, Ok(()));
    items.sort_by(|one, other| one.0.cmp(&other.0));
    let (first, second) = (format!("{first}\n"), second.replace(">From", "From"));
    same(
        items,
        &[
            ("2014.mbox!/0001 s.eml", Ok(first.as_bytes())),
            ("2014.mbox!/0001 s.eml!/a.txt", Ok(LETTER.as_bytes())),
            ("2014.mbox!/0002 Re: nets.eml", Ok(second.as_bytes())),
        ],
    );
    let few = ArchiveLimits { entries: 1, ..ArchiveLimits::default() };
    let (result, _) = unpack(mailbox.as_bytes(), "2014.mbox", &few).await;
    assert_eq!(result.expect_err("two mails").code, FailureCode::ArchiveTooManyEntries);
    let (result, items) = unpack(&gzip(mailbox.as_bytes()), "2014.txt.gz", &ArchiveLimits::default()).await;
    assert!(result.is_ok() && items.len() == 3, "{items:?}");
}

#[tokio::test]
async fn an_attached_text_that_does_not_say_its_charset_keeps_its_letters() {
    let text = "Die Hasen klagten einst über ihre mißliche Lage: „Wir leben“, sprach ein Redner";
    let letter = String::from_utf8(mail(&[("Content-Disposition: attachment; filename=a.txt", text)])).expect("text");
    let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(&letter);
    let (result, items) = unpack(&bytes, "a.eml", &ArchiveLimits::default()).await;
    assert_eq!(result, Ok(()));
    same(items, &[("a.eml!/a.txt", Ok(text.as_bytes()))]);
}

#[tokio::test]
async fn attachments_come_out_of_outlook_messages() {
    let mut message = CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    let mut write = |path: &str, bytes: &[u8]| {
        message.create_stream(path).and_then(|mut stream| stream.write_all(bytes)).expect("memory");
    };
    write("/__properties_version1.0", &[0; 32]);
    write("/__substg1.0_001A001F", &"IPM.Note".encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>());
    message.create_storage("/__attach_version1.0_#00000000").expect("memory");
    let name: Vec<u8> = "report.txt".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (property, bytes) in [("3707001F", name.as_slice()), ("37010102", LETTER.as_bytes())] {
        let path = format!("/__attach_version1.0_#00000000/__substg1.0_{property}");
        message.create_stream(path).and_then(|mut stream| stream.write_all(bytes)).expect("memory");
    }
    // A message in the message, with its head of 24 bytes, and an attachment of its own.
    let item = "/__attach_version1.0_#00000001/__substg1.0_3701000D";
    let inner = format!("{item}/__attach_version1.0_#00000000");
    message.create_storage_all(&inner).expect("memory");
    for (path, bytes) in [
        ("/__attach_version1.0_#00000001/__substg1.0_3001001E".to_owned(), &b"Fwd: caf\xe9"[..]),
        (format!("{item}/__properties_version1.0"), &[0; 24]),
        (format!("{item}/__substg1.0_0037001E"), b"Minutes"),
        (format!("{inner}/__substg1.0_3704001E"), b"inner.txt"),
        (format!("{inner}/__substg1.0_37010102"), LETTER.as_bytes()),
    ] {
        message.create_stream(path).and_then(|mut stream| stream.write_all(bytes)).expect("memory");
    }
    let bytes = message.into_inner().into_inner();
    let (whole, mut items) = unpack(&bytes, "a.msg", &ArchiveLimits::default()).await;
    assert_eq!(whole, Ok(()));
    let (name, item) = items.remove(1);
    assert_eq!(name, "a.msg!/Fwd: café.msg");
    let mut item = CompoundFile::open(Cursor::new(item.expect("a message"))).expect("a compound file");
    let mut stream = |path| {
        let mut bytes = Vec::new();
        item.open_stream(path).and_then(|mut stream| stream.read_to_end(&mut bytes)).expect("it is there");
        bytes
    };
    assert_eq!(stream("/__properties_version1.0"), [0; 32]);
    assert_eq!(stream("/__substg1.0_0037001E"), b"Minutes");
    same(
        items,
        &[("a.msg!/report.txt", Ok(LETTER.as_bytes())), ("a.msg!/Fwd: café.msg!/inner.txt", Ok(LETTER.as_bytes()))],
    );
}

/// What a receiver that went away costs: nothing that hangs.
#[tokio::test]
async fn a_walk_ends_when_nobody_listens() {
    let pool = pool();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.tar");
    std::fs::write(&path, tar(&[("a", b"1"), ("b", b"2")])).expect("room");
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let file = File::open(&path).expect("there");
    let ended = pool.unpack(file, "a.tar", &ArchiveLimits::default(), &Passwords::default(), &sender).await;
    assert_eq!(ended.expect_err("nobody listens").code, FailureCode::Cancelled);
}
