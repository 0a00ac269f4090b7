//! Near-duplicate families: documents that are the same bytes, the same text in another format, or nearly the same text.
//!
//! Candidates come from MinHash over word shingles (Broder 1997) with banding (Leskovec, Rajaraman, Ullman, *Mining of
//! Massive Datasets*, chapter 3), so that nothing is ever `n²`; each is checked by the Jaccard similarity of the shingles
//! themselves. Why these thresholds: `docs/adr/009-families.md`.

mod alike;
mod fingerprint;
mod pairs;
mod sketch;
mod words;

use std::borrow::Cow;
use std::convert::Infallible;

use rayon::prelude::*;
pub use sheaf_domain::Likeness;

pub use alike::{Alike, AlikeDocument, SketchedInput};
pub use fingerprint::{Fingerprint, SHINGLE, SKETCH};
pub use pairs::{LEAST_JACCARD, LEAST_LENGTH_RATIO, LEAST_WORDS};
pub use sketch::Sketch;

/// Raised whenever the same documents may fall into other families than before.
pub const FAMILIES_VERSION: u32 = 1;

/// One document.
#[derive(Clone, Copy, Debug)]
pub struct FamilyInput<'a> {
    /// Stable and unique, such as its path: what is first in this order is the principal among equals.
    pub key: &'a str,
    /// The hash of its bytes, in any form.
    pub content: &'a str,
    /// Of its text; absent when it has none.
    pub fingerprint: Option<&'a Fingerprint>,
}

/// A document of a family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member {
    /// An index into the input.
    pub document: usize,
    /// How it is like the principal; the principal is exactly like itself.
    pub likeness: Likeness,
    /// Jaccard similarity to the principal's shingles, 0 to 1.
    pub jaccard: f32,
}

/// Two or more documents that are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// The principal first, then the others, the most alike first.
    pub members: Vec<Member>,
}

/// Families from so similar texts on: near-duplicates at the threshold of [`LEAST_JACCARD`].
///
/// The families of two and more, largest first, then in the order of their principals' keys; on the current rayon pool. The
/// result depends on the documents alone, not on their order or the number of threads. Memory is linear in the documents.
pub fn families(inputs: &[FamilyInput<'_>]) -> Vec<Family> {
    let mut load = |wanted: &[usize]| {
        let prints = wanted.iter().map(|&document| inputs[document].fingerprint.map(Cow::Borrowed));
        Ok::<_, Infallible>(prints.map(Option::unwrap_or_default).collect())
    };
    let sketches: Vec<Option<Sketch>> = inputs.par_iter().map(|input| input.fingerprint.map(Sketch::of)).collect();
    let inputs: Vec<SketchedInput<'_>> = inputs
        .iter()
        .zip(&sketches)
        .map(|(&FamilyInput { key, content, fingerprint: _ }, sketch)| SketchedInput {
            key,
            content,
            sketch: sketch.as_ref(),
        })
        .collect();
    match Alike::find(&inputs, &mut load) {
        Ok(alike) => alike.families(LEAST_JACCARD),
        Err(never) => match never {},
    }
}

#[cfg(test)]
mod tests;
