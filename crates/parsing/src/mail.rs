//! What the two readers of mail, that of its text and that of its attachments, share: mail-parser, held so that a malformed
//! mail costs nobody else, and the letters that it would lose.

use std::borrow::Cow;
use std::panic::catch_unwind;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{Encoding, Message, MessageParser, MessagePart, MimeHeaders};

use crate::charset;

/// What mail-parser makes of these bytes.
pub enum Parsed<'a> {
    Mail(Message<'a>),
    /// It has nothing of a mail.
    Nothing,
    /// The parser gave up with a panic: its sums overflow on some malformed mails.
    Malformed,
}

/// Parses a mail with all its parts.
pub fn parse(bytes: &[u8]) -> Parsed<'_> {
    match catch_unwind(|| MessageParser::default().parse(bytes)) {
        Ok(Some(message)) => Parsed::Mail(message),
        Ok(None) => Parsed::Nothing,
        Err(_) => Parsed::Malformed,
    }
}

/// The subject of a mail that begins with `header`.
pub fn subject(header: &[u8]) -> Option<String> {
    let parsed = catch_unwind(|| MessageParser::default().parse_headers(header)).ok().flatten()?;
    parsed.subject().map(str::to_owned)
}

/// The text of a part, `read` by mail-parser. It takes what says nothing of its charset, or a wrong one, for UTF-8; what does
/// not fit is lost, unless it is read again.
pub fn decoded<'a>(mail: &[u8], part: &MessagePart<'_>, read: &'a str) -> Cow<'a, str> {
    if !read.contains(char::REPLACEMENT_CHARACTER) {
        return Cow::Borrowed(read);
    }
    let raw = mail.get(part.offset_body as usize..part.offset_end as usize).unwrap_or_default();
    let bytes = match part.encoding {
        Encoding::None => Some(raw.to_vec()),
        Encoding::QuotedPrintable => quoted_printable_decode(raw),
        Encoding::Base64 => base64_decode(raw),
    };
    let said = part.content_type().and_then(|kind| kind.attribute("charset")).map(str::to_ascii_lowercase);
    let label = said.as_deref().filter(|said| !matches!(*said, "us-ascii" | "ascii")).map(str::as_bytes);
    let again = bytes.as_deref().map(|bytes| charset::decode(bytes, label));
    match again {
        Some(again) if !again.replaced => Cow::Owned(again.text.into_owned()),
        Some(_) | None => Cow::Borrowed(read),
    }
}

/// The fields of a header that people read, by name, and the body, both as they stand there: for mails that cannot be parsed.
pub fn as_it_is(mail: &str) -> (Vec<(&'static str, String)>, &str) {
    const FIELDS: [&str; 5] = ["Subject", "From", "To", "Cc", "Date"];
    let end = ["\r\n\r\n", "\n\n"].iter().filter_map(|end| Some((mail.find(end)?, end.len()))).min();
    let (header, body) = end.map_or((mail, ""), |(at, length)| (&mail[..at], &mail[at + length..]));
    let mut fields: Vec<(&'static str, String)> = Vec::new();
    let mut open = false;
    for line in header.lines() {
        if line.starts_with([' ', '\t']) {
            if let (true, Some((_, value))) = (open, fields.last_mut()) {
                value.push(' ');
                value.push_str(line.trim());
            }
            continue;
        }
        let known = line.split_once(':').and_then(|(name, value)| {
            let field = FIELDS.into_iter().find(|field| name.trim().eq_ignore_ascii_case(field))?;
            Some((field, value.trim().to_owned()))
        });
        open = known.is_some();
        fields.extend(known);
    }
    fields.sort_by_key(|(name, _)| FIELDS.iter().position(|field| field == name));
    (fields, body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_mail_can_be_read_as_it_stands() {
        let mail = "Received: x\r\n by y\r\nFROM: Ann <a@b.c>\r\nSubject: the\r\n\tharbour\r\n\r\nWords\r\n\r\nmore";
        let (fields, body) = as_it_is(mail);
        assert_eq!(fields, [("Subject", "the harbour".to_owned()), ("From", "Ann <a@b.c>".to_owned())]);
        assert_eq!(body, "Words\r\n\r\nmore");
        assert_eq!(as_it_is("Date: today"), (vec![("Date", "today".to_owned())], ""));
    }
}
