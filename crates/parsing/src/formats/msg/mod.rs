//! Outlook messages ([MS-OXMSG]): the important fields of the head, then the body, as for other mail.

mod properties;
mod rtf;

use sheaf_domain::Failure;

use crate::formats::compound::Compound;
use crate::formats::{corrupt, html, text};
use crate::output::Output;
use properties::Properties;

/// Recipients and attachments that are looked at.
const MOST: usize = 1000;
/// Attachments are named up to this many.
const NAMED: usize = 5;

const SUBJECT: u16 = 0x0037;
const SENT: u16 = 0x0039;
const RECIPIENT_KIND: u16 = 0x0c15;
const SENDER_NAME: u16 = 0x0c1a;
const SENDER_ADDRESS: [u16; 2] = [0x5d01, 0x0c1f];
const SHOWN_CC: u16 = 0x0e03;
const SHOWN_TO: u16 = 0x0e04;
const DELIVERED: u16 = 0x0e06;
const BODY: u16 = 0x1000;
const BODY_RTF: u16 = 0x1009;
const BODY_HTML: u16 = 0x1013;
const NAME: u16 = 0x3001;
const ADDRESS: [u16; 2] = [0x39fe, 0x3003];
const FILE_NAME: [u16; 2] = [0x3707, 0x3704];

/// One page: subject, people and date, an empty line, the body. Plain text is preferred to HTML, and that to RTF.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mut file = Compound::open(bytes, output.limits())?;
    let message = Properties::read(&mut file, "/", None)?
        .ok_or_else(|| corrupt("this Outlook message has lost its properties"))?;
    let subject = message.text(&mut file, SUBJECT)?;
    let from = person(&mut file, &message, SENDER_NAME, SENDER_ADDRESS)?;
    let (to, cc) = recipients(&mut file, &message)?;
    let date = message.time(SENT).or_else(|| message.time(DELIVERED));

    let mut page = String::new();
    let fields = [("Subject", &subject), ("From", &from), ("To", &to), ("Cc", &cc), ("Date", &date)];
    for (field, value) in fields {
        if let Some(value) = value.as_deref().map(str::trim).filter(|value| !value.is_empty()) {
            page.push_str(&format!("{field}: {value}\n"));
        }
    }
    page.push('\n');
    page.push_str(&body(&mut file, &message, output)?);
    list_attachments(&mut file, &message, output)?;
    output.metadata.title = subject;
    output.metadata.author = from;
    output.metadata.created = date;
    output.page(&page)
}

fn body(file: &mut Compound<'_>, message: &Properties, output: &mut Output<'_>) -> Result<String, Failure> {
    let plain = message.text(file, BODY)?.unwrap_or_default();
    if !plain.trim().is_empty() {
        return Ok(plain);
    }
    if let Some(html) = message.text(file, BODY_HTML)? {
        return Ok(html::to_text(&html).text);
    }
    if let Some(bytes) = message.bytes(file, BODY_HTML)? {
        let encoding = message.internet_codepage().map(|encoding| encoding.name().as_bytes());
        return Ok(html::to_text(&text::decode(&bytes, encoding, output)).text);
    }
    match message.bytes(file, BODY_RTF)? {
        Some(bytes) => match rtf::unpack(&bytes, output.limits().text_bytes) {
            Some(rtf) => crate::formats::rtf::to_text(&rtf, output),
            None => {
                output.problem(None, "the body of this message is damaged and could not be read");
                Ok(String::new())
            }
        },
        None => Ok(String::new()),
    }
}

/// `Ann Example <ann@example.org>`.
fn person(
    file: &mut Compound<'_>,
    properties: &Properties,
    name: u16,
    addresses: [u16; 2],
) -> Result<Option<String>, Failure> {
    let name = properties.text(file, name)?.filter(|name| !name.trim().is_empty());
    // An address without `@` is one of Exchange, which says nothing to a reader.
    let address = first(file, properties, addresses)?.filter(|address| address.contains('@'));
    Ok(match (name, address) {
        (Some(name), Some(address)) if name.trim() != address.trim() => Some(format!("{name} <{address}>")),
        (name, address) => name.or(address),
    })
}

