//! Near-duplicate families: documents that are the same bytes, the same text in another format, or nearly the same text.
//!
//! Candidates come from MinHash over word shingles (Broder 1997) with banding (Leskovec, Rajaraman, Ullman, *Mining of
//! Massive Datasets*, chapter 3), so that nothing is ever `n²`; each is checked by the Jaccard similarity of the shingles
//! themselves. Why these thresholds: `docs/adr/009-families.md`.

mod fingerprint;
mod pairs;
mod words;

use rustc_hash::FxHashMap;

pub use fingerprint::{Fingerprint, SHINGLE, SKETCH};
pub use pairs::{LEAST_JACCARD, LEAST_LENGTH_RATIO, LEAST_WORDS};

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

/// How a member is like its principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// The same bytes.
    Exact,
    /// The same words in the same order, but for case, line breaks, marks and format.
    SameText,
    /// The same but for some words.
    Near,
}

impl Likeness {
    /// As files of results say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::SameText => "same-text",
            Self::Near => "near",
        }
    }
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

/// A distinct text, or the distinct bytes of documents without one.
struct Text<'a> {
    /// Documents, in the order of keys.
    documents: Vec<usize>,
    fingerprint: Option<&'a Fingerprint>,
}

/// The families of two and more, largest first, then in the order of their principals' keys; on the current rayon pool. The
/// result depends on the documents alone, not on their order or the number of threads. Memory is linear in the documents.
///
/// A family is a star: each member is like its *principal*, the text that most others are like. So no chain of small
/// changes joins what is not alike, and a member that is like two principals goes with the more similar one (Aslam,
/// Pelekhov, Rus 2004, *The Star Clustering Algorithm*).
pub fn families(inputs: &[FamilyInput<'_>]) -> Vec<Family> {
    let mut canonical: Vec<usize> = (0..inputs.len()).collect();
    canonical.sort_by_key(|&document| inputs[document].key);
    let texts = distinct(inputs, &canonical);
    let prints: Vec<Option<&Fingerprint>> = texts.iter().map(|text| text.fingerprint).collect();
    let stars = stars(texts.len(), &pairs::near(&prints), &prints);

    let mut families: Vec<Family> = stars
        .into_iter()
        .map(|(centre, rays)| Family { members: members(inputs, &texts, centre, &rays) })
        .filter(|family| family.members.len() > 1)
        .collect();
    families.sort_by(|a, b| {
        let key = |family: &Family| inputs[family.members[0].document].key;
        b.members.len().cmp(&a.members.len()).then_with(|| key(a).cmp(key(b)))
    });
    families
}

/// Joins documents of the same bytes, and of the same text, in the order of keys.
fn distinct<'a>(inputs: &[FamilyInput<'a>], canonical: &[usize]) -> Vec<Text<'a>> {
    let mut texts: Vec<Text<'a>> = Vec::new();
    let mut by_content: FxHashMap<&str, usize> = FxHashMap::default();
    let mut by_text: FxHashMap<u128, usize> = FxHashMap::default();
    for &document in canonical {
        let FamilyInput { key: _, content, fingerprint } = inputs[document];
        let text = fingerprint.and_then(Fingerprint::text);
        let known = by_content.get(content).or_else(|| by_text.get(&text?)).copied();
        let index = known.unwrap_or(texts.len());
        match texts.get_mut(index) {
            Some(known) => {
                known.documents.push(document);
                known.fingerprint = known.fingerprint.or(fingerprint);
            }
            None => texts.push(Text { documents: vec![document], fingerprint }),
        }
        by_content.entry(content).or_insert(index);
        if let Some(text) = text {
            by_text.entry(text).or_insert(index);
        }
    }
    texts
}

/// The members of each star, and how similar they are to its centre.
type Rays = Vec<(usize, f32)>;

/// Every text is in one star, as its centre or as a ray.
fn stars(count: usize, near: &[(usize, usize, f32)], prints: &[Option<&Fingerprint>]) -> Vec<(usize, Rays)> {
    let mut beside: Vec<Vec<(usize, f32)>> = vec![Vec::new(); count];
    for &(a, b, jaccard) in near {
        beside[a].push((b, jaccard));
        beside[b].push((a, jaccard));
    }
    let sum = |text: usize| beside[text].iter().map(|&(_, jaccard)| f64::from(jaccard)).sum::<f64>();
    let length = |text: usize| prints[text].map_or(0, Fingerprint::words);
    let mut order: Vec<usize> = (0..count).collect();
    // Most neighbours first, of these the most similar to them, then the longer; what is left is the order of keys.
    order.sort_by(|&a, &b| {
        let degree = beside[b].len().cmp(&beside[a].len());
        degree.then_with(|| sum(b).total_cmp(&sum(a))).then_with(|| length(b).cmp(&length(a))).then_with(|| a.cmp(&b))
    });
    let mut is_centre = vec![false; count];
    let mut is_taken = vec![false; count];
    for &text in &order {
        if !is_taken[text] {
            is_centre[text] = true;
            is_taken[text] = true;
            beside[text].iter().for_each(|&(other, _)| is_taken[other] = true);
        }
    }
    let mut rays: Vec<Rays> = vec![Vec::new(); count];
    for text in (0..count).filter(|&text| !is_centre[text]) {
        let centres = beside[text].iter().filter(|&&(other, _)| is_centre[other]);
        let nearest = centres.max_by(|a, b| a.1.total_cmp(&b.1).then_with(|| b.0.cmp(&a.0)));
        if let Some(&(centre, jaccard)) = nearest {
            rays[centre].push((text, jaccard));
        }
    }
    (0..count).filter(|&text| is_centre[text]).map(|centre| (centre, std::mem::take(&mut rays[centre]))).collect()
}

fn members(inputs: &[FamilyInput<'_>], texts: &[Text<'_>], centre: usize, rays: &Rays) -> Vec<Member> {
    let principal = texts[centre].documents[0];
    let same = texts[centre].documents.iter().map(|&document| {
        let is_exact = inputs[document].content == inputs[principal].content;
        let likeness = if is_exact { Likeness::Exact } else { Likeness::SameText };
        Member { document, likeness, jaccard: 1.0 }
    });
    let near = rays.iter().flat_map(|&(text, jaccard)| {
        texts[text].documents.iter().map(move |&document| Member { document, likeness: Likeness::Near, jaccard })
    });
    let mut members: Vec<Member> = same.chain(near).collect();
    members[1..].sort_by(|a, b| {
        let jaccard = b.jaccard.total_cmp(&a.jaccard);
        a.likeness.cmp(&b.likeness).then(jaccard).then_with(|| inputs[a.document].key.cmp(inputs[b.document].key))
    });
    members
}

#[cfg(test)]
mod tests;
