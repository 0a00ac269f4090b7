//! Documents by the cosine of their vectors to that of a question: every vector is looked at, nothing is estimated.

use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sheaf_analysis::{embed_documents, similarities};
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, Failure, FailureCode, ModelName};
use sheaf_store::{BatchVectors, SearchScope};
use tokio::task::spawn_blocking;

use crate::heatmap::Vectors;
use crate::{Engine, internal};

/// Batches that are looked at, the latest first, and documents of them together.
const BATCHES: u32 = 100;
const DOCUMENTS: u32 = 200_000;
/// Rows that are compared at a time.
const BLOCK: usize = 4096;
/// Below this cosine two texts have nothing to do with each other.
const FLOOR: f32 = 0.25;

/// A document and its similarity to the question.
#[derive(Clone, Copy, Debug)]
pub struct Near {
    pub document: DocumentId,
    pub similarity: f32,
}

/// The beginning of a text, at most so many bytes.
pub fn cut(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}

impl Engine {
    /// Documents nearest to a text, nearest first; absent when nothing can be compared.
    pub(super) async fn near_text(
        &self,
        text: &str,
        scope: SearchScope<'_>,
        most: usize,
    ) -> Result<Option<Vec<Near>>, Failure> {
        let batches = self.store().batch_vectors(scope.batch, BATCHES).await?;
        let mut questions: Vec<(ModelName, Option<Vec<f32>>)> = Vec::new();
        let (mut compared, mut left) = (false, DOCUMENTS);
        let mut near = Vec::new();
        for of in batches {
            if of.file.rows > left {
                continue;
            }
            left -= of.file.rows;
            let question = match questions.iter().find(|(model, _)| *model == of.model) {
                Some((_, question)) => question.clone(),
                None => {
                    let question = self.question(of.model, text).await?;
                    questions.push((of.model, question.clone()));
                    question
                }
            };
            let Some(question) = question.filter(|question| question.len() == of.file.dimensions as usize) else {
                continue;
            };
            compared = true;
            near.extend(self.near_in(&of, question, scope.filter, most).await?);
        }
        sort(&mut near);
        near.truncate(most);
        Ok(compared.then_some(near))
    }

    /// Documents nearest to the mean of others, which are left out.
    pub(super) async fn near_documents(
        &self,
        batch: BatchId,
        documents: &[DocumentId],
        most: usize,
    ) -> Result<Vec<Near>, Failure> {
        let of = self.store().batch_vectors(Some(batch), 1).await?.into_iter().next();
        let of = of.ok_or_else(|| Failure::new(FailureCode::NotReady, "the batch has not been analysed yet"))?;
        let vectors = self.kept_vectors(&of.file).await?;
        let all = DocumentQuery::default();
        let mut mean = vec![0.0_f32; vectors.dimensions()];
        let mut any = false;
        for (position, id) in self.store().positions(batch, &all).await? {
            if documents.contains(&id) && (position as usize) < vectors.rows() {
                mean.iter_mut().zip(vectors.row(position as usize)).for_each(|(sum, x)| *sum += x);
                any = true;
            }
        }
        let norm = mean.iter().map(|x| x * x).sum::<f32>().sqrt();
        if !any || norm < 1e-6 {
            return Err(Failure::new(FailureCode::NotFound, "none of these documents is in the batch's comparison"));
        }
        mean.iter_mut().for_each(|x| *x /= norm);
        let mut near = self.near_in(&of, mean, &all, most + documents.len()).await?;
        near.retain(|near| !documents.contains(&near.document));
        sort(&mut near);
        near.truncate(most);
        Ok(near)
    }

    /// The vector of a text; absent when the model is not there, or knows none of its words.
    async fn question(&self, model: ModelName, text: &str) -> Result<Option<Vec<f32>>, Failure> {
        let model = match self.models().get(model).await {
            Ok(model) => model,
            Err(failure) if failure.code == FailureCode::ModelMissing => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let text = text.to_owned();
        let embedded = spawn_blocking(move || embed_documents(&*model, &[&text], &|_| {})).await.map_err(internal)?;
        Ok(embedded.map_err(internal)?.into_iter().next().flatten())
    }

    async fn near_in(
        &self,
        of: &BatchVectors,
        question: Vec<f32>,
        filter: &DocumentQuery,
        most: usize,
    ) -> Result<Vec<Near>, Failure> {
        let vectors = self.kept_vectors(&of.file).await?;
        let allowed = match filter.is_narrowed() {
            true => Some(self.store().positions(of.batch, filter).await?),
            false => None,
        };
        let rows: Option<Vec<u32>> = allowed.map(|allowed| allowed.into_iter().map(|(position, _)| position).collect());
        let best =
            spawn_blocking(move || nearest(&vectors, &question, rows.as_deref(), most)).await.map_err(internal)?;
        let positions: Vec<u32> = best.iter().map(|(position, _)| *position).collect();
        let placed = self.store().placed_at(of.batch, &positions).await?;
        let near = |(position, similarity): (u32, f32)| {
            let (_, document) = placed.iter().find(|(at, _)| *at == position)?;
            Some(Near { document: *document, similarity })
        };
        Ok(best.into_iter().filter_map(near).collect())
    }
}

/// The `most` rows nearest to a question, of `among` or of all, nearest first.
fn nearest(vectors: &Arc<Vectors>, question: &[f32], among: Option<&[u32]>, most: usize) -> Vec<(u32, f32)> {
    let rows = vectors.rows();
    let blocks = (0..rows.div_ceil(BLOCK)).into_par_iter().flat_map_iter(|block| {
        let (start, end) = (block * BLOCK, ((block + 1) * BLOCK).min(rows));
        let is_asked = |row: u32| among.is_none_or(|among| among.binary_search(&row).is_ok());
        let values = similarities(question, vectors.range(start, end), vectors.dimensions());
        let row = |at: usize| u32::try_from(start + at).unwrap_or(u32::MAX);
        let mut best: Vec<(u32, f32)> = values
            .into_iter()
            .enumerate()
            .filter(|(_, value)| *value >= FLOOR)
            .map(|(at, value)| (row(at), value))
            .filter(|(row, _)| is_asked(*row))
            .collect();
        best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        best.truncate(most);
        best
    });
    let mut best: Vec<(u32, f32)> = blocks.collect();
    best.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    best.truncate(most);
    best
}

fn sort(near: &mut [Near]) {
    near.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.document.cmp(&b.document)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_of_many_blocks_are_found_in_order() {
        let rows = 2 * BLOCK + 10;
        let values: Vec<f32> = (0..rows)
            .flat_map(|row| {
                let angle = row as f32 / rows as f32 * std::f32::consts::FRAC_PI_2;
                [angle.cos(), angle.sin()]
            })
            .collect();
        let vectors = Arc::new(Vectors::new(values, 2));
        let found: Vec<u32> = nearest(&vectors, &[0.0, 1.0], None, 3).into_iter().map(|(row, _)| row).collect();
        let last = u32::try_from(rows - 1).expect("few");
        assert_eq!(found, [last, last - 1, last - 2]);
        let found = nearest(&vectors, &[1.0, 0.0], Some(&[5, 5000]), 3);
        assert_eq!(found.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [5, 5000]);
    }
}
