//! What mutation starts from: the fixtures, and small files of our own with what their kinds are made of.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use cfb::CompoundFile;
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{ImageFormat, Rgb, RgbImage};
use zip::write::SimpleFileOptions;

/// A file to begin with, and what it is called.
pub struct Seed {
    pub name: String,
    pub bytes: Vec<u8>,
}

fn seed(name: &str, bytes: impl Into<Vec<u8>>) -> Seed {
    Seed { name: name.to_owned(), bytes: bytes.into() }
}

/// The fixtures with one of these suffixes.
fn fixtures(suffixes: &[&str]) -> Vec<Seed> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pile")];
    let mut seeds = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("the fixtures are there").flatten().map(|entry| entry.path()) {
            let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
            if path.is_dir() {
                folders.push(path);
            } else if suffixes.contains(&suffix) {
                seeds.push(seed(&format!("a.{suffix}"), fs::read(&path).expect("readable")));
            }
        }
    }
    seeds.sort_by(|a, b| a.bytes.cmp(&b.bytes));
    seeds
}

pub fn plain() -> Vec<Seed> {
    let mut seeds = fixtures(&["txt", "md"]);
    seeds.push(seed("a.txt", "\u{feff}Grüße, 東京, مرحبا \u{202e}txt.exe\r\nA\u{300}\0"));
    seeds.push(seed(
        "a.md",
        "# Title\n\n* a\n  * b\n\n```rust\nfn main() {}\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n[x](y)",
    ));
    seeds.push(seed(
        "a.1",
        ".\\\" x\n.TH A 1 \"b \"\"c\"\n.SH N\na \\- \\fBb\\fP \\(bu\\[u00e9]\\*(lq\n.TS\nl l.\na\tb\n.TE\n.if n \\{\n.\\}\n.de X\n..",
    ));
    seeds
}

pub fn tables() -> Vec<Seed> {
    let mut seeds = fixtures(&["csv"]);
    seeds.push(seed("a.csv", "a;b\n\"x\"\"y\";2\n\n;\n"));
    seeds.push(seed("a.tsv", "a\tb\n1\t2\n"));
    seeds
}

pub fn json() -> Vec<Seed> {
    let mut seeds = fixtures(&["json"]);
    seeds.push(seed("a.jsonl", "{\"a\": [1, 2.5e3, null]}\n{\"b\": \"\\ud83d\\ude00\"}\n"));
    seeds.push(seed(
        "a.ipynb",
        r##"{"cells": [{"cell_type": "markdown", "source": ["# T\n", "x"]}, {"cell_type": "code", "source": "1", "outputs": []}], "metadata": {}, "nbformat": 4}"##,
    ));
    seeds
}

pub fn xml() -> Vec<Seed> {
    vec![
        seed(
            "a.xml",
            "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE a [<!ENTITY e 'x'>]><a b='c'>t&e;&#65;<![CDATA[<d>]]></a>",
        ),
        seed(
            "a.svg",
            "<svg xmlns='http://www.w3.org/2000/svg'><title>T</title><text x='1'>words<tspan>more</tspan></text></svg>",
        ),
    ]
}

pub fn html() -> Vec<Seed> {
    let mut seeds = fixtures(&["html"]);
    seeds.push(seed(
        "a.html",
        "<!doctype html><meta charset=utf-8><title>T</title><table><tr><td>1<td>2</table><pre> x </pre><script>1</script><ul><li>a",
    ));
    seeds
}

pub fn mail() -> Vec<Seed> {
    let mut seeds = fixtures(&["eml"]);
    seeds.push(seed(
        "a.eml",
        "From: =?utf-8?Q?Caf=C3=A9?= <a@b.c>\nSubject: s\nDate: Mon, 1 Jan 2024 00:00:00 +0000\nMIME-Version: 1.0\n\
         Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/html; charset=iso-8859-1\n\
         Content-Transfer-Encoding: quoted-printable\n\n<p>Gr=FC=DFe\n--x\nContent-Type: application/pdf; name=a.pdf\n\
         Content-Transfer-Encoding: base64\n\nJVBERi0xLjQ=\n--x\nContent-Type: message/rfc822\n\nFrom: d@e.f\nSubject: in\n\nbody\n--x--\n",
    ));
    seeds.push(seed(
        "a.mbox",
        "From a@b.c Tue Apr 29 12:00:00 2014\nFrom: a@b.c\nSubject: one\n\nbody\n>From here\n\n\
         From - Wed Apr 30 12:00:00 2014\nFrom: d@e.f\nSubject: two\n\nbody\n",
    ));
    seeds
}

