//! Near-duplicates of a batch: fingerprints by content, families by fingerprint.

use std::borrow::Cow;
use std::collections::HashMap;

use rayon::prelude::*;
use sheaf_analysis::{Alike, FAMILIES_VERSION, Fingerprint, LEAST_JACCARD, Sketch, SketchedInput};
use sheaf_domain::{BatchId, Failure, Likeness};
use sheaf_store::{FamilyRecord, FoundFamilies, PrintedDocument};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::{Engine, internal};

/// Texts of which fingerprints are taken together: bounds what of them is in memory.
const TOGETHER: usize = 64;
/// Fingerprints that are read together when sketches are made of them: at most 8 MB.
const SKETCHED: usize = 512;
/// The most pairs of a batch that are kept for other thresholds, the most similar first.
const MOST_PAIRS: usize = 2_000_000;

/// What is alike in a batch. Texts without a fingerprint get one first: those that were read since, or by an earlier version.
///
/// # Errors
/// `storage`; `internal` when a fingerprint cannot be read back.
pub async fn find(engine: &Engine, batch: BatchId) -> Result<FoundFamilies, Failure> {
    for keys in engine.store().unprinted(batch, FAMILIES_VERSION).await?.chunks(TOGETHER) {
        let texts = engine.store().texts(keys).await?;
        let print = |(key, text): (String, String)| (key, Fingerprint::of(&text).to_bytes());
        let prints: Vec<(String, Vec<u8>)> =
            spawn_blocking(move || texts.into_par_iter().map(print).collect()).await.map_err(internal)?;
        engine.store().keep_fingerprints(FAMILIES_VERSION, &prints).await?;
    }
    let documents = engine.store().printed_documents(batch, FAMILIES_VERSION).await?;
    // What a person chose stays when documents are added.
    let least = engine.store().family_summary(batch).await?.map_or(LEAST_JACCARD, |summary| summary.least);
    let (engine, runtime) = (engine.clone(), Handle::current());
    spawn_blocking(move || group(&engine, &runtime, &documents, least)).await.map_err(internal)?
}

/// On a thread that may wait: fingerprints are read for the few texts that are candidates.
fn group(
    engine: &Engine,
    runtime: &Handle,
    documents: &[PrintedDocument],
    least: f32,
) -> Result<FoundFamilies, Failure> {
    let read = |keys: &[String]| -> Result<Vec<Fingerprint>, Failure> {
        let bytes = runtime.block_on(engine.store().fingerprints(keys))?;
        let print = |bytes: &Vec<u8>| {
            Fingerprint::from_bytes(bytes).ok_or_else(|| internal("a fingerprint cannot be read back"))
        };
        bytes.par_iter().map(print).collect()
    };
    let mut keys: Vec<String> = documents.iter().filter_map(|document| document.key.clone()).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut sketches: HashMap<&str, Sketch> = HashMap::with_capacity(keys.len());
    for keys in keys.chunks(SKETCHED) {
        let prints = read(keys)?;
        let found: Vec<Sketch> = prints.par_iter().map(Sketch::of).collect();
        sketches.extend(keys.iter().map(String::as_str).zip(found));
    }
    let inputs: Vec<SketchedInput<'_>> = documents
        .iter()
        .map(|document| SketchedInput {
            key: &document.path,
            content: &document.sha256,
            sketch: document.key.as_deref().and_then(|key| sketches.get(key)),
        })
        .collect();
    let mut load = |wanted: &[usize]| -> Result<Vec<Cow<'static, Fingerprint>>, Failure> {
        let keys: Vec<String> = wanted.iter().filter_map(|&document| documents[document].key.clone()).collect();
        Ok(read(&keys)?.into_iter().map(Cow::Owned).collect())
    };
    let mut alike = Alike::find(&inputs, &mut load)?;
    let ever: Vec<bool> = {
        let mut ever = vec![false; documents.len()];
        let all = alike.families(LEAST_JACCARD);
        all.iter().flat_map(|family| &family.members).for_each(|member| ever[member.document] = true);
        ever
    };
    // From all pairs, before some are dropped: only the dial has to do with those that are kept.
    let placed = places(&alike, least);
    let lowest = strongest(&mut alike.pairs);
    let rows = documents
        .iter()
        .zip(&alike.documents)
        .zip(placed)
        .zip(ever)
        .filter(|(_, ever)| *ever)
        .map(|(((document, text), place), _)| (place.record(document.id), text.text, text.words))
        .collect();
    Ok(FoundFamilies { least, lowest, documents: rows, pairs: alike.pairs })
}

/// Leaves as many pairs as are kept, all of those above some similarity, and gives the least threshold that they answer.
fn strongest(pairs: &mut Vec<(u32, u32, f32)>) -> f32 {
    if pairs.len() <= MOST_PAIRS {
        return LEAST_JACCARD;
    }
    let mut values: Vec<f32> = pairs.iter().map(|(_, _, jaccard)| *jaccard).collect();
    values.par_sort_unstable_by(|a, b| b.total_cmp(a));
    let bound = values[MOST_PAIRS];
    pairs.retain(|(_, _, jaccard)| *jaccard > bound);
    bound.next_up()
}

/// Where a document came to stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    family: Option<u32>,
    place: u32,
    likeness: Likeness,
    jaccard: f32,
}

impl Place {
    pub fn record(self, document: sheaf_domain::DocumentId) -> FamilyRecord {
        let Self { family, place, likeness, jaccard } = self;
        FamilyRecord { document, family, place, likeness, jaccard }
    }
}

/// The place of each document at a threshold.
pub fn places(alike: &Alike<'_>, least: f32) -> Vec<Place> {
    let alone = Place { family: None, place: 0, likeness: Likeness::Near, jaccard: 0.0 };
    let mut places = vec![alone; alike.documents.len()];
    for (family, number) in alike.families(least).iter().zip(1..) {
        for (member, place) in family.members.iter().zip(0..) {
            places[member.document] =
                Place { family: Some(number), place, likeness: member.likeness, jaccard: member.jaccard };
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_pairs_are_all_kept_and_of_many_the_strongest() {
        let mut few = vec![(0, 1, 0.4), (0, 2, 0.9)];
        assert!((strongest(&mut few) - LEAST_JACCARD).abs() < f32::EPSILON);
        assert_eq!(few.len(), 2);
        let step = |n: u32| 0.4 + 0.5 * (n % 1000) as f32 / 1000.0;
        let mut many: Vec<(u32, u32, f32)> = (0..MOST_PAIRS as u32 + 5).map(|n| (n, n + 1, step(n))).collect();
        let lowest = strongest(&mut many);
        assert!(many.len() <= MOST_PAIRS && many.len() > MOST_PAIRS / 2, "{}", many.len());
        assert!(many.iter().all(|(_, _, jaccard)| *jaccard >= lowest));
    }
}
