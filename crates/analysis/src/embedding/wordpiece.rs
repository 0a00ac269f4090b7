//! A fast WordPiece tokeniser for uncased BERT vocabularies. It yields the ids that the `tokenizers` crate yields
//! (a test holds it to that), but special tokens written out in a text (`[SEP]`) are ordinary text to it.

use std::collections::HashMap;
use std::path::Path;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::fold::{FoldTable, Folded, expand};
use super::models::ModelError;

/// Longer words become one unknown token.
const MAX_WORD_CHARS: usize = 100;
/// The same in bytes; what is beyond is not kept.
const MAX_WORD_BYTES: usize = MAX_WORD_CHARS * 4;

/// One token: its id and the byte range of the *word* it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: u32,
    /// Byte offset of its word in the text.
    pub start: usize,
    /// Where that word ends.
    pub end: usize,
}

/// A vocabulary and the greedy longest-match-first rule over it.
pub struct WordPiece {
    fold: FoldTable,
    /// Pieces that begin a word.
    first: FxHashMap<Box<[u8]>, u32>,
    /// Pieces that continue one, without their `##`.
    rest: FxHashMap<Box<[u8]>, u32>,
    /// Bytes of the longest piece.
    longest: usize,
    tokens: Vec<String>,
    unknown: u32,
    begin: u32,
    end: u32,
}

#[derive(Deserialize)]
struct TokenizerFile {
    normalizer: Normalizer,
    model: VocabularyPart,
}

#[derive(Deserialize)]
struct Normalizer {
    #[serde(rename = "type")]
    kind: String,
    lowercase: bool,
}

#[derive(Deserialize)]
struct VocabularyPart {
    #[serde(rename = "type")]
    kind: Option<String>,
    vocab: HashMap<String, u32>,
    continuing_subword_prefix: String,
}

impl WordPiece {
    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// When the file cannot be read, or is not an uncased BERT WordPiece vocabulary.
    pub fn open(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(|source| ModelError::read(path, source))?;
        let file: TokenizerFile = serde_json::from_slice(&bytes)
            .map_err(|error| ModelError::format(path, format!("not a WordPiece tokenizer: {error}")))?;
        let TokenizerFile { normalizer, model } = file;
        if normalizer.kind != "BertNormalizer"
            || !normalizer.lowercase
            || model.kind.is_some_and(|kind| kind != "WordPiece")
            || model.continuing_subword_prefix != "##"
        {
            return Err(ModelError::format(path, "only uncased BERT WordPiece tokenizers are known".to_owned()));
        }
        Self::new(model.vocab).ok_or_else(|| {
            ModelError::format(path, "the vocabulary has gaps or lacks [UNK], [CLS] or [SEP]".to_owned())
        })
    }

    pub(super) fn new(vocabulary: HashMap<String, u32>) -> Option<Self> {
        let mut tokens = vec![String::new(); vocabulary.len()];
        let (mut first, mut rest) = (FxHashMap::default(), FxHashMap::default());
        let mut longest = 0;
        for (token, &id) in &vocabulary {
            tokens.get_mut(usize::try_from(id).ok()?)?.clone_from(token);
            let (map, piece) = match token.strip_prefix("##") {
                Some(piece) if !piece.is_empty() => (&mut rest, piece),
                Some(_) | None => (&mut first, token.as_str()),
            };
            longest = longest.max(piece.len());
            map.insert(piece.as_bytes().into(), id);
        }
        let id = |token: &str| vocabulary.get(token).copied();
        Some(Self {
            fold: FoldTable::new(),
            first,
            rest,
            longest,
            unknown: id("[UNK]")?,
            begin: id("[CLS]")?,
            end: id("[SEP]")?,
            tokens,
        })
    }

    /// The vocabulary, by id.
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// The ids of `[CLS]` and `[SEP]`.
    pub const fn frame(&self) -> (u32, u32) {
        (self.begin, self.end)
    }

    /// The id of `[UNK]`.
    pub const fn unknown(&self) -> u32 {
        self.unknown
    }

