//! Finding documents by their words and by their meaning, over a batch or all of them. The two lists are fused by
//! reciprocal rank (Cormack, Clarke, Büttcher, SIGIR 2009).

mod meaning;
mod snippet;
mod vectors;

pub use vectors::VectorCache;

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

use sheaf_domain::{
    BatchId, DocumentId, DocumentQuery, Facets, Failure, FailureCode, SearchHit, SearchMode, SearchQuery,
    SearchResults, SimilarQuery, TextQuery,
};
use sheaf_store::SearchScope;

use crate::Engine;
use meaning::Near;

/// Documents of each list that are ranked.
const RANKED: u32 = 200;
/// The same of documents that are only found by their meaning, beside words.
const NEAR: usize = 50;
/// The constant of reciprocal rank fusion, from its paper.
const FUSION: f32 = 60.0;
/// Documents that others can be asked to be like, and bytes of a text.
const MOST_DOCUMENTS: usize = 1000;
const MOST_TEXT: usize = 20_000;
/// Texts that are indexed in one step after the start, and the pause between two.
const INDEXED: u32 = 64;
const PAUSE: Duration = Duration::from_millis(20);

/// Where one document stands in the lists.
#[derive(Clone, Copy, Debug, Default)]
struct Standing {
    score: f32,
    by_words: bool,
    by_name: bool,
    similarity: Option<f32>,
}

/// What was found, before a page of it is read.
struct Ranking {
    standings: HashMap<DocumentId, Standing>,
    /// Whether there are more than were ranked.
    more: bool,
    /// Whether meaning could be compared.
    compared: bool,
}

