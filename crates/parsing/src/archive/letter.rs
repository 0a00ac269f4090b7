//! The attachments of a mail, and mails that were attached. What only decorates it is left out: small pictures that the
//! text shows, and signatures.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;

use mail_parser::{Message, MessagePart, MimeHeaders, PartType};

use super::budget::Stop;
use super::damaged;
use super::level::Entries;
use crate::mail::{self, Parsed, decoded};

/// Pictures in the text up to this many bytes are logos.
pub const LOGO: usize = 32 << 10;

pub fn unpack(mut file: File, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|_| Stop::This(damaged()))?;
    let message = match mail::parse(&bytes) {
        Parsed::Mail(message) => message,
        // It is a document, and says so itself.
        Parsed::Nothing | Parsed::Malformed => return Ok(()),
    };
    for (index, part) in message.attachments().enumerate().filter(|(_, part)| !is_decoration(part)) {
        if entries.begin(name(part, index + 1).as_bytes(), None)? {
            let content = match &part.body {
                PartType::Text(text) | PartType::Html(text) => match decoded(&bytes, part, text) {
                    Cow::Borrowed(_) => Cow::Borrowed(content(part)),
                    Cow::Owned(text) => Cow::Owned(text.into_bytes()),
                },
                PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) | PartType::Multipart(_) => {
                    Cow::Borrowed(content(part))
                }
            };
            entries.content(&mut &*content, None)?;
        }
    }
    Ok(())
}

/// The files that a mail brings, decorations left out.
pub fn attachments<'a>(message: &'a Message<'a>) -> impl Iterator<Item = String> + 'a {
    message
        .attachments()
        .enumerate()
        .filter(|(_, part)| !is_decoration(part))
        .map(|(index, part)| name(part, index + 1))
}

fn content<'a>(part: &'a MessagePart<'_>) -> &'a [u8] {
    match &part.body {
        PartType::Text(text) | PartType::Html(text) => text.as_bytes(),
        PartType::Binary(bytes) | PartType::InlineBinary(bytes) => bytes,
        PartType::Message(message) => message.raw_message(),
        PartType::Multipart(_) => &[],
    }
}

/// The name of the file, never with a path: senders' paths mean nothing here.
fn name(part: &MessagePart<'_>, number: usize) -> String {
    let given = part.attachment_name().and_then(|name| name.rsplit(['/', '\\']).next()).unwrap_or_default().trim();
    let message = matches!(part.body, PartType::Message(_));
    match (given, &part.body) {
        ("" | "." | "..", PartType::Message(message)) => {
            let subject = message.subject().unwrap_or_default().replace(['/', '\\'], "-");
            let subject = subject.trim_matches([' ', '.']);
            if subject.is_empty() { format!("message {number}.eml") } else { format!("{subject}.eml") }
        }
        ("" | "." | "..", PartType::Text(_)) => format!("attachment {number}.txt"),
        ("" | "." | "..", PartType::Html(_)) => format!("attachment {number}.html"),
        ("" | "." | "..", _) => format!("attachment {number}"),
        (given, _) if message && !given.to_ascii_lowercase().ends_with(".eml") => format!("{given}.eml"),
        (given, _) => given.to_owned(),
    }
}

fn is_decoration(part: &MessagePart<'_>) -> bool {
    let is = |kind: &str, of: &str| part.is_content_type(kind, of);
    let signature = is("application", "pkcs7-signature")
        || is("application", "x-pkcs7-signature")
        || is("application", "pgp-signature");
    let image = part.content_type().is_some_and(|kind| kind.ctype().eq_ignore_ascii_case("image"));
    let shown = part.content_id().is_some() && !part.content_disposition().is_some_and(|said| said.is_attachment());
    signature || image && shown && content(part).len() <= LOGO
}
