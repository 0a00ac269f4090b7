//! Mailboxes: many mails in one file, each after a line of its own (mbox, RFC 4155).

use std::io::{self, BufRead, BufReader, Read, Seek};

use super::suffix;

/// Longer lines are taken in pieces.
const LINE: u64 = 64 << 10;
/// The second mail of a mailbox is looked for within so many bytes.
const MOST: u64 = 256 << 20;

/// Whether a line begins a mail in a mailbox: `From ann@example.org Tue Apr 29 12:00:00 2014`. The sender may be anything; a
/// time and a year have to be there, which lines of text that begin like this have not.
pub fn is_postmark(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    let words = || rest.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).take(12);
    let is_time =
        |word: &[u8]| matches!(word, [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()));
    let is_year = |word: &[u8]| matches!(word, [b'1', b'9', a, b] | [b'2', b'0', a, b] if a.is_ascii_digit() && b.is_ascii_digit());
    words().any(is_time) && words().any(is_year)
}

/// Whether a file that begins like a mail is a mailbox: it is called one, or has a second mail.
pub fn is_mailbox<R: Read + Seek>(mut reader: R, head: &[u8], name: &str) -> io::Result<bool> {
    let first = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if !is_postmark(first) {
        return Ok(false);
    }
    if matches!(suffix(name).as_str(), "mbox" | "mbx") {
        return Ok(true);
    }
    reader.rewind()?;
    let mut lines = BufReader::new(reader.take(MOST));
    let (mut line, mut mails, mut after_empty) = (Vec::new(), 0, true);
    while lines.by_ref().take(LINE).read_until(b'\n', &mut line)? > 0 {
        mails += usize::from(after_empty && is_postmark(&line));
        if mails > 1 {
            return Ok(true);
        }
        after_empty = matches!(line.as_slice(), b"\n" | b"\r\n");
        line.clear();
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_before_mails() {
        #[track_caller]
        fn check(line: &str, expect: bool) {
            assert_eq!(is_postmark(line.as_bytes()), expect, "{line}");
        }
        check("From ann@example.org Tue Apr 29 12:00:00 2014", true);
        check("From - Tue Apr 29 12:00:00 2014\r\n", true);
        check("From 17@xxx Wed Apr 30 09:15:01 +0000 2014", true);
        check("From ann at example.org  Tue Apr 29 12:00 1997", true);
        check("From: ann@example.org, Tue Apr 29 12:00:00 2014", false);
        check("From the start in 2014 we met at noon", false);
        check("From 12:00 on", false);
        check("Subject: x", false);
    }
}
