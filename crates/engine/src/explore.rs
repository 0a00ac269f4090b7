//! Facets of a batch, pages of its table, and the way from one document of a list to the next: of a batch at rest from its columns,
//! of one that runs from the tables.

use sheaf_domain::{
    Around, BatchId, ClusterFilter, ClusterId, DocumentId, DocumentQuery, DocumentRow, FacetCount, Facets, Failure,
    Page, SelectedFigures,
};
use tokio::task::spawn_blocking;

use crate::{Engine, internal};

impl Engine {
    /// How many documents each value of each filter would leave beside the other filters. Groups of clusters are counted like
    /// clusters.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn facets(&self, batch: BatchId, query: &DocumentQuery) -> Result<Facets, Failure> {
        Ok(self.facets_and_figures(batch, query).await?.0)
    }

    /// The same with the figures of the documents that match; without them while the batch runs.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn facets_and_figures(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
    ) -> Result<(Facets, Option<SelectedFigures>), Failure> {
        let (mut facets, figures) = if self.batch(batch).await?.status.is_final() {
            let (columns, worded) = futures::try_join!(self.columns(batch), self.worded(batch, query))?;
            let query = query.clone();
            let count = move || {
                let selection = columns.select(&query, &worded);
                (selection.facets(), Some(selection.figures()))
            };
            spawn_blocking(count).await.map_err(internal)?
        } else {
            (Facets::of(&self.store().facets(Some(batch), query).await?, query), None)
        };
        // Parts come before the groups they join to.
        for merge in self.store().merges(batch).await? {
            let of = |part: ClusterId| count(&facets.clusters, ClusterFilter::Cluster(part));
            let documents = merge.parts.into_iter().map(of).sum();
            facets.clusters.push(FacetCount { value: ClusterFilter::Cluster(merge.group.id), documents });
        }
        Ok((facets, figures))
    }

    /// A page of the table.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn documents(&self, batch: BatchId, query: &DocumentQuery) -> Result<Page<DocumentRow>, Failure> {
        if !self.batch(batch).await?.status.is_final() {
            return Ok(self.store().documents(batch, query).await?);
        }
        let (columns, worded) = futures::try_join!(self.columns(batch), self.worded(batch, query))?;
        let of = query.clone();
        let page = spawn_blocking(move || columns.select(&of, &worded).page());
        let (ids, total) = page.await.map_err(internal)?;
        let items = self.store().rows_of(batch, &ids).await?;
        let next = u64::from(query.offset) + ids.len() as u64;
        let next_cursor = (next < total && !ids.is_empty()).then(|| next.to_string());
        Ok(Page { items, total, next_cursor })
    }

    /// What comes before and after a document among those that match, in their order; absent when it does not match.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn around(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        document: DocumentId,
    ) -> Result<Option<Around>, Failure> {
        if !self.batch(batch).await?.status.is_final() {
            return Ok(self.store().around(batch, query, document).await?);
        }
        let (columns, worded) = futures::try_join!(self.columns(batch), self.worded(batch, query))?;
        let query = query.clone();
        spawn_blocking(move || columns.select(&query, &worded).around(document)).await.map_err(internal)
    }
}

fn count(counts: &[FacetCount<ClusterFilter>], value: ClusterFilter) -> u64 {
    counts.iter().find(|count| count.value == value).map_or(0, |count| count.documents)
}
