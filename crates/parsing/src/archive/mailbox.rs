//! A mailbox file (mbox, RFC 4155): mails one after the other, each after a line that says from whom and when it came. Each is
//! a document of its own.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};

use super::budget::Stop;
use super::damaged;
use super::level::Entries;
use crate::detect::is_postmark;
use crate::mail;

/// Longer lines are taken in pieces.
const LINE: u64 = 64 << 10;
/// So much of a mail is looked at for its subject.
const HEADER: usize = 64 << 10;
/// The longest subject in a name, in characters.
const SUBJECT: usize = 80;

pub fn unpack(file: File, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let mut mails = Mails::new(BufReader::new(file));
    let mut number = 0_u64;
    while mails.next().map_err(|_| Stop::This(damaged()))? {
        number += 1;
        let header = mails.header().map_err(|_| Stop::This(damaged()))?;
        let wanted = entries.begin(name(number, &header).as_bytes(), None)?;
        if wanted {
            entries.content(&mut Cursor::new(header).chain(&mut mails), None)?;
        }
        io::copy(&mut mails, &mut io::sink()).map_err(|_| Stop::This(damaged()))?;
    }
    Ok(())
}

/// `0012 The harbour.eml`: in the order of the mailbox.
fn name(number: u64, header: &[u8]) -> String {
    let subject = mail::subject(header).unwrap_or_default().replace(['/', '\\'], "-");
    let subject: String = subject.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SUBJECT).collect();
    let subject = subject.trim_matches([' ', '.']);
    if subject.is_empty() { format!("{number:04}.eml") } else { format!("{number:04} {subject}.eml") }
}

/// The mails of a mailbox in turn; reads as the rest of the one that it stands in.
struct Mails<R> {
    from: R,
    /// A piece of a line that was read, and how much of it was given out.
    piece: Vec<u8>,
    given: usize,
    /// Whether the next piece begins a line, and whether the line before it was empty.
    at_start: bool,
    after_empty: bool,
    /// Whether the piece at hand is the line before a mail.
    at_postmark: bool,
}

impl<R: BufRead> Mails<R> {
    fn new(from: R) -> Self {
        Self { from, piece: Vec::new(), given: 0, at_start: true, after_empty: true, at_postmark: false }
    }

    /// Goes to the next mail. What comes before the first is left out.
    fn next(&mut self) -> io::Result<bool> {
        while !self.at_postmark {
            self.advance()?;
            if self.piece.is_empty() {
                return Ok(false);
            }
        }
        self.at_postmark = false;
        self.advance()?;
        Ok(true)
    }

    /// The mail from here to the end of its header, or as much of that as is looked at.
    fn header(&mut self) -> io::Result<Vec<u8>> {
        let mut header = Vec::new();
        while !self.is_at_end() && header.len() < HEADER {
            let is_end = self.is_empty_line();
            header.extend_from_slice(&self.piece[self.given..]);
            self.advance()?;
            if is_end {
                break;
            }
        }
        Ok(header)
    }

    fn is_at_end(&self) -> bool {
        self.at_postmark || self.piece.is_empty()
    }

    fn is_empty_line(&self) -> bool {
        matches!(self.piece.as_slice(), b"\n" | b"\r\n")
    }

    /// Reads the next piece; it is empty at the end of the file.
    fn advance(&mut self) -> io::Result<()> {
        self.after_empty = if self.at_start { self.piece.is_empty() || self.is_empty_line() } else { false };
        self.piece.clear();
        self.given = 0;
        self.from.by_ref().take(LINE).read_until(b'\n', &mut self.piece)?;
        let starts = self.at_start;
        self.at_start = self.piece.ends_with(b"\n");
        self.at_postmark = starts && self.after_empty && is_postmark(&self.piece);
        // Programs that write mailboxes put `>` before lines of a mail that look like the beginning of the next.
        let quotes = self.piece.iter().take_while(|&&byte| byte == b'>').count();
        if starts && quotes > 0 && self.piece[quotes..].starts_with(b"From ") {
            self.given = 1;
        }
        Ok(())
    }
}

impl<R: BufRead> Read for Mails<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.given == self.piece.len() && !self.is_at_end() {
            self.advance()?;
        }
        if self.is_at_end() {
            return Ok(0);
        }
        let left = &self.piece[self.given..];
        let length = left.len().min(buffer.len());
        buffer[..length].copy_from_slice(&left[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mails(mailbox: &str) -> Vec<String> {
        let mut mails = Mails::new(mailbox.as_bytes());
        let mut found = Vec::new();
        while mails.next().expect("memory") {
            let mut mail = mails.header().expect("memory");
            mails.read_to_end(&mut mail).expect("memory");
            found.push(String::from_utf8(mail).expect("text"));
        }
        found
    }

    #[test]
    fn mails_begin_where_the_last_ended() {
        const ONE: &str = "From - Tue Apr 29 12:00:00 2014\n";
        const TWO: &str = "From 17@xxx Wed Apr 30 09:15:01 +0000 2014\r\n";
        let long = "x".repeat(3 * LINE as usize);
        let mailbox = format!(
            "{ONE}Subject: a\n\nbody\nFrom here on\n\nFrom the start, 12:00 that is\n>From me\n>>From you\n\n\
             {TWO}Subject: b\r\n\r\n{long}\r\n\r\n{ONE}\n{ONE}Subject: c"
        );
        assert_eq!(
            mails(&mailbox),
            [
                "Subject: a\n\nbody\nFrom here on\n\nFrom the start, 12:00 that is\nFrom me\n>From you\n\n".to_owned(),
                format!("Subject: b\r\n\r\n{long}\r\n\r\n"),
                "\n".to_owned(),
                "Subject: c".to_owned(),
            ]
        );
        assert_eq!(mails("no mailbox\n"), Vec::<String>::new());
        assert_eq!(mails(ONE), [""]);
    }

    #[test]
    fn mails_are_named_by_their_subject() {
        let check = |header: &str, expect: &str| assert_eq!(name(7, header.as_bytes()), expect);
        check("Subject: Re: a/b \n  c\n\n", "0007 Re: a-b c.eml");
        check("From: a@b.c\n\n", "0007.eml");
    }
}
