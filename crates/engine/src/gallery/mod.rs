//! Other clusterings of a batch: asked for, listed with what they change, taken over or removed.

mod compute;

use std::collections::HashMap;

use sheaf_analysis::metrics::{adjusted_rand_index, moved};
use sheaf_domain::{
    BatchId, BatchParams, ClusterId, ClusteringId, Compared, DocumentId, Failure, FailureCode, Gallery, Method, Status,
    TriedClustering,
};
use sheaf_store::TriedPlaces;
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::{Engine, internal};

pub(crate) use compute::work;

impl Engine {
    /// What a batch is grouped by, and what else was tried, each compared with what the batch has now.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn gallery(&self, batch: BatchId) -> Result<Gallery, Failure> {
        let current = self.batch(batch).await?.params;
        let mut items = self.store().tried(batch).await?;
        let mut places = HashMap::new();
        for tried in items.iter().filter(|tried| tried.status == Status::Completed) {
            places.insert(tried.id, self.store().tried_places(tried.id).await?);
        }
        if !places.is_empty() {
            let own = self.store().grouped_documents(batch).await?;
            let compared = spawn_blocking(move || {
                let own: HashMap<DocumentId, Option<ClusterId>> = own.into_iter().collect();
                places
                    .into_iter()
                    .filter_map(|(id, places)| Some((id, compare(&own, &places)?)))
                    .collect::<HashMap<_, _>>()
            });
            let compared = compared.await.map_err(internal)?;
            items.iter_mut().for_each(|tried| tried.compared = compared.get(&tried.id).copied());
        }
        Ok(Gallery { current, items })
    }

    /// One of them.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn tried(&self, batch: BatchId, id: ClusteringId) -> Result<TriedClustering, Failure> {
        let found = self.gallery(batch).await?.items.into_iter().find(|tried| tried.id == id);
        found.ok_or_else(|| no_clustering(id))
    }

    /// Asks for a clustering with these parameters; it is computed in the background. The model is that of the batch.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` for parameters that do not fit, a method that cannot take the batch, or one clustering too
    /// many; `storage`.
    pub async fn try_clustering(&self, batch: BatchId, params: BatchParams) -> Result<TriedClustering, Failure> {
        let of = self.batch(batch).await?;
        let params = BatchParams { model: of.params.model, ..params }.check()?;
        Method::of(&params)?.name().check_size(of.counts.completed)?;
        let items = self.store().tried(batch).await?;
        if items.len() >= Gallery::MOST {
            let message = format!("there are {} clusterings of this batch already", Gallery::MOST);
            return Err(Failure::new(FailureCode::InvalidRequest, message).with_hint("Remove one that is not wanted."));
        }
        let id = ClusteringId(Uuid::now_v7());
        if !self.store().add_tried(id, batch, &params).await? {
            return Err(crate::read::no_batch(batch));
        }
        self.wake();
        let items = self.store().tried(batch).await?;
        items.into_iter().find(|tried| tried.id == id).ok_or_else(|| no_clustering(id))
    }

    /// Removes one; its computation is of no consequence any more.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn delete_tried(&self, batch: BatchId, id: ClusteringId) -> Result<(), Failure> {
        match self.store().delete_tried(batch, id).await? {
            true => Ok(()),
            false => Err(no_clustering(id)),
        }
    }

    /// Makes the parameters of a tried clustering those of the batch, which is grouped anew by them.
    ///
    /// # Errors
    /// `not_found`; `not_ready` while the clustering or the batch is being worked on, or the clustering failed; `storage`.
    pub async fn use_tried(&self, batch: BatchId, id: ClusteringId) -> Result<(), Failure> {
        self.batch(batch).await?;
        let items = self.store().tried(batch).await?;
        let tried = items.into_iter().find(|tried| tried.id == id).ok_or_else(|| no_clustering(id))?;
        if tried.status != Status::Completed {
            let failure = Failure::new(FailureCode::NotReady, format!("clustering `{id}` is not completed"));
            return Err(failure.with_hint("Wait until it is, or use another one."));
        }
        if !self.store().regroup_by(batch, &tried.params).await? {
            let failure = Failure::new(FailureCode::NotReady, format!("batch `{batch}` is being worked on"));
            return Err(failure.with_hint("Wait until the batch has ended."));
        }
        self.wake();
        Ok(())
    }
}

/// What the clustering changes for the documents that are in both; nothing when there is none.
fn compare(own: &HashMap<DocumentId, Option<ClusterId>>, places: &TriedPlaces) -> Option<Compared> {
    let both =
        places.0.iter().filter_map(|(document, after)| Some((own.get(document)?.map(|cluster| cluster.0), *after)));
    let (before, after): (Vec<Option<u32>>, Vec<Option<u32>>) = both.unzip();
    if before.is_empty() {
        return None;
    }
    let label = |group: &Option<u32>| group.map_or(0, |group| group as usize + 1);
    let labels = |groups: &[Option<u32>]| groups.iter().map(label).collect::<Vec<_>>();
    Some(Compared {
        rand: adjusted_rand_index(&labels(&before), &labels(&after)),
        moved: moved(&before, &after) as u64,
        documents: before.len() as u64,
    })
}

fn no_clustering(id: ClusteringId) -> Failure {
    Failure::new(FailureCode::NotFound, format!("there is no clustering `{id}` of this batch"))
        .with_hint("Go back to the list of clusterings; it may have been removed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_both_is_compared() {
        let document = |n: u128| DocumentId(Uuid::from_u128(n));
        let own: HashMap<_, _> =
            [(1, Some(0)), (2, Some(0)), (3, Some(1)), (4, None)].map(|(n, c)| (document(n), c.map(ClusterId))).into();
        let places = |places: &[(u128, Option<u32>)]| {
            TriedPlaces(places.iter().map(|&(n, cluster)| (document(n), cluster)).collect())
        };
        let same = compare(&own, &places(&[(1, Some(5)), (2, Some(5)), (3, Some(2)), (4, None), (9, Some(1))]));
        assert_eq!(same, Some(Compared { rand: 1.0, moved: 0, documents: 4 }));
        let other = compare(&own, &places(&[(1, Some(0)), (2, Some(1)), (3, Some(1))])).expect("compared");
        assert_eq!((other.moved, other.documents), (1, 3));
        assert!(other.rand < 0.5);
        assert_eq!(compare(&own, &places(&[(9, None)])), None);
    }
}
