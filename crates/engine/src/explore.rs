//! Facets of a batch, and the way from one document of a list to the next.

use sheaf_domain::{Around, BatchId, ClusterFilter, ClusterId, DocumentId, DocumentQuery, FacetCount, Facets, Failure};

use crate::Engine;

impl Engine {
    /// How many documents each value of each filter would leave beside the other filters. Groups of clusters are counted like
    /// clusters.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn facets(&self, batch: BatchId, query: &DocumentQuery) -> Result<Facets, Failure> {
        self.batch(batch).await?;
        let (rows, merges) = futures::try_join!(self.store().facets(Some(batch), query), self.store().merges(batch))?;
        let mut facets = Facets::of(&rows, query);
        // Parts come before the groups they join to.
        for merge in merges {
            let of = |part: ClusterId| count(&facets.clusters, ClusterFilter::Cluster(part));
            let documents = merge.parts.into_iter().map(of).sum();
            facets.clusters.push(FacetCount { value: ClusterFilter::Cluster(merge.group.id), documents });
        }
        Ok(facets)
    }

    /// What comes before and after a document among those that match, in their order; absent when it does not match.
    ///
    /// # Errors
    /// `storage`.
    pub async fn around(
        &self,
        batch: BatchId,
        query: &DocumentQuery,
        document: DocumentId,
    ) -> Result<Option<Around>, Failure> {
        Ok(self.store().around(batch, query, document).await?)
    }
}

fn count(counts: &[FacetCount<ClusterFilter>], value: ClusterFilter) -> u64 {
    counts.iter().find(|count| count.value == value).map_or(0, |count| count.documents)
}
