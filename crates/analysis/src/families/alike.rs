//! What is alike in a pile of documents, and the families that come out of it at any threshold.

use rustc_hash::FxHashMap;
use sheaf_domain::Likeness;

use super::pairs::{self, Loaded};
use super::sketch::Sketch;
use super::{Family, Member};

/// One document, with what is kept in memory of its text while candidates are sought.
#[derive(Clone, Copy, Debug)]
pub struct SketchedInput<'a> {
    /// Stable and unique, such as its path: what is first in this order is the principal among equals.
    pub key: &'a str,
    /// The hash of its bytes, in any form.
    pub content: &'a str,
    /// Of its text; absent when it has none.
    pub sketch: Option<&'a Sketch>,
}

/// A document, and which text it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlikeDocument<'a> {
    pub key: &'a str,
    pub content: &'a str,
    /// The same number for the same text. Numbers rise with the least key of their documents.
    pub text: u32,
    /// How many words the text has.
    pub words: u32,
}

/// Documents by their texts, and the pairs of texts that are nearly the same.
#[derive(Clone, Debug, Default)]
pub struct Alike<'a> {
    /// In the order of the input.
    pub documents: Vec<AlikeDocument<'a>>,
    /// Numbers of texts, the smaller first, with the Jaccard similarity of their shingles; in order.
    pub pairs: Vec<(u32, u32, f32)>,
}

impl<'a> Alike<'a> {
    /// What is alike among documents, on the current rayon pool. `load` gives the fingerprints of documents, in their order,
    /// and is asked for a few thousand at a time.
    ///
    /// # Errors
    /// The first one of `load`.
    pub fn find<'p, E>(
        inputs: &[SketchedInput<'a>],
        load: &mut dyn FnMut(&[usize]) -> Loaded<'p, E>,
    ) -> Result<Self, E> {
        let mut canonical: Vec<usize> = (0..inputs.len()).collect();
        canonical.sort_by_key(|&document| inputs[document].key);
        let mut texts: Vec<(Option<&Sketch>, usize)> = Vec::new();
        let mut by_content: FxHashMap<&str, u32> = FxHashMap::default();
        let mut by_text: FxHashMap<u128, u32> = FxHashMap::default();
        let mut numbers = vec![0_u32; inputs.len()];
        for document in canonical {
            let SketchedInput { key: _, content, sketch } = inputs[document];
            let text = sketch.and_then(Sketch::text);
            let known = by_content.get(content).or_else(|| by_text.get(&text?)).copied();
            let number = known.unwrap_or_else(|| u32::try_from(texts.len()).unwrap_or(u32::MAX));
            match texts.get_mut(number as usize) {
                Some((known, by)) if known.is_none() => (*known, *by) = (sketch, document),
                Some(_) => {}
                None => texts.push((sketch, document)),
            }
            numbers[document] = number;
            by_content.entry(content).or_insert(number);
            if let Some(text) = text {
                by_text.entry(text).or_insert(number);
            }
        }
        let sketches: Vec<Option<&Sketch>> = texts.iter().map(|(sketch, _)| *sketch).collect();
        let mut of_texts = |wanted: &[u32]| {
            let documents: Vec<usize> = wanted.iter().map(|&text| texts[text as usize].1).collect();
            load(&documents)
        };
        let pairs = pairs::near(&sketches, &mut of_texts)?;
        let words = |text: u32| sketches[text as usize].map_or(0, Sketch::words);
        let documents = inputs
            .iter()
            .zip(numbers)
            .map(|(input, text)| AlikeDocument { key: input.key, content: input.content, text, words: words(text) })
            .collect();
        Ok(Self { documents, pairs })
    }

    /// The families of two and more, largest first, then in the order of their principals' keys, when texts are nearly the
    /// same from a similarity of `least` on. Indices are those of the documents.
    ///
    /// A family is a star: each member is like its *principal*, the text that most others are like. So no chain of small
    /// changes joins what is not alike, and a member that is like two principals goes with the more similar one (Aslam,
    /// Pelekhov, Rus 2004, *The Star Clustering Algorithm*).
    pub fn families(&self, least: f32) -> Vec<Family> {
        // Texts that are there, by rising number, and the documents of each in the order of keys.
        let mut texts: Vec<Vec<usize>> = Vec::new();
        let mut order: Vec<usize> = (0..self.documents.len()).collect();
        order.sort_by_key(|&document| (self.documents[document].text, self.documents[document].key));
        let mut places: FxHashMap<u32, usize> = FxHashMap::default();
        for document in order {
            let place = *places.entry(self.documents[document].text).or_insert(texts.len());
            match texts.get_mut(place) {
                Some(text) => text.push(document),
                None => texts.push(vec![document]),
            }
        }
        let near: Vec<(usize, usize, f32)> = self
            .pairs
            .iter()
            .filter(|(_, _, jaccard)| *jaccard >= least)
            .filter_map(|(a, b, jaccard)| Some((*places.get(a)?, *places.get(b)?, *jaccard)))
            .collect();
        let words: Vec<u32> = texts.iter().map(|documents| self.documents[documents[0]].words).collect();
        let mut families: Vec<Family> = stars(&words, &near)
            .into_iter()
            .map(|(centre, rays)| Family { members: self.members(&texts, centre, &rays) })
            .filter(|family| family.members.len() > 1)
            .collect();
        let key = |family: &Family| self.documents[family.members[0].document].key;
        families.sort_by(|a, b| b.members.len().cmp(&a.members.len()).then_with(|| key(a).cmp(key(b))));
        families
    }

    fn members(&self, texts: &[Vec<usize>], centre: usize, rays: &Rays) -> Vec<Member> {
        let principal = texts[centre][0];
        let same = texts[centre].iter().map(|&document| {
            let is_exact = self.documents[document].content == self.documents[principal].content;
            let likeness = if is_exact { Likeness::Exact } else { Likeness::SameText };
            Member { document, likeness, jaccard: 1.0 }
        });
        let near = rays.iter().flat_map(|&(text, jaccard)| {
            texts[text].iter().map(move |&document| Member { document, likeness: Likeness::Near, jaccard })
        });
        let mut members: Vec<Member> = same.chain(near).collect();
        members[1..].sort_by(|a, b| {
            let jaccard = b.jaccard.total_cmp(&a.jaccard);
            let key = |member: &Member| self.documents[member.document].key;
            a.likeness.cmp(&b.likeness).then(jaccard).then_with(|| key(a).cmp(key(b)))
        });
        members
    }
}

/// The members of each star, and how similar they are to its centre.
type Rays = Vec<(usize, f32)>;

/// Every text is in one star, as its centre or as a ray. Of each text the number of words is given.
fn stars(words: &[u32], near: &[(usize, usize, f32)]) -> Vec<(usize, Rays)> {
    let count = words.len();
    let mut beside: Vec<Vec<(usize, f32)>> = vec![Vec::new(); count];
    for &(a, b, jaccard) in near {
        beside[a].push((b, jaccard));
        beside[b].push((a, jaccard));
    }
    let sum = |text: usize| beside[text].iter().map(|&(_, jaccard)| f64::from(jaccard)).sum::<f64>();
    let mut order: Vec<usize> = (0..count).collect();
    // Most neighbours first, of these the most similar to them, then the longer; what is left is the order of keys.
    order.sort_by(|&a, &b| {
        let degree = beside[b].len().cmp(&beside[a].len());
        degree.then_with(|| sum(b).total_cmp(&sum(a))).then_with(|| words[b].cmp(&words[a])).then_with(|| a.cmp(&b))
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
