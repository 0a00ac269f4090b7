//! The documents of a batch that fit nowhere, the oddest first.

use std::collections::HashMap;

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sheaf_analysis::similarities;
use sheaf_domain::{
    BatchId, Cluster, ClusterId, DocumentId, DocumentQuery, DocumentRow, Failure, NearestCluster, Outlier,
    OutlierQuery, Page,
};
use tokio::task::spawn_blocking;

use crate::heatmap::Vectors;
use crate::map::not_analysed;
use crate::{Engine, internal};

/// An outlier's position, and the cluster that it comes nearest to with the similarity.
type Odd = (usize, Option<(ClusterId, f32)>);

impl Engine {
    /// A page of the outliers, those first that are the least similar to the cluster they come nearest to.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn outliers(&self, batch: BatchId, query: OutlierQuery) -> Result<Page<Outlier>, Failure> {
        self.batch(batch).await?;
        let clustering = self.store().clustering(batch).await?.ok_or_else(not_analysed)?;
        let Some(file) = clustering.vectors else {
            return Ok(Page { items: Vec::new(), total: 0, next_cursor: None });
        };
        let vectors = self.kept_vectors(&file).await?;
        let numbers = self.store().clusters_by_position(batch).await?;
        let odd = spawn_blocking(move || oddest_first(&vectors, &numbers)).await.map_err(internal)?;
        let total = odd.len() as u64;
        let (offset, limit) = (query.offset as usize, query.effective_limit() as usize);
        let page: Vec<Odd> = odd.into_iter().skip(offset).take(limit).collect();
        let placed = self.store().placed(batch).await?;
        let clusters = self.store().clusters(batch).await?;
        let ids: Vec<DocumentId> =
            page.iter().filter_map(|(position, _)| placed.get(*position)).map(|document| document.id).collect();
        let mut rows = self.rows(batch, &ids).await?;
        let mut items = Vec::with_capacity(page.len());
        for (position, nearest) in &page {
            let Some(document) = placed.get(*position).and_then(|placed| rows.remove(&placed.id)) else { continue };
            let neighbour = self.store().neighbours(batch, document.id).await?.into_iter().next();
            items.push(Outlier { document, nearest: nearest.and_then(|found| named(found, &clusters)), neighbour });
        }
        let next = offset as u64 + page.len() as u64;
        let next_cursor = (next < total && !page.is_empty()).then(|| next.to_string());
        Ok(Page { items, total, next_cursor })
    }

    async fn rows(&self, batch: BatchId, ids: &[DocumentId]) -> Result<HashMap<DocumentId, DocumentRow>, Failure> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let query =
            DocumentQuery { documents: ids.to_vec(), limit: DocumentQuery::MAX_LIMIT, ..DocumentQuery::default() };
        let rows = self.store().documents(batch, &query).await?;
        Ok(rows.items.into_iter().map(|row| (row.id, row)).collect())
    }
}

fn named((cluster, similarity): (ClusterId, f32), clusters: &[Cluster]) -> Option<NearestCluster> {
    let name = clusters.iter().find(|known| known.id == cluster)?.name.clone();
    Some(NearestCluster { cluster, name, similarity })
}

/// The positions of outliers by their similarity to the nearest centroid, the least first; `clusters` are in the order of
/// positions.
fn oddest_first(vectors: &Vectors, clusters: &[Option<ClusterId>]) -> Vec<Odd> {
    let dimensions = vectors.dimensions();
    let rows = clusters.len().min(vectors.rows());
    let mut sums: Vec<(ClusterId, Vec<f32>)> = Vec::new();
    for (row, cluster) in clusters[..rows].iter().enumerate() {
        let Some(cluster) = cluster else { continue };
        // The documents of a cluster stand side by side.
        if sums.last().is_none_or(|(last, _)| last != cluster) {
            sums.push((*cluster, vec![0.0; dimensions]));
        }
        if let Some((_, sum)) = sums.last_mut() {
            sum.iter_mut().zip(vectors.row(row)).for_each(|(sum, x)| *sum += x);
        }
    }
    let mut centroids = Vec::with_capacity(sums.len() * dimensions);
    for (_, sum) in &sums {
        let length = sum.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        centroids.extend(sum.iter().map(|x| x / length));
    }
    let outliers: Vec<usize> = (0..rows).filter(|&row| clusters[row].is_none()).collect();
    let mut odd: Vec<Odd> = outliers
        .into_par_iter()
        .map(|row| {
            let to = similarities(vectors.row(row), &centroids, dimensions);
            let nearest = (0..to.len()).max_by(|&a, &b| to[a].total_cmp(&to[b]).then(b.cmp(&a)));
            (row, nearest.map(|nearest| (sums[nearest].0, to[nearest].clamp(-1.0, 1.0))))
        })
        .collect();
    let similarity = |odd: &Odd| odd.1.map_or(-1.0, |(_, similarity)| similarity);
    odd.sort_by(|a, b| similarity(a).total_cmp(&similarity(b)).then(a.0.cmp(&b.0)));
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oddest_comes_first_with_what_it_is_nearest_to() {
        let rows = [[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [-1.0, 0.0], [0.0, 1.0]];
        let vectors = Vectors::new(rows.concat(), 2);
        let clusters = [Some(ClusterId(1)), Some(ClusterId(0)), None, None, None];
        let odd = oddest_first(&vectors, &clusters);
        assert_eq!(odd.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [3, 4, 2]);
        let nearest: Vec<_> = odd.iter().map(|(_, nearest)| nearest.map(|(cluster, _)| cluster.0)).collect();
        assert_eq!(nearest, [Some(0), Some(0), Some(0)]);
        assert!(odd[2].1.is_some_and(|(_, similarity)| (similarity - 0.96).abs() < 1e-6));
    }

    #[test]
    fn without_clusters_nothing_is_near() {
        let vectors = Vectors::new(vec![1.0, 0.0, 0.0, 1.0], 2);
        assert_eq!(oddest_first(&vectors, &[None, None]), [(0, None), (1, None)]);
        assert!(oddest_first(&Vectors::new(Vec::new(), 2), &[]).is_empty());
    }
}
