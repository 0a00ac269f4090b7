//! E-books (EPUB 2 and 3): a page for each chapter, in the order of the spine, read as HTML.

use std::collections::HashMap;

use quick_xml::events::BytesStart;
use sheaf_domain::{DocumentMetadata, Failure};

use crate::formats::package::{Package, join};
use crate::formats::xml::{Visitor, attribute, element, walk};
use crate::formats::{corrupt, html, password};
use crate::output::Output;

/// Ways to disguise embedded fonts, which no password opens and nobody reads.
const FONT_DISGUISES: [&str; 2] = ["http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"];

/// One page for each chapter.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut package = Package::open(bytes, output.limits())?;
    refuse_locked(&mut package)?;
    let depth = output.limits().depth;
    let container = package.part("META-INF/container.xml")?.unwrap_or_default();
    let mut root = Root::default();
    let _ = walk(&container, depth, &mut root);
    // A book without a container may have its list all the same.
    let list = root.0.or_else(|| package.names().find(|name| name.ends_with(".opf")).map(str::to_owned));
    let list = list.ok_or_else(|| corrupt("this e-book does not say what is in it"))?;
    let xml = package.part(&list)?.ok_or_else(|| corrupt("this e-book lacks the list of its chapters"))?;
    let mut book = Book::default();
    walk(&xml, depth, &mut book).map_err(|failure| Failure {
        message: format!("the list of chapters is damaged: {}", failure.message),
        ..failure
    })?;
    output.metadata = DocumentMetadata {
        title: element(&xml, "title"),
        author: element(&xml, "creator"),
        created: element(&xml, "date"),
        producer: None,
    };

    let folder = list.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut found, mut lost) = (0, 0);
    for id in &book.spine {
        let Some(item) = book.items.get(id).filter(|item| item.is_text) else { continue };
        match package.part(&join(folder, &unescaped(&item.href)))? {
            Some(chapter) => {
                found += 1;
                output.page(&html::xml_to_text(&chapter).text)?;
            }
            None => lost += 1,
        }
    }
    if found == 0 {
        return Err(corrupt("this e-book has none of the chapters that it lists"));
    }
    if lost > 0 {
        output.problem(None, format!("{lost} chapters are listed by the e-book and are not in it"));
    }
    Ok(())
}

/// Books of shops are encrypted part by part.
fn refuse_locked(package: &mut Package<'_>) -> Result<(), Failure> {
    let xml = package.part("META-INF/encryption.xml")?.unwrap_or_default();
    let mut locks = Locks(false);
    let _ = walk(&xml, 64, &mut locks);
    if locks.0 {
        return Err(password("this e-book is encrypted")
            .with_hint("It is protected by the shop that sold it. Add a copy without protection."));
    }
    Ok(())
}

struct Locks(bool);

impl Visitor for Locks {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if tag.local_name().as_ref() == "EncryptionMethod" {
            self.0 |= attribute(tag, "Algorithm").is_some_and(|name| !FONT_DISGUISES.contains(&name.as_str()));
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// The name of the part that lists all others.
#[derive(Default)]
struct Root(Option<String>);

impl Visitor for Root {
    fn open(&mut self, tag: &BytesStart<'_>) {
        if tag.local_name().as_ref() == "rootfile" && self.0.is_none() {
            self.0 = attribute(tag, "full-path").map(|path| join("", &path));
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// What is in the book, and the order in which it is read.
#[derive(Default)]
struct Book {
    items: HashMap<String, Item>,
    spine: Vec<String>,
}

struct Item {
    href: String,
    is_text: bool,
}

impl Visitor for Book {
    fn open(&mut self, tag: &BytesStart<'_>) {
        match tag.local_name().as_ref() {
            "item" => {
                if let (Some(id), Some(href)) = (attribute(tag, "id"), attribute(tag, "href")) {
                    let kind = attribute(tag, "media-type").unwrap_or_default();
                    self.items.insert(id, Item { href, is_text: kind.is_empty() || kind.contains("html") });
                }
            }
            "itemref" => self.spine.extend(attribute(tag, "idref")),
            _ => {}
        }
    }

    fn close(&mut self, _name: &str) {}

    fn text(&mut self, _text: &str) {}
}

/// A reference without its fragment, `%20` and the like as what they stand for.
fn unescaped(href: &str) -> String {
    let path = href.split('#').next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            (first, _, _) => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::package::pack;
    use crate::formats::read;

    const MIME: (&str, &str) = ("mimetype", "application/epub+zip");
    const CONTAINER: (&str, &str) =
        ("META-INF/container.xml", "<container><rootfiles><rootfile full-path='OEBPS/b.opf'/></rootfiles></container>");
    const LIST: (&str, &str) = (
        "OEBPS/b.opf",
        "<package><metadata xmlns:dc='d'><dc:title>On ships</dc:title><dc:creator>Ann</dc:creator></metadata><manifest>\
         <item id='one' href='text/one%20a.xhtml' media-type='application/xhtml+xml'/>\
         <item id='two' href='two.xhtml#top' media-type='application/xhtml+xml'/>\
         <item id='pic' href='p.png' media-type='image/png'/></manifest>\
         <spine><itemref idref='two'/><itemref idref='pic'/><itemref idref='one'/></spine></package>",
    );

    #[test]
    fn chapters_are_pages_in_the_order_of_the_spine() {
        let one =
            ("OEBPS/text/one a.xhtml", "<?xml version='1.0'?><html><head><title/><script/></head><p>One</p></html>");
        let two = ("OEBPS/two.xhtml", "<html><body><h1>Two</h1></body></html>");
        let document = read(&pack(&[MIME, CONTAINER, LIST, one, two]), "a").expect("epub");
        let pages: Vec<&str> = document.pages.iter().map(|page| page.text.as_str()).collect();
        assert_eq!(pages, ["# Two", "One"]);
        assert_eq!(document.metadata.title.as_deref(), Some("On ships"));
        let document = read(&pack(&[MIME, CONTAINER, LIST, two]), "a").expect("one chapter");
        assert_eq!((document.pages.len(), document.problems.len()), (1, 1));
    }

    #[test]
    fn books_that_are_refused() {
        #[track_caller]
        fn check(parts: &[(&str, &str)], code: FailureCode) {
            assert_eq!(read(&pack(parts), "a").expect_err("refused").code, code);
        }
        check(&[MIME], FailureCode::CorruptFile);
        check(&[MIME, CONTAINER], FailureCode::CorruptFile);
        check(&[MIME, CONTAINER, LIST], FailureCode::CorruptFile);
        let locks = (
            "META-INF/encryption.xml",
            "<e><EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/></e>",
        );
        check(&[MIME, CONTAINER, LIST, locks], FailureCode::PasswordProtected);
    }
}