fn first(file: &mut Compound<'_>, properties: &Properties, ids: [u16; 2]) -> Result<Option<String>, Failure> {
    for id in ids {
        if let Some(text) = properties.text(file, id)?.filter(|text| !text.trim().is_empty()) {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

/// To whom it went, and who got a copy.
fn recipients(file: &mut Compound<'_>, message: &Properties) -> Result<(Option<String>, Option<String>), Failure> {
    let (mut to, mut cc) = (Vec::new(), Vec::new());
    for storage in file.storages("/", "__recip_version1.0_").into_iter().take(MOST) {
        let Some(recipient) = Properties::read(file, &storage, Some(message))? else { continue };
        let Some(person) = person(file, &recipient, NAME, ADDRESS)? else { continue };
        match recipient.number(RECIPIENT_KIND) {
            Some(2) => cc.push(person),
            // A copy of which the others do not know.
            Some(3) => {}
            Some(_) | None => to.push(person),
        }
    }
    let mut shown = |people: Vec<String>, id| {
        if people.is_empty() { message.text(file, id) } else { Ok(Some(people.join(", "))) }
    };
    Ok((shown(to, SHOWN_TO)?, shown(cc, SHOWN_CC)?))
}

fn list_attachments(file: &mut Compound<'_>, message: &Properties, output: &mut Output<'_>) -> Result<(), Failure> {
    let storages = file.storages("/", "__attach_version1.0_");
    let count = storages.len();
    if count == 0 {
        return Ok(());
    }
    let mut names = Vec::new();
    for storage in storages.into_iter().take(NAMED) {
        let name = match Properties::read(file, &storage, Some(message))? {
            Some(attachment) => first(file, &attachment, FILE_NAME)?,
            None => None,
        };
        names.push(name.unwrap_or_else(|| "without a name".to_owned()).chars().take(100).collect());
    }
    if count > NAMED {
        names.push("…".to_owned());
    }
    let attachments = if count == 1 { "1 attachment was".to_owned() } else { format!("{count} attachments were") };
    output.problem(None, format!("{attachments} not read: {}", names.join(", ")));
    Ok(())
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::compound::pack;
    use crate::formats::read;

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// The properties that have a number or a time, after a head of so many bytes.
    fn fixed(head: usize, entries: &[(u32, u64)]) -> Vec<u8> {
        let mut bytes = vec![0; head];
        for (tag, value) in entries {
            bytes.extend(tag.to_le_bytes());
            bytes.extend([0; 4]);
            bytes.extend(value.to_le_bytes());
        }
        bytes
    }

    #[test]
    fn head_and_body() {
        let properties = fixed(32, &[(0x0039_0040, 133_495_236_000_000_000)]);
        let recipient = fixed(8, &[(0x0c15_0003, 1)]);
        let bytes = pack(&[
            ("/__properties_version1.0", &properties),
            ("/__substg1.0_0037001F", &wide("Café")),
            ("/__substg1.0_0C1A001F", &wide("Ann")),
            ("/__substg1.0_0C1F001F", &wide("ann@example.org")),
            ("/__substg1.0_1000001F", &wide("Hello\r\nthere")),
            ("/__recip_version1.0_#00000000/__properties_version1.0", &recipient),
            ("/__recip_version1.0_#00000000/__substg1.0_3001001F", &wide("Bob")),
            ("/__attach_version1.0_#00000000/__properties_version1.0", &fixed(8, &[])),
            ("/__attach_version1.0_#00000000/__substg1.0_3707001F", &wide("a.pdf")),
        ]);
        let document = read(&bytes, "a").expect("msg");
        let head = "Subject: Café\nFrom: Ann <ann@example.org>\nTo: Bob\nDate: 2024-01-12T09:00:00Z";
        assert_eq!(document.text(), format!("{head}\n\nHello\nthere"));
        assert_eq!(document.problems[0].message, "1 attachment was not read: a.pdf");
        assert_eq!(document.metadata.title.as_deref(), Some("Café"));
    }

    #[test]
    fn other_bodies() {
        #[track_caller]
        fn check(name: &str, body: &[u8], expect: &str) {
            let properties = fixed(32, &[(0x3ffd_0003, 1251)]);
            let bytes = pack(&[("/__properties_version1.0", &properties), (&format!("/__substg1.0_{name}"), body)]);
            assert_eq!(read(&bytes, "a").expect("msg").text(), expect);
        }
        check("1000001E", b"\xcf\xf0\xe8\xe2\xe5\xf2", "Привет");
        check("10130102", b"<p>One<p>Two", "One\n\nTwo");
        let rtf = [&b"\x1b\0\0\0\x0d\0\0\0MELA\0\0\0\0"[..], b"{\\rtf1 plain}"].concat();
        check("10090102", &rtf, "plain");
    }

    #[test]
    fn a_message_without_anything_is_empty() {
        let bytes = pack(&[("/__properties_version1.0", &[0; 32])]);
        assert_eq!(read(&bytes, "a").expect_err("empty").code, FailureCode::NoText);
    }
}