impl Engine {
    /// Documents that have the words or are about the same, the best first. Nothing that is typed is an error.
    ///
    /// # Errors
    /// `not_found` for a batch that is none, `storage`.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchResults, Failure> {
        if let Some(batch) = query.batch {
            self.batch(batch).await?;
        }
        if query.text.trim().is_empty() {
            return Ok(SearchResults::default());
        }
        let ranking = self.rank_all(query, &query.filter).await?;
        self.results(ranking, query).await
    }

    /// The same with the values of each filter, and how many of the documents that are ranked without any filter have them
    /// beside the other filters.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub async fn search_with_facets(&self, query: &SearchQuery) -> Result<(SearchResults, Facets), Failure> {
        if let Some(batch) = query.batch {
            self.batch(batch).await?;
        }
        if query.text.trim().is_empty() {
            return Ok((SearchResults::default(), Facets::default()));
        }
        let all = self.rank_all(query, &DocumentQuery::default()).await?;
        let documents: Vec<DocumentId> = all.standings.keys().copied().collect();
        let facets = match documents.is_empty() {
            true => Facets::default(),
            false => {
                let beside = DocumentQuery { search: None, documents, ..query.filter.clone() };
                Facets::of(&self.store().facets(query.batch, &beside).await?, &beside)
            }
        };
        let is_narrowed = DocumentQuery { search: None, ..query.filter.clone() }.is_narrowed();
        let ranking = if is_narrowed { self.rank_all(query, &query.filter).await? } else { all };
        Ok((self.results(ranking, query).await?, facets))
    }

    async fn results(&self, ranking: Ranking, query: &SearchQuery) -> Result<SearchResults, Failure> {
        let Ranking { standings, more, compared } = ranking;
        let words = TextQuery::parse(&query.text);
        let mut results = self.page_of(standings, &words, query.offset, query.effective_limit()).await?;
        (results.more, results.meaning) = (more, compared);
        Ok(results)
    }

    /// Where documents that a filter lets through stand.
    async fn rank_all(&self, query: &SearchQuery, filter: &DocumentQuery) -> Result<Ranking, Failure> {
        let filter = DocumentQuery { search: None, ..filter.clone() };
        let scope = SearchScope { batch: query.batch, filter: &filter };
        let words = TextQuery::parse(&query.text);
        let typed = query.text.trim();
        let by_words = async {
            match query.mode {
                SearchMode::Meaning => Ok(None),
                SearchMode::Words | SearchMode::Both => {
                    let texts = self.store().search_texts(&words, scope, RANKED + 1);
                    let names = self.store().search_names(typed, scope, RANKED + 1);
                    futures::try_join!(texts, names).map(Some).map_err(Failure::from)
                }
            }
        };
        let by_meaning = async {
            let most = match query.mode {
                SearchMode::Words => return Ok(None),
                SearchMode::Both => NEAR,
                SearchMode::Meaning => RANKED as usize,
            };
            self.near_text(meaning::cut(typed, MOST_TEXT), scope, most).await
        };
        // The one waits for the database, the other computes.
        let (by_words, by_meaning) = futures::try_join!(by_words, by_meaning)?;
        let mut standings: HashMap<DocumentId, Standing> = HashMap::new();
        let mut more = false;
        if let Some((texts, names)) = by_words {
            more = texts.len().max(names.len()) > RANKED as usize;
            rank(&mut standings, texts, |standing| standing.by_words = true);
            rank(&mut standings, names, |standing| standing.by_name = true);
        }
        let compared = by_meaning.is_some();
        rank_near(&mut standings, &by_meaning.unwrap_or_default());
        Ok(Ranking { standings, more, compared })
    }

    /// The documents of a batch that are most like a text, or like others of its documents, which are not among them.
    ///
    /// # Errors
    /// `invalid_request` when neither is given, `not_found`, `not_ready`, `model_missing`, `storage`.
    pub async fn similar(&self, batch: BatchId, query: &SimilarQuery) -> Result<SearchResults, Failure> {
        self.batch(batch).await?;
        let text = query.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let near = match text {
            Some(text) => {
                let filter = DocumentQuery::default();
                let scope = SearchScope { batch: Some(batch), filter: &filter };
                let near = self.near_text(meaning::cut(text, MOST_TEXT), scope, RANKED as usize).await?;
                near.ok_or_else(|| Failure::new(FailureCode::NotReady, "the batch has not been analysed yet"))?
            }
            None if query.documents.is_empty() || query.documents.len() > MOST_DOCUMENTS => {
                return Err(Failure::new(FailureCode::InvalidRequest, "nothing to compare with")
                    .with_hint(format!("Give a text, or 1 to {MOST_DOCUMENTS} ids of documents of the batch.")));
            }
            None => self.near_documents(batch, &query.documents, RANKED as usize).await?,
        };
        let mut standings = HashMap::new();
        rank_near(&mut standings, &near);
        let limit = SearchQuery { limit: query.limit, ..SearchQuery::default() }.effective_limit();
        let mut results = self.page_of(standings, &TextQuery::default(), query.offset, limit).await?;
        results.meaning = true;
        Ok(results)
    }

    /// One page of what is ranked, with what it shows.
    async fn page_of(
        &self,
        standings: HashMap<DocumentId, Standing>,
        words: &TextQuery,
        offset: u32,
        limit: u32,
    ) -> Result<SearchResults, Failure> {
        let mut ranked: Vec<(DocumentId, Standing)> = standings.into_iter().collect();
        let order = |a: &(DocumentId, Standing), b: &(DocumentId, Standing)| {
            b.1.score.partial_cmp(&a.1.score).unwrap_or(Ordering::Equal).then(a.0.cmp(&b.0))
        };
        ranked.sort_by(order);
        let total = ranked.len() as u64;
        let shown: Vec<(DocumentId, Standing)> =
            ranked.into_iter().skip(offset as usize).take(limit as usize).collect();
        let ids: Vec<DocumentId> = shown.iter().map(|(id, _)| *id).collect();
        let mut found: HashMap<DocumentId, _> =
            self.store().found(&ids).await?.into_iter().map(|found| (found.row.id, found)).collect();
        let next = u64::from(offset) + shown.len() as u64;
        let items = shown
            .into_iter()
            .filter_map(|(id, standing)| {
                let found = found.remove(&id)?;
                let (page, snippet) = snippet::of(&found, words, standing.by_words);
                let Standing { by_words, by_name, similarity, .. } = standing;
                let (batch, batch_name, document) = (found.batch, found.batch_name, found.row);
                Some(SearchHit { batch, batch_name, document, page, snippet, by_words, by_name, similarity })
            })
            .collect();
        let next_cursor = (next < total).then(|| next.to_string());
        Ok(SearchResults { items, total, next_cursor, ..SearchResults::default() })
    }

    /// Indexes, in small steps, what an earlier version remembered without an index.
    ///
    /// # Errors
    /// `storage`.
    pub async fn index_old_texts(&self) -> Result<(), Failure> {
        while self.store().index_texts(INDEXED).await? > 0 {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

fn rank(
    standings: &mut HashMap<DocumentId, Standing>,
    list: impl IntoIterator<Item = DocumentId>,
    note: impl Fn(&mut Standing),
) {
    for (place, id) in list.into_iter().take(RANKED as usize).enumerate() {
        let standing = standings.entry(id).or_default();
        standing.score += 1.0 / (FUSION + place as f32 + 1.0);
        note(standing);
    }
}

fn rank_near(standings: &mut HashMap<DocumentId, Standing>, near: &[Near]) {
    let mut seen = HashSet::new();
    let fresh = near.iter().filter(|near| seen.insert(near.document));
    for (place, near) in fresh.enumerate() {
        let standing = standings.entry(near.document).or_default();
        standing.score += 1.0 / (FUSION + place as f32 + 1.0);
        standing.similarity = Some(near.similarity);
    }
}
