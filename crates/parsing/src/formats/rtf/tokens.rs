//! The tokens of RTF.

/// What the file consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token<'a> {
    Open,
    Close,
    /// `\par`, `\fs24`.
    Word(&'a str, Option<i32>),
    /// `\~`, `\*` and other single characters.
    Symbol(u8),
    /// A byte of text: as itself or as `\'e9`.
    Byte(u8),
}

/// Reads tokens; whatever the bytes are, it ends.
pub struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Skips bytes that are no tokens: the content of `\bin`.
    pub fn leave_out(&mut self, bytes: usize) {
        self.at = self.at.saturating_add(bytes).min(self.bytes.len());
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn control(&mut self) -> Option<Token<'a>> {
        let first = self.peek()?;
        if first == b'\'' {
            let digit = |offset: usize| char::from(*self.bytes.get(self.at + offset)?).to_digit(16);
            let (Some(high), Some(low)) = (digit(1), digit(2)) else {
                self.at += 1;
                return Some(Token::Symbol(b'\''));
            };
            self.at += 3;
            return Some(Token::Byte((high * 16 + low) as u8));
        }
        if !first.is_ascii_alphabetic() {
            self.at += 1;
            return Some(Token::Symbol(first));
        }
        let name = self.run(|byte| byte.is_ascii_alphabetic());
        let negative = self.peek() == Some(b'-') && self.bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        self.at += usize::from(negative);
        let digits = self.run(|byte| byte.is_ascii_digit());
        let value = digits.get(..digits.len().min(9)).and_then(|digits| digits.parse::<i32>().ok());
        // One space belongs to the word.
        self.at += usize::from(self.peek() == Some(b' '));
        Some(Token::Word(name, value.map(|value| if negative { -value } else { value })))
    }

    fn run(&mut self, is_part: impl Fn(u8) -> bool) -> &'a str {
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| !is_part(*byte)).unwrap_or(rest.len());
        self.at += length;
        // Only ASCII was taken.
        str::from_utf8(&rest[..length]).unwrap_or_default()
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'{' => return Some(Token::Open),
                b'}' => return Some(Token::Close),
                b'\\' => return self.control(),
                b'\r' | b'\n' | 0 => {}
                byte => return Some(Token::Byte(byte)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn tokens() {
        #[track_caller]
        fn check(rtf: &[u8], expect: &[Token<'_>]) {
            assert_eq!(Tokens::new(rtf).collect::<Vec<_>>(), expect);
        }
        check(b"{\\b0 a}", &[Token::Open, Token::Word("b", Some(0)), Token::Byte(b'a'), Token::Close]);
        check(b"\\u-10179?", &[Token::Word("u", Some(-10179)), Token::Byte(b'?')]);
        check(
            b"\\'e9\\~\\par\r\nx",
            &[Token::Byte(0xe9), Token::Symbol(b'~'), Token::Word("par", None), Token::Byte(b'x')],
        );
        check(b"\\'zz", &[Token::Symbol(b'\''), Token::Byte(b'z'), Token::Byte(b'z')]);
        check(b"\\", &[]);
        check(b"\\x99999999999", &[Token::Word("x", Some(999_999_999))]);
    }

    proptest! {
        #[test]
        fn noise_ends(noise in any::<Vec<u8>>()) {
            assert!(Tokens::new(&noise).count() <= noise.len());
        }
    }
}
