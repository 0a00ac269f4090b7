//! Embeds many documents at once: their chunks are packed into microbatches that the current rayon pool works off.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::chunk::Chunk;
use super::embedder::{EmbedError, Embedder, normalise};

/// Tokens of a microbatch: enough to amortise reading the weights, few enough to stay in a core's cache.
const MICROBATCH_TOKENS: usize = 512;
/// Bytes of text whose chunks are held at a time.
const WAVE_BYTES: usize = 16 << 20;
/// Documents whose chunks are held at a time.
const WAVE_DOCUMENTS: usize = 4096;

/// The vectors of documents: result `i` belongs to `texts[i]` and is a unit vector of `model.dimensions()`, or `None`
/// where the text has no usable token. `progress` is called with `i` whenever a document is done, from any thread.
/// Results depend neither on the number of threads nor on which documents are embedded together.
///
/// # Errors
/// See [`Embedder::embed_chunks`].
pub fn embed_documents(
    model: &dyn Embedder,
    texts: &[&str],
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Option<Vec<f32>>>, EmbedError> {
    let mut vectors = Vec::with_capacity(texts.len());
    while vectors.len() < texts.len() {
        let start = vectors.len();
        let end = wave_end(texts, start);
        vectors.extend(embed_wave(model, &texts[start..end], &|i| progress(start + i))?);
    }
    Ok(vectors)
}

/// Where the wave that starts with document `start` ends: at least one document, bounded in number and bytes.
fn wave_end(texts: &[&str], start: usize) -> usize {
    let mut bytes = 0;
    let fits = texts[start..].iter().take(WAVE_DOCUMENTS).take_while(|text| {
        let before = bytes;
        bytes += text.len();
        before < WAVE_BYTES
    });
    start + fits.count()
}

fn embed_wave(
    model: &dyn Embedder,
    texts: &[&str],
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Vec<Option<Vec<f32>>>, EmbedError> {
    let chunks: Vec<Vec<Chunk>> = texts.par_iter().map(|text| model.chunk(text)).collect();
    let remaining: Vec<AtomicUsize> = chunks.iter().map(|chunks| AtomicUsize::new(chunks.len())).collect();
    for (document, chunks) in chunks.iter().enumerate() {
        if chunks.is_empty() {
            progress(document);
        }
    }
    let flat: Vec<(usize, &Chunk)> =
        chunks.iter().enumerate().flat_map(|(i, chunks)| chunks.iter().map(move |chunk| (i, chunk))).collect();
    let embedded: Vec<Vec<Vec<f32>>> = microbatches(&flat)
        .into_par_iter()
        .map(|microbatch| {
            let chunks: Vec<&Chunk> = microbatch.iter().map(|&(_, chunk)| chunk).collect();
            let vectors = model.embed_chunks(&chunks)?;
            for &(document, _) in microbatch {
                if remaining[document].fetch_sub(1, Ordering::Relaxed) == 1 {
                    progress(document);
                }
            }
            Ok(vectors)
        })
        .collect::<Result<_, EmbedError>>()?;
    let mut of_chunks = embedded.into_iter().flatten();
    chunks
        .iter()
        .map(|chunks| {
            let mut sum = vec![0.0; model.dimensions()];
            for (chunk, vector) in chunks.iter().zip(of_chunks.by_ref()) {
                sum.iter_mut().zip(&vector).for_each(|(sum, x)| *sum += chunk.weight * x);
            }
            if sum.iter().any(|x| !x.is_finite()) {
                return Err(EmbedError::NotFinite);
            }
            Ok(normalise(&mut sum).then_some(sum))
        })
        .collect()
}

/// Cuts the row of chunks into runs of at most [`MICROBATCH_TOKENS`] tokens, at least one chunk each.
fn microbatches<'a, 'b>(chunks: &'b [(usize, &'a Chunk)]) -> Vec<&'b [(usize, &'a Chunk)]> {
    let mut runs = Vec::new();
    let (mut start, mut tokens) = (0, 0);
    for (i, (_, chunk)) in chunks.iter().enumerate() {
        // The frame of two tokens counts, or a thousand one-word texts would seem small.
        let more = chunk.ids.len() + 2;
        if i > start && tokens + more > MICROBATCH_TOKENS {
            runs.push(&chunks[start..i]);
            (start, tokens) = (i, 0);
        }
        tokens += more;
    }
    if start < chunks.len() {
        runs.push(&chunks[start..]);
    }
    runs
}
