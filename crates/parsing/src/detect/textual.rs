//! Kinds that are plain text: told by how they begin, then by their name.

use serde::de::IgnoredAny;
use serde_json::Deserializer;
use sheaf_domain::DocumentKind;

use super::suffix;
use crate::charset;
use crate::formats::is_man;

/// Header fields of which a mail has at least two, one of the first kind.
const MAIL_FIELDS: &[&str] =
    &["from", "subject", "date", "to", "message-id", "received", "return-path", "mime-version"];

/// Whether these bytes can be text: at most one in fifty, or two, is a control character that text does not have.
pub fn is_text(head: &[u8]) -> bool {
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return true;
    }
    let text = charset::decode(head, None).text;
    let (mut strange, mut all) = (0_usize, 0_usize);
    for character in text.chars() {
        all += 1;
        // Old programs part sections with U+001C to U+001F and DEL: the info files of GNU, mail folders, exports.
        let usual = matches!(character, '\u{8}'..='\r' | '\u{1a}'..='\u{1f}' | '\u{7f}' | '\u{85}');
        strange += usize::from((character.is_control() && !usual) || character == '\u{fffd}');
    }
    strange <= (all / 50).max(2)
}

/// The kind of a file that is text and begins with `head`.
pub fn kind(head: &[u8], name: &str) -> DocumentKind {
    let text = charset::decode(head, None).text;
    let start = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if let Some(kind) = markup(start) {
        return kind;
    }
    if let Some(kind) = promise(&suffix(name)) {
        return kind;
    }
    if is_man(start) {
        return DocumentKind::Man;
    }
    match suffix(name).as_str() {
        "html" | "htm" | "xhtml" | "shtml" => DocumentKind::Html,
        "md" | "markdown" | "mdown" | "mkd" => DocumentKind::Markdown,
        "csv" => DocumentKind::Csv,
        "tsv" | "tab" => DocumentKind::Tsv,
        "json" | "geojson" => DocumentKind::Json,
        "jsonl" | "ndjson" => DocumentKind::Jsonl,
        "ipynb" => DocumentKind::Notebook,
        "eml" => DocumentKind::Email,
        "xml" => DocumentKind::Xml,
        _ if start.starts_with(['{', '[']) => json(start).unwrap_or(DocumentKind::Text),
        _ if is_mail(start) => DocumentKind::Email,
        _ => DocumentKind::Text,
    }
}

/// Suffixes of kinds that are never plain text; words with such a name are a damaged document. Word, Excel and others do
/// open text that is called `.doc` or `.xls`.
const PROMISES: &[(&str, DocumentKind)] = &[
    ("pdf", DocumentKind::Pdf),
    ("docx", DocumentKind::Docx),
    ("docm", DocumentKind::Docx),
    ("xlsx", DocumentKind::Xlsx),
    ("xlsm", DocumentKind::Xlsx),
    ("pptx", DocumentKind::Pptx),
    ("pptm", DocumentKind::Pptx),
    ("odt", DocumentKind::Odt),
    ("ods", DocumentKind::Ods),
    ("odp", DocumentKind::Odp),
    ("epub", DocumentKind::Epub),
    ("png", DocumentKind::Png),
    ("jpg", DocumentKind::Jpeg),
    ("jpeg", DocumentKind::Jpeg),
    ("tif", DocumentKind::Tiff),
    ("tiff", DocumentKind::Tiff),
    ("webp", DocumentKind::Webp),
    ("bmp", DocumentKind::Bmp),
    ("gif", DocumentKind::Gif),
];

fn promise(suffix: &str) -> Option<DocumentKind> {
    PROMISES.iter().find(|row| row.0 == suffix).map(|row| row.1)
}

/// Whether files of this kind are never plain text.
pub fn is_promise(kind: DocumentKind) -> bool {
    PROMISES.iter().any(|row| row.1 == kind)
}

/// HTML, SVG and XML by their first tag.
fn markup(start: &str) -> Option<DocumentKind> {
    let mut rest = start;
    let is_xml = rest.starts_with("<?xml");
    // Declarations, comments and the doctype come before the root.
    while let Some(inner) = rest.strip_prefix('<') {
        let end = match inner.get(..3) {
            Some("!--") => inner.find("-->").map(|end| end + 3),
            _ if inner.starts_with('?') => inner.find("?>").map(|end| end + 2),
            _ if inner.get(..8).is_some_and(|tag| tag.eq_ignore_ascii_case("!doctype")) => {
                let kind = inner[8..].trim_start();
                if kind.get(..4).is_some_and(|root| root.eq_ignore_ascii_case("html")) {
                    return Some(DocumentKind::Html);
                }
                if kind.starts_with("svg") {
                    return Some(DocumentKind::Svg);
                }
                // An internal subset has tags of its own.
                let close = if inner.find('[') < inner.find('>') { "]>" } else { ">" };
                inner.find(close).map(|end| end + close.len())
            }
            _ => break,
        };
        let Some(end) = end else { break };
        rest = inner[end..].trim_start();
    }
    let root = rest.strip_prefix('<')?;
    let length = root.find(|c: char| !c.is_alphanumeric() && !matches!(c, ':' | '-' | '_')).unwrap_or(root.len());
    match root[..length].to_ascii_lowercase().as_str() {
        "html" | "head" | "body" => Some(DocumentKind::Html),
        "svg" => Some(DocumentKind::Svg),
        "office:document" => Some(open_document(root)),
        _ if is_xml => Some(DocumentKind::Xml),
        _ => None,
    }
}

/// A flat OpenDocument file, by the type that its root names.
fn open_document(root: &str) -> DocumentKind {
    let tag = root.split_once('>').map_or(root, |(tag, _)| tag);
    match tag.split_once("vnd.oasis.opendocument.") {
        Some((_, kind)) if kind.starts_with("text") => DocumentKind::Odt,
        Some((_, kind)) if kind.starts_with("spreadsheet") => DocumentKind::Ods,
        Some((_, kind)) if kind.starts_with("presentation") || kind.starts_with("graphics") => DocumentKind::Odp,
        Some(_) | None => DocumentKind::Xml,
    }
}

/// JSON if the first value is whole, or if the head ends within it; JSON lines if there is another on the next line.
fn json(start: &str) -> Option<DocumentKind> {
    let mut values = Deserializer::from_str(start).into_iter::<IgnoredAny>();
    match values.next()? {
        Ok(_) => {
            let rest = &start[values.byte_offset()..];
            match rest.trim_start() {
                "" => Some(DocumentKind::Json),
                more if rest.starts_with(['\n', '\r']) && more.starts_with('{') => Some(DocumentKind::Jsonl),
                _ => None,
            }
        }
        Err(error) if error.is_eof() && start.len() > 1024 => Some(DocumentKind::Json),
        Err(_) => None,
    }
}

/// Whether the text begins like a mail: lines of `Name: value`, at least two of them well known.
fn is_mail(start: &str) -> bool {
    let mut known = 0;
    for line in start.lines().take(60) {
        if line.is_empty() {
            break;
        }
        if line.starts_with([' ', '\t', '>']) || line.starts_with("From ") {
            continue;
        }
        let Some((field, _)) = line.split_once(':') else { return false };
        if !field.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return false;
        }
        known += usize::from(MAIL_FIELDS.iter().any(|known| field.eq_ignore_ascii_case(known)));
    }
    known >= 2
}
