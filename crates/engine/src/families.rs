//! Families of near-duplicates as pages and the API read them, and the dial of their threshold.

use sheaf_analysis::{Alike, AlikeDocument, LEAST_JACCARD};
use sheaf_domain::{
    BatchId, Failure, FailureCode, Family, FamilyDial, FamilyMember, FamilyQuery, FamilySummary, Likeness, Page,
};
use sheaf_store::KeptAlike;
use tokio::task::spawn_blocking;

use crate::stages::families::places;
use crate::{Engine, internal};

/// How often a new threshold gives way to an analysis that ended meanwhile.
const TRIES: u32 = 3;

impl Engine {
    /// The families of a batch, the largest first.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn families(&self, batch: BatchId, query: &FamilyQuery) -> Result<Page<Family>, Failure> {
        self.batch(batch).await?;
        Ok(self.store().families(batch, query).await?)
    }

    /// The families that come out at a threshold (that of the batch when absent), grouped anew from the pairs that are
    /// kept, with the pair that only just counts. Nothing is changed.
    ///
    /// # Errors
    /// `not_found`; `not_ready` when the batch was not analysed for families; `storage`.
    pub async fn family_dial(
        &self,
        batch: BatchId,
        least: Option<f32>,
        query: &FamilyQuery,
    ) -> Result<FamilyDial, Failure> {
        let kept = self.kept_alike(batch).await?;
        let query = *query;
        spawn_blocking(move || dial(&kept, least, &query)).await.map_err(internal)
    }

    /// Makes a threshold that of the batch: its families, filters and downloads follow.
    ///
    /// # Errors
    /// As [`Self::family_dial`]; `not_ready` as well when the batch is being analysed at the same time again and again.
    pub async fn set_family_threshold(&self, batch: BatchId, least: f32) -> Result<FamilySummary, Failure> {
        for _ in 0..TRIES {
            let kept = self.kept_alike(batch).await?;
            let least = bounded(least, &kept);
            let (places, kept) = spawn_blocking(move || {
                let placed = places(&alike(&kept), least);
                let records = kept.documents.iter().zip(placed).map(|(of, place)| place.record(of.document));
                (records.collect::<Vec<_>>(), kept)
            })
            .await
            .map_err(internal)?;
            if self.store().regroup(batch, kept.round, least, &places).await? {
                return self.store().family_summary(batch).await?.ok_or_else(not_analysed);
            }
        }
        Err(not_analysed())
    }

    /// All families of a batch with all their members, as the download has them.
    ///
    /// # Errors
    /// As [`Self::family_dial`].
    pub(crate) async fn whole_families(&self, batch: BatchId) -> Result<Vec<Family>, Failure> {
        let kept = self.kept_alike(batch).await?;
        spawn_blocking(move || whole(&kept, kept.summary.least)).await.map_err(internal)
    }

    async fn kept_alike(&self, batch: BatchId) -> Result<KeptAlike, Failure> {
        self.batch(batch).await?;
        self.store().alike(batch).await?.ok_or_else(not_analysed)
    }
}

fn not_analysed() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch was not analysed for near-duplicates").with_hint(
        "Wait until it is done. One of an earlier version is analysed when documents are added or tried again.",
    )
}

/// A threshold that the kept pairs answer.
fn bounded(least: f32, kept: &KeptAlike) -> f32 {
    if least.is_nan() { kept.summary.least } else { least.clamp(kept.summary.lowest.max(LEAST_JACCARD), 1.0) }
}

fn alike(kept: &KeptAlike) -> Alike<'_> {
    let documents = kept.documents.iter().map(|document| AlikeDocument {
        key: &document.path,
        content: &document.sha256,
        text: document.text,
        words: document.words,
    });
    Alike { documents: documents.collect(), pairs: kept.pairs.clone() }
}

fn whole(kept: &KeptAlike, least: f32) -> Vec<Family> {
    let families = alike(kept).families(least);
    let member = |member: &sheaf_analysis::Member| {
        let document = &kept.documents[member.document];
        let (id, path) = (document.document, document.path.clone());
        FamilyMember { id, path, kind: member.likeness, jaccard: member.jaccard }
    };
    families
        .iter()
        .zip(1..)
        .map(|(family, id)| Family {
            id,
            size: family.members.len() as u64,
            members: family.members.iter().map(member).collect(),
        })
        .collect()
}

fn dial(kept: &KeptAlike, least: Option<f32>, query: &FamilyQuery) -> FamilyDial {
    let least = least.map_or(kept.summary.least, |least| bounded(least, kept));
    let families = whole(kept, least);
    let mut weakest: Option<(&FamilyMember, &FamilyMember)> = None;
    for family in &families {
        let Some(principal) = family.principal() else { continue };
        for member in family.members.iter().filter(|member| member.kind == Likeness::Near) {
            if weakest.is_none_or(|(_, known)| member.jaccard < known.jaccard) {
                weakest = Some((principal, member));
            }
        }
    }
    let weakest = weakest.map(|(principal, member)| (principal.clone(), member.clone()));
    let documents = families.iter().map(|family| family.size).sum();
    let summary = FamilySummary { families: families.len() as u64, documents, least, lowest: kept.summary.lowest };
    let shown = query.offset.saturating_add(query.effective_limit());
    let next_offset = (families.len() > shown as usize).then_some(shown);
    let mut families: Vec<Family> =
        families.into_iter().skip(query.offset as usize).take(query.effective_limit() as usize).collect();
    families.iter_mut().for_each(|family| family.members.truncate(Family::SHOWN_MEMBERS as usize));
    FamilyDial { summary, families, weakest, next_offset }
}
