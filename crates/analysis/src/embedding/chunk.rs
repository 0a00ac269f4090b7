//! Cuts a document's tokens into chunks: at most so many, spread evenly over the document, whatever its length.

use std::ops::Range;

use super::wordpiece::{Token, WordPiece};

/// Raised whenever a text may be cut otherwise than before.
pub const CHUNKING_VERSION: u32 = 1;

/// Tokens of a chunk, the frame of `[CLS]` and `[SEP]` not counted.
pub const CHUNK_TOKENS: usize = 254;
/// Chunks of a document that a transformer reads.
pub const MAX_CHUNKS: usize = 8;

/// A contiguous span of a text, in tokens of one model.
#[derive(Clone, Debug, PartialEq)]
pub struct Chunk {
    /// Token ids without a frame, at least one.
    pub ids: Vec<u32>,
    /// The bytes of the text that it covers, on character boundaries.
    pub range: Range<usize>,
    /// Its share in the document's vector (not normalised).
    pub weight: f32,
}

impl Chunk {
    fn of(tokens: &[Token]) -> Option<Self> {
        let (first, last) = (tokens.first()?, tokens.last()?);
        Some(Self {
            ids: tokens.iter().map(|token| token.id).collect(),
            range: first.start..last.end,
            weight: tokens.len() as f32,
        })
    }
}

/// Chunks of at most [`CHUNK_TOKENS`] tokens. A text of up to [`MAX_CHUNKS`] chunks is covered completely, in chunks of
/// nearly equal length; of a longer one, windows are read that start at even distances in bytes, at word boundaries.
/// Only as much is tokenised as is used.
pub(super) fn chunk_evenly(tokenizer: &WordPiece, text: &str) -> Vec<Chunk> {
    let limit = CHUNK_TOKENS * MAX_CHUNKS;
    let tokens = read(tokenizer, text, 0..text.len(), limit + 1);
    if tokens.len() <= limit {
        let count = tokens.len().div_ceil(CHUNK_TOKENS);
        let bounds = |i: usize| i * tokens.len() / count;
        return (0..count).filter_map(|i| Chunk::of(&tokens[bounds(i)..bounds(i + 1)])).collect();
    }
    let starts: Vec<usize> = (0..MAX_CHUNKS).map(|i| word_start(text, text.len() / MAX_CHUNKS * i)).collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .filter_map(|(&start, end)| Chunk::of(&read(tokenizer, text, start..end, CHUNK_TOKENS)))
        .collect()
}

/// Everything, in pieces of at most `size` tokens.
pub(super) fn chunk_whole(tokenizer: &WordPiece, text: &str, size: usize) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut tokens = Vec::with_capacity(size.min(text.len() / 4 + 8));
    tokenizer.tokenize(text, |token| {
        tokens.push(token);
        if tokens.len() == size {
            chunks.extend(Chunk::of(&tokens));
            tokens.clear();
        }
        true
    });
    chunks.extend(Chunk::of(&tokens));
    chunks
}

/// The first `limit` tokens in `range`, with offsets in `text`.
fn read(tokenizer: &WordPiece, text: &str, range: Range<usize>, limit: usize) -> Vec<Token> {
    let offset = range.start;
    let mut tokens = Vec::new();
    tokenizer.tokenize(&text[range], |token| {
        tokens.push(Token { id: token.id, start: token.start + offset, end: token.end + offset });
        tokens.len() < limit
    });
    tokens
}

/// The first place at or after `at` where a word may start: after white space found within a few bytes, otherwise the
/// next character.
fn word_start(text: &str, at: usize) -> usize {
    const REACH: usize = 128;
    let from = text.ceil_char_boundary(at);
    if from == 0 {
        return 0;
    }
    let reach = text.floor_char_boundary((from + REACH).min(text.len()));
    text[from..reach].find(char::is_whitespace).map_or(from, |found| from + found)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::{ProptestConfig, Strategy, prop, proptest};

    use super::*;

    /// Letters and their continuations are tokens: a word of n letters is n of them.
    fn tokenizer() -> WordPiece {
        let special = ["[UNK]", "[CLS]", "[SEP]"].map(str::to_owned);
        let letters = ('a'..='z').flat_map(|letter| [letter.to_string(), format!("##{letter}")]);
        let vocabulary: HashMap<String, u32> = special.into_iter().chain(letters).zip(0..).collect();
        WordPiece::new(vocabulary).expect("complete")
    }

    fn text() -> impl Strategy<Value = String> {
        // Long words in some, other scripts and signs in others; up to several times the eight chunks.
        prop::collection::vec("[a-z]{1,12}|é|日本|\\.|[ \n]{1,3}", 0..3000).prop_map(|words| words.join(" "))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn chunks_are_bounded_ordered_and_cover_short_texts(text in text()) {
            let tokenizer = tokenizer();
            let mut all = 0;
            tokenizer.tokenize(&text, |_| { all += 1; true });
            let chunks = chunk_evenly(&tokenizer, &text);
            assert!(chunks.len() <= MAX_CHUNKS && chunks.is_empty() == (all == 0));
            for chunk in &chunks {
                assert!((1..=CHUNK_TOKENS).contains(&chunk.ids.len()));
                assert_eq!(chunk.weight, chunk.ids.len() as f32);
                assert!(text.get(chunk.range.clone()).is_some_and(|part| !part.is_empty()));
            }
            // The pieces of one word may share its bytes.
            assert!(chunks.windows(2).all(|pair| {
                pair[0].range.start <= pair[1].range.start && pair[0].range.end <= pair[1].range.end
            }));
            let used: usize = chunks.iter().map(|chunk| chunk.ids.len()).sum();
            if all <= CHUNK_TOKENS * MAX_CHUNKS {
                assert_eq!(used, all, "nothing of a short text is left out");
            }
            let whole: usize = chunk_whole(&tokenizer, &text, 100).iter().map(|chunk| chunk.ids.len()).sum();
            assert_eq!(whole, all);
        }
    }
}
