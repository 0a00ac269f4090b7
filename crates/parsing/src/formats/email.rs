//! Mail (RFC 5322 and MIME) by mail-parser: the important header fields, then the body.

use mail_parser::{Address, Message, MimeHeaders, PartType};
use sheaf_domain::Failure;

use crate::archive::attachments;
use crate::charset;
use crate::formats::{corrupt, html};
use crate::mail::{self, Parsed, decoded};
use crate::output::Output;

/// Attachments are named up to this many.
const NAMED: usize = 5;

/// One page: subject, people and date, an empty line, the body. Plain text is preferred to HTML.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let not_mail = || corrupt("this is not a valid e-mail: it has no sender, subject or date");
    let given = match mail::parse(bytes) {
        Parsed::Mail(message) if is_mail(&message) => message,
        Parsed::Mail(_) | Parsed::Nothing => return Err(not_mail()),
        Parsed::Malformed => return as_it_is(bytes, output),
    };
    let mended = has_lost_characters(&given).then(|| with_header_in_utf8(bytes));
    let again = mended.as_deref().and_then(|bytes| match mail::parse(bytes) {
        Parsed::Mail(message) => Some(message),
        Parsed::Nothing | Parsed::Malformed => None,
    });
    let (message, bytes) = match (again, &mended) {
        (Some(again), Some(mended)) => (again, mended.as_slice()),
        _ => (given, bytes),
    };
    let date = message.date().map(mail_parser::DateTime::to_rfc3339);
    let from = message.from().map(people);

    let mut page = String::new();
    let fields = [
        ("Subject", message.subject().map(str::to_owned)),
        ("From", from.clone()),
        ("To", message.to().map(people)),
        ("Cc", message.cc().map(people)),
        ("Date", date.clone()),
    ];
    for (field, value) in fields {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            page.push_str(&format!("{field}: {}\n", value.trim()));
        }
    }
    for body in message.text_bodies() {
        page.push('\n');
        match &body.body {
            PartType::Text(text) => page.push_str(&decoded(bytes, body, text)),
            PartType::Html(text) => page.push_str(&html::to_text(&decoded(bytes, body, text)).text),
            PartType::Binary(_) | PartType::InlineBinary(_) | PartType::Message(_) | PartType::Multipart(_) => {}
        }
        page.push('\n');
    }
    list_attachments(&message, output);
    output.metadata.title = message.subject().map(str::to_owned);
    output.metadata.author = from;
    output.metadata.created = date;
    output.page(&page)
}

/// A mail that cannot be parsed, as far as it can be read: the fields that people read, and all that follows them.
fn as_it_is(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let mail = charset::decode(bytes, None).text;
    let (fields, body) = mail::as_it_is(&mail);
    let field = |name: &str| fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.clone());
    output.metadata.title = field("Subject");
    output.metadata.author = field("From");
    output.problem(
        None,
        "this mail is malformed: it is shown as it stands in the file, and its attachments are not read",
    );
    let header: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    output.page(&format!("{header}\n{body}"))
}

/// Whether the header has bytes that are not UTF-8 and that nobody declared.
fn has_lost_characters(message: &Message<'_>) -> bool {
    let addresses = [message.from(), message.to(), message.cc()];
    let people = addresses.into_iter().flatten().map(people);
    people.chain(message.subject().map(str::to_owned)).any(|text| text.contains(char::REPLACEMENT_CHARACTER))
}

/// The mail with its header in UTF-8: old programs put other bytes there as they were, whose encoding only the whole tells.
fn with_header_in_utf8(bytes: &[u8]) -> Vec<u8> {
    let empty_line = |at: &usize| bytes[*at..].starts_with(b"\n\n") || bytes[*at..].starts_with(b"\n\r\n");
    let end = (0..bytes.len()).find(empty_line).unwrap_or(bytes.len());
    let (header, rest) = bytes.split_at(end);
    let header = charset::guess(bytes).decode_without_bom_handling(header).0;
    [header.as_bytes(), rest].concat()
}

/// mail-parser makes a message of anything; a mail says at least one of these. A draft may only say what its content is.
fn is_mail(message: &Message<'_>) -> bool {
    message.from().is_some()
        || message.subject().is_some()
        || message.date().is_some()
        || message.to().is_some()
        || message.message_id().is_some()
        || message.received().is_some()
        || message.content_type().is_some()
}