    /// Calls `visit` with each token of `text`, until it returns false. Time is linear in the bytes read.
    pub fn tokenize(&self, text: &str, mut visit: impl FnMut(Token) -> bool) {
        let mut word = Word::default();
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            let byte = bytes[at];
            if byte.is_ascii() {
                let next = at + 1;
                if byte.is_ascii_alphanumeric() {
                    word.push_ascii(byte.to_ascii_lowercase(), at);
                } else if !self.other(Folded::of_ascii(byte), at, next, &mut word, &mut visit) {
                    return;
                }
                at = next;
                continue;
            }
            let Some(c) = text[at..].chars().next() else { break };
            let next = at + c.len_utf8();
            match self.fold.get(c) {
                Folded::Several => {
                    let mut going = true;
                    expand(c, |folded| going = going && self.other(folded, at, next, &mut word, &mut visit));
                    if !going {
                        return;
                    }
                }
                folded @ (Folded::Dropped | Folded::Gap | Folded::Alone(_) | Folded::Letter(_)) => {
                    if !self.other(folded, at, next, &mut word, &mut visit) {
                        return;
                    }
                }
            }
            at = next;
        }
        self.finish(&mut word, bytes.len(), &mut visit);
    }

    /// Takes one folded character at `start..end` into account; false when `visit` has had enough.
    #[inline]
    fn other(
        &self,
        folded: Folded,
        start: usize,
        end: usize,
        word: &mut Word,
        visit: &mut impl FnMut(Token) -> bool,
    ) -> bool {
        match folded {
            Folded::Dropped | Folded::Several => true,
            Folded::Letter(c) => {
                word.push(c, start);
                true
            }
            Folded::Gap => self.finish(word, start, visit),
            Folded::Alone(c) => {
                let mut buffer = [0; 4];
                let piece = c.encode_utf8(&mut buffer).as_bytes();
                self.finish(word, start, visit)
                    && visit(Token { id: self.first.get(piece).copied().unwrap_or(self.unknown), start, end })
            }
        }
    }

    /// Splits the word that ends before `end` into pieces and empties it.
    #[inline]
    fn finish(&self, word: &mut Word, end: usize, visit: &mut impl FnMut(Token) -> bool) -> bool {
        if word.chars == 0 {
            return true;
        }
        let start = word.start;
        let going = match (word.chars > MAX_WORD_CHARS, self.first.get(word.bytes())) {
            (true, _) => visit(Token { id: self.unknown, start, end }),
            (false, Some(&id)) => visit(Token { id, start, end }),
            (false, None) => self.pieces(word.bytes(), |id| visit(Token { id, start, end })),
        };
        word.clear();
        going
    }

    /// Greedy longest match first; a word of which any part is not in the vocabulary is one unknown token.
    fn pieces(&self, word: &[u8], mut visit: impl FnMut(u32) -> bool) -> bool {
        let mut ids = [0; MAX_WORD_CHARS];
        let (mut count, mut at) = (0, 0);
        while at < word.len() {
            let map = if at == 0 { &self.first } else { &self.rest };
            let furthest = word.len().min(at + self.longest);
            let found = (at + 1..=furthest)
                .rev()
                .filter(|&end| end == word.len() || word[end] & 0xC0 != 0x80)
                .find_map(|end| map.get(&word[at..end]).map(|&id| (id, end)));
            let Some((id, end)) = found else { return visit(self.unknown) };
            ids[count] = id;
            count += 1;
            at = end;
        }
        ids[..count].iter().all(|&id| visit(id))
    }
}

impl Folded {
    /// The fate of an ASCII character that is neither letter nor digit.
    #[inline]
    const fn of_ascii(byte: u8) -> Self {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => Self::Gap,
            _ if byte.is_ascii_control() => Self::Dropped,
            _ => Self::Alone(byte as char),
        }
    }
}

/// The word being read, normalised.
struct Word {
    buffer: [u8; MAX_WORD_BYTES],
    len: usize,
    /// Characters seen, also those that no longer fit.
    chars: usize,
    start: usize,
}

impl Default for Word {
    fn default() -> Self {
        Self { buffer: [0; MAX_WORD_BYTES], len: 0, chars: 0, start: 0 }
    }
}

impl Word {
    fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    #[inline]
    fn push_ascii(&mut self, byte: u8, at: usize) {
        if self.chars == 0 {
            self.start = at;
        }
        if self.len < MAX_WORD_BYTES {
            self.buffer[self.len] = byte;
            self.len += 1;
        }
        self.chars += 1;
    }

    fn push(&mut self, c: char, at: usize) {
        if self.chars == 0 {
            self.start = at;
        }
        if self.chars < MAX_WORD_CHARS {
            self.len += c.encode_utf8(&mut self.buffer[self.len..]).len();
        }
        self.chars += 1;
    }

    fn clear(&mut self) {
        self.len = 0;
        self.chars = 0;
    }
}
