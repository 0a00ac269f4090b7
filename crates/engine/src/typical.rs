//! What a cluster is about, in the words of its documents: the sentence of each that holds most of the cluster's keywords.

use std::collections::HashSet;

use sheaf_analysis::Terms;
use sheaf_domain::{BatchId, Cluster, ClusterFilter, DocumentId, DocumentQuery, Failure, SortKey};

use crate::Engine;
use crate::flows::sentences;

/// Documents whose sentences are shown.
const SHOWN: u32 = 4;
/// Characters of a text that are looked at: what a document is about is said early.
const LOOKED_AT: usize = 20_000;
/// Words of a sentence, from and to.
const WORDS: std::ops::RangeInclusive<usize> = 4..=60;

/// A sentence of a document that sits firmly in its cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typical {
    pub document: DocumentId,
    pub path: String,
    pub sentence: String,
}

impl Engine {
    /// Sentences of the documents that sit most firmly in a cluster; of a document without one of any use, none.
    ///
    /// # Errors
    /// `storage`.
    pub async fn typical_sentences(&self, batch: BatchId, cluster: &Cluster) -> Result<Vec<Typical>, Failure> {
        let query = DocumentQuery {
            cluster: Some(ClusterFilter::Cluster(cluster.id)),
            sort: SortKey::Probability,
            descending: true,
            limit: SHOWN,
            ..DocumentQuery::default()
        };
        let mut found = Vec::new();
        for row in self.store().documents(batch, &query).await?.items {
            let Some(text) = self.store().text(batch, row.id).await? else { continue };
            if let Some(sentence) = best(&text, &cluster.keywords, row.language.as_deref()) {
                found.push(Typical { document: row.id, path: row.path, sentence });
            }
        }
        Ok(found)
    }
}

/// The sentence with the most of the keywords, by stems; of equals the first.
fn best(text: &str, keywords: &[String], language: Option<&str>) -> Option<String> {
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(at, _)| at);
    let text = &text[..end];
    let wanted = Terms::of(&keywords.join(" "), language);
    let wanted: HashSet<&str> = wanted.iter().map(|(_, stem, _)| stem).collect();
    let mut best: Option<(usize, String)> = None;
    for place in sentences(text) {
        let words: Vec<&str> = text[place].split_whitespace().collect();
        if !WORDS.contains(&words.len()) {
            continue;
        }
        let sentence = words.join(" ");
        let stems = Terms::of(&sentence, language);
        let held: HashSet<&str> = stems.iter().map(|(_, stem, _)| stem).filter(|stem| wanted.contains(stem)).collect();
        let is_better = best.as_ref().is_none_or(|(most, _)| held.len() > *most);
        if !held.is_empty() && is_better {
            best = Some((held.len(), sentence));
        }
    }
    best.map(|(_, sentence)| sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_with_most_keywords_stands_for_its_document() {
        let keywords = ["budget", "parliament", "vote"].map(str::to_owned);
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(best(text, &keywords, Some("eng")).as_deref(), expect, "{text}");
        };
        let text = "It was a cold day in March. The budget was late. Parliament voted\non the budgets at night. Later the \
                    budget passed the vote of parliament.";
        check(text, Some("Parliament voted on the budgets at night."));
        check("Nothing of that kind was said by anybody here.", None);
        check("Budget.", None);
        check("", None);
    }
}