/// `Ann Example <ann@example.org>, bob@example.org`.
fn people(address: &Address<'_>) -> String {
    let people: Vec<String> = address
        .iter()
        .filter_map(|person| match (person.name(), person.address()) {
            (Some(name), Some(address)) => Some(format!("{name} <{address}>")),
            (Some(one), None) | (None, Some(one)) => Some(one.to_owned()),
            (None, None) => None,
        })
        .collect();
    people.join(", ")
}

/// Attachments are documents of their own: the archive's side of this crate unpacks them.
fn list_attachments(message: &Message<'_>, output: &mut Output<'_>) {
    let names: Vec<String> = attachments(message).collect();
    let what = match names.len() {
        0 => return,
        1 => "1 attachment is a document of its own".to_owned(),
        count => format!("{count} attachments are documents of their own"),
    };
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|name| name.chars().take(100).collect()).collect();
    if names.len() > NAMED {
        shown.push("…".to_owned());
    }
    output.problem(None, format!("{what}: {}", shown.join(", ")));
}

#[cfg(test)]
mod tests {
    use sheaf_domain::FailureCode;

    use crate::formats::read;

    #[test]
    fn header_and_body() {
        #[track_caller]
        fn check(mail: &str, expect: &str) {
            assert_eq!(read(mail.as_bytes(), "a.eml").expect("mail").text(), expect);
        }
        check(
            "From: Ann <a@b.c>\nTo: d@e.f\nSubject: =?utf-8?Q?Caf=C3=A9?=\n\nHello\n",
            "Subject: Café\nFrom: Ann <a@b.c>\nTo: d@e.f\n\nHello",
        );
        check("From: a@b.c\nContent-Type: text/html\n\n<p>One<p>Two<script>no</script>", "From: a@b.c\n\nOne\n\nTwo");
        check(
            "From: a@b.c\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/html\n\n<b>rich</b>\n\
             --x\nContent-Type: text/plain\n\nplain\n--x--\n",
            "From: a@b.c\n\nplain",
        );
    }

    /// With checks of overflow, as tests have them, the parser gives up on this date; without, it makes something of it.
    #[test]
    fn a_mail_on_which_the_parser_gives_up_is_read_as_it_stands() {
        let mail = "Received: from a by b; Mon, 1 Jan 2024 10:00:00 -9223372036854775808\nSubject: the nets\n\nbody\n";
        let read = read(mail.as_bytes(), "a.eml").expect("mail");
        assert_eq!(read.text(), "Subject: the nets\n\nbody");
        assert_eq!(read.problems.len(), usize::from(cfg!(debug_assertions)), "{:?}", read.problems);
    }

    #[test]
    fn bytes_that_nobody_declared_are_read() {
        #[track_caller]
        fn check(mail: &str, expect: &str) {
            let (bytes, ..) = encoding_rs::WINDOWS_1252.encode(mail);
            assert_eq!(read(&bytes, "a.eml").expect("mail").text(), expect);
        }
        let body = "Die Hasen klagten einst über ihre mißliche Lage.";
        let head = "From: Heinz Müller <a@b.c>\nSubject: Die Frösche\n";
        check(&format!("{head}\n{body}\n"), &format!("Subject: Die Frösche\nFrom: Heinz Müller <a@b.c>\n\n{body}"));
        let half = "From: a@b.c\nSubject: =?iso-8859-1?Q?Die_Frösche?=\n";
        check(&format!("{half}\n{body}\n"), &format!("Subject: Die Frösche\nFrom: a@b.c\n\n{body}"));
        let wrong = "From: a@b.c\nContent-Type: text/plain; charset=utf-8\n";
        check(&format!("{wrong}\n{body}\n"), &format!("From: a@b.c\n\n{body}"));
        let quoted = body.replace('ü', "=FC").replace('ß', "=DF");
        check(
            &format!("From: a@b.c\nContent-Transfer-Encoding: quoted-printable\n\n{quoted}\n"),
            &format!("From: a@b.c\n\n{body}"),
        );
    }

    #[test]
    fn attachments_are_listed() {
        let mail = "From: a@b.c\nSubject: s\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nbody\n--x\n\
                    Content-Type: application/pdf\nContent-Disposition: attachment; filename=\"../a.pdf\"\n\nxx\n--x--\n";
        let document = read(mail.as_bytes(), "a.eml").expect("mail");
        assert_eq!(document.problems[0].message, "1 attachment is a document of its own: a.pdf");
    }

    #[test]
    fn what_has_no_header_is_no_mail() {
        assert_eq!(read(b"This is not a valid eml.\n", "a.eml").expect_err("broken").code, FailureCode::CorruptFile);
    }
}