pub fn word() -> Vec<Seed> {
    let document = "<w:document xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'><w:body>\
        <w:p><w:pPr><w:pStyle w:val='H1'/><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr>\
        <w:r><w:t xml:space='preserve'>Heading </w:t><w:tab/><w:br/></w:r></w:p>\
        <w:tbl><w:tr><w:tc><w:p><w:r><w:t>cell</w:t></w:r></w:p></w:tc></w:tr></w:tbl>\
        <w:p><w:fldSimple w:instr='PAGE'><w:r><w:t>1</w:t></w:r></w:fldSimple></w:p></w:body></w:document>";
    let styles = "<w:styles xmlns:w='x'><w:style w:type='paragraph' w:styleId='H1'><w:name w:val='heading 1'/>\
        <w:basedOn w:val='H1'/><w:pPr><w:outlineLvl w:val='0'/></w:pPr></w:style></w:styles>";
    let numbering = "<w:numbering xmlns:w='x'><w:abstractNum w:abstractNumId='0'><w:lvl w:ilvl='0'><w:start w:val='3'/>\
        <w:numFmt w:val='lowerRoman'/><w:lvlText w:val='%1.'/></w:lvl></w:abstractNum>\
        <w:num w:numId='1'><w:abstractNumId w:val='0'/></w:num></w:numbering>";
    let types = "<Types><Override PartName='/word/document.xml' \
        ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>";
    vec![seed(
        "a.docx",
        packed(&[
            ("[Content_Types].xml", types.as_bytes()),
            ("word/document.xml", document.as_bytes()),
            ("word/styles.xml", styles.as_bytes()),
            ("word/numbering.xml", numbering.as_bytes()),
        ]),
    )]
}

pub fn pdf() -> Vec<Seed> {
    let page = "BT /F 12 Tf 72 700 Td (The harbour was widened.) Tj ET";
    let pdf = format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>\
         /Annots[<</Type/Annot/Subtype/FreeText/Rect[0 0 9 9]/Contents(note)>>]>>endobj\n\
         4 0 obj<</Length {}>>stream\n{page}\nendstream endobj\n\
         5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R/Info<</Title(T)>>>>\n%%EOF",
        page.len()
    );
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/pages/quotes.pdf");
    vec![seed("a.pdf", pdf), seed("b.pdf", fs::read(pages).expect("the fixtures are there"))]
}

const FILES: &[(&str, &[u8])] =
    &[("a/one.txt", b"one and one and one"), ("two.txt", b"two"), ("three.csv", b"a,b\n1,2\n")];

fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("memory");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).expect("memory");
    gzip.finish().expect("memory")
}

pub fn images() -> Vec<Seed> {
    let picture = RgbImage::from_fn(13, 7, |x, y| Rgb([(x * 19) as u8, (y * 31) as u8, (x * y) as u8]));
    let formats = [
        ("a.png", ImageFormat::Png),
        ("a.jpg", ImageFormat::Jpeg),
        ("a.tif", ImageFormat::Tiff),
        ("a.webp", ImageFormat::WebP),
        ("a.bmp", ImageFormat::Bmp),
        ("a.gif", ImageFormat::Gif),
    ];
    let encoded = formats.map(|(name, format)| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).expect("memory");
        seed(name, bytes.into_inner())
    });
    encoded.into()
}

pub fn zip() -> Vec<Seed> {
    let method = |method| {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file("a.txt", SimpleFileOptions::default().compression_method(method)).expect("memory");
        zip.write_all(&b"again and again ".repeat(50)).expect("memory");
        zip.finish().expect("memory").into_inner()
    };
    vec![
        seed("a.zip", packed(FILES)),
        seed("a.zip", packed(&[("in.zip", &packed(FILES)), ("in.tar", &tarred()), ("a.eml", &mail()[0].bytes)])),
        seed("a.zip", method(zip::CompressionMethod::Bzip2)),
        seed("a.zip", method(zip::CompressionMethod::Xz)),
    ]
}

fn tarred() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, bytes) in FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, *bytes).expect("memory");
    }
    let mut header = tar::Header::new_gnu();
    header.set_size(1);
    tar.append_data(&mut header, "long/".repeat(60), b"x".as_slice()).expect("memory");
    tar.into_inner().expect("memory")
}

pub fn tar() -> Vec<Seed> {
    let tar = tarred();
    vec![seed("a.tgz", gzip(&tar)), seed("a.txt.gz", gzip(b"words and words")), seed("a.tar", tar)]
}

pub fn seven_zip() -> Vec<Seed> {
    let mut archive = sevenz_rust2::ArchiveWriter::new(Cursor::new(Vec::new())).expect("memory");
    for (name, bytes) in FILES {
        archive.push_archive_entry(sevenz_rust2::ArchiveEntry::new_file(name), Some(*bytes)).expect("memory");
    }
    vec![seed("a.7z", archive.finish().expect("memory").into_inner())]
}

pub fn outlook() -> Vec<Seed> {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let mut message = CompoundFile::create(Cursor::new(Vec::new())).expect("memory");
    message.create_storage("/__attach_version1.0_#00000000").expect("memory");
    for (path, bytes) in [
        ("/__properties_version1.0", vec![0; 32]),
        ("/__substg1.0_0037001F", utf16("Subject")),
        ("/__substg1.0_1000001F", utf16("The body")),
        ("/__attach_version1.0_#00000000/__substg1.0_3707001F", utf16("report.txt")),
        ("/__attach_version1.0_#00000000/__substg1.0_37010102", b"words".to_vec()),
    ] {
        message.create_stream(path).and_then(|mut stream| stream.write_all(&bytes)).expect("memory");
    }
    vec![seed("a.msg", message.into_inner().into_inner())]
}
