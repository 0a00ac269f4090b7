//! People change clusters: each edit is checked, joins the list of the batch, and the clusters are made anew from the vectors that
//! are stored, by the same code as in an analysis. What cannot change with it is not found again: neighbours and the map.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use serde_json::Value;
use sheaf_analysis::{AnalyseParams, History, Known, edits};
use sheaf_domain::{
    Batch, BatchId, ClusterChange, ClusterEdit, ClusterEdits, ClusterId, ClusterRequest, DocumentId, DocumentQuery,
    Failure, FailureCode, MovePlace, MoveTarget,
};
use sheaf_store::{AnalysedDocument, ClusterPast, NewEdit, PastEdit, VectorFile};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use crate::blobs::{BlobError, DerivedName};
use crate::map::Places;
use crate::stages::analyse::{Placed, keep_vectors, place};
use crate::stages::past::{Identity, history};
use crate::{Engine, internal, near};

/// How often an edit gives way to another one, or to an analysis, that ended meanwhile.
const TRIES: u32 = 3;

/// The longest name of a cluster, in characters.
const NAME: usize = 100;

/// The most parts that a cluster can be split into at once.
const PARTS: u32 = 50;

impl Engine {
    /// What people did to the clusters of a batch, and what the latest analysis changed.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn cluster_edits(&self, batch: BatchId) -> Result<ClusterEdits, Failure> {
        self.batch(batch).await?;
        Ok(self.store().cluster_edits(batch).await?)
    }

    /// Changes clusters as a person asks, and makes all anew that follows from it.
    ///
    /// # Errors
    /// `not_found`; `invalid_request` for what cannot be done; `not_ready` when the batch has no clusters or is at work; `storage`.
    pub async fn edit_clusters(&self, batch: BatchId, request: ClusterRequest) -> Result<ClusterEdit, Failure> {
        self.change_clusters(batch, &Wanted::Edit(request)).await
    }

    /// Takes an edit back: the clusters are what the others make of them.
    ///
    /// # Errors
    /// As [`Self::edit_clusters`].
    pub async fn take_back_edit(&self, batch: BatchId, edit: u32) -> Result<ClusterEdit, Failure> {
        self.change_clusters(batch, &Wanted::TakeBack(edit)).await
    }

    /// The documents that match and were grouped, by path.
    ///
    /// # Errors
    /// `not_found`, `storage`.
    pub async fn grouped_documents(&self, batch: BatchId, which: &DocumentQuery) -> Result<Vec<DocumentId>, Failure> {
        self.matching(batch, which, |row| row.probability.is_some()).await
    }

    /// A batch's manifest: what its clusters depend on, as JSON.
    ///
    /// # Errors
    /// `not_found`; `not_ready` before the batch was analysed; `storage`.
    pub async fn manifest(&self, batch: BatchId) -> Result<String, Failure> {
        self.batch(batch).await?;
        Ok(self.store().clustering(batch).await?.ok_or_else(not_analysed)?.manifest)
    }

    async fn change_clusters(&self, batch: BatchId, wanted: &Wanted) -> Result<ClusterEdit, Failure> {
        for _ in 0..TRIES {
            let now = self.now(batch).await?;
            let made = match self.renaming(&now, wanted).await? {
                Some((edit, name)) => self.store().keep_cluster_name(batch, now.past.round, &edit, &name).await?,
                None => self.regroup(now, wanted.clone()).await?,
            };
            if let Some(made) = made {
                let edits = self.store().cluster_edits(batch).await?.edits;
                let edit = edits.into_iter().find(|edit| edit.id == made);
                return edit.ok_or_else(|| internal("an edit that was made is not there"));
            }
        }
        Err(at_work())
    }

    /// Makes all anew that follows from an edit. Absent when another edit or an analysis ended meanwhile.
    async fn regroup(&self, now: Now, wanted: Wanted) -> Result<Option<u32>, Failure> {
        let (batch, round) = (now.batch.id, now.past.round);
        let placed: HashSet<DocumentId> = now.past.documents.iter().map(|was| was.document).collect();
        let mut documents = self.store().analysed_documents(batch).await?;
        // What came since the last analysis was never placed.
        documents.retain(|document| placed.contains(&document.id));
        if documents.is_empty() {
            return Err(not_analysed());
        }
        let known = self.known(&now, &documents).await?;
        let made = spawn_blocking(move || now.change(&wanted, &documents, known)).await.map_err(internal)?;
        let Made { edit, placed, manifest } = made?;
        // Edits may be made at the same time: each file has a name of its own.
        let tag = format!("edit-{}", Uuid::now_v7().simple());
        let clustering = keep_vectors(self, batch, &tag, placed, manifest).await?;
        Ok(self.store().keep_cluster_edit(batch, round, &edit, &clustering).await?)
    }

    /// What was found of the very same documents already: neighbours and places on the map do not depend on edits. What is not
    /// there is found anew.
    async fn known(&self, now: &Now, documents: &[AnalysedDocument]) -> Result<Known, Failure> {
        let Some(file) = &now.vectors else { return Ok(Known::default()) };
        let vectors: DerivedName = file.name.parse()?;
        let (near_name, places_name) = (near::name(&vectors)?, Places::name(&vectors)?);
        let (placed, near, places) = tokio::join!(
            self.store().placed(now.batch.id),
            self.blobs().read_derived(&near_name),
            self.blobs().read_derived(&places_name),
        );
        let there = |read: Result<Bytes, BlobError>| match read {
            Ok(bytes) => Ok(Some(bytes)),
            Err(BlobError::Missing(_)) => Ok(None),
            Err(error) => Err(Failure::from(error)),
        };
        let (placed, near, places) = (placed?, there(near)?, there(places)?);
        let positions: HashMap<DocumentId, usize> =
            placed.iter().enumerate().map(|(position, document)| (document.id, position)).collect();
        let Some(positions) = documents.iter().map(|d| positions.get(&d.id).copied()).collect::<Option<Vec<_>>>()
        else {
            return Ok(Known::default());
        };
        if positions.len() != placed.len() {
            return Ok(Known::default());
        }
        let places = places.and_then(|bytes| Places::from_bytes(&bytes, positions.len()));
        Ok(Known {
            near: near.and_then(|bytes| near::from_bytes(&bytes)),
            places: places.map(|places| positions.iter().map(|&position| places.0[position]).collect()),
        })
    }

    /// The clusters of a batch as they are.
    async fn now(&self, batch: BatchId) -> Result<Now, Failure> {
        let found = self.batch(batch).await?;
        if !found.status.is_final() {
            return Err(at_work());
        }
        let clustering = self.store().clustering(batch).await?.ok_or_else(not_analysed)?;
        let past = self.store().cluster_past(batch).await?;
        if past.documents.is_empty() {
            return Err(not_analysed());
        }
        Ok(Now { batch: found, past, vectors: clustering.vectors, manifest: clustering.manifest })
    }
}

fn at_work() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch is at work, or somebody else changed its clusters at the same time")
        .with_hint("Wait until it is done, look at its clusters again, and repeat the change.")
}

fn not_analysed() -> Failure {
    Failure::new(FailureCode::NotReady, "the batch has no clusters yet")
}

fn invalid(message: impl Into<String>, hint: &str) -> Failure {
    Failure::new(FailureCode::InvalidRequest, message.into()).with_hint(hint)
}

/// The past with one more edit, or without one.
pub(crate) fn after(mut past: ClusterPast, edit: &NewEdit) -> ClusterPast {
    match edit {
        NewEdit::TakeBack(edit) => past.edits.retain(|known| known.edit.id != *edit),
        NewEdit::Add { change, stay } => {
            let last = past.edits.last().map_or(0, |last| last.edit.id);
            let named = change.clusters().into_iter().chain(stay.iter().filter_map(|(_, to)| *to));
            past.next = named.map(|id| id.0 + 1).fold(past.next, u32::max);
            let documents = stay.len() as u64;
            let edit = ClusterEdit { id: last + 1, made_at: 0, taken_back: false, change: change.clone(), documents };
            past.edits.push(PastEdit { edit, stay: stay.clone() });
        }
    }
    past
}

/// The manifest of the analysis with what people changed since.
pub(crate) fn with_identity(manifest: &str, identity: Option<Identity>) -> Result<String, Failure> {
    let mut manifest: BTreeMap<String, Value> = serde_json::from_str(manifest).map_err(internal)?;
    manifest.remove("identity");
    if let Some(identity) = identity {
        manifest.insert("identity".to_owned(), serde_json::to_value(identity).map_err(internal)?);
    }
    serde_json::to_string(&manifest).map_err(internal)
}

/// What a person wants.
#[derive(Clone)]
pub(crate) enum Wanted {
    Edit(ClusterRequest),
    TakeBack(u32),
}

/// An edit and what follows from it.
struct Made {
    edit: NewEdit,
    placed: Placed,
    manifest: String,
}

/// The clusters of a batch before an edit.
pub(crate) struct Now {
    pub batch: Batch,
    pub past: ClusterPast,
    vectors: Option<VectorFile>,
    pub manifest: String,
}

type Stay = Vec<(DocumentId, Option<ClusterId>)>;

impl Now {
    /// Checks what is wanted, and makes the clusters that follow from it.
    fn change(self, wanted: &Wanted, documents: &[AnalysedDocument], known: Known) -> Result<Made, Failure> {
        let edit = match wanted {
            Wanted::Edit(request) => self.plan(request, documents)?,
            Wanted::TakeBack(edit) => self.without(*edit)?,
        };
        let past = after(self.past, &edit);
        let history = History { known, ..history(&past, documents, true) };
        let placed = place(documents, &self.batch.params, &history)?;
        let identity = Identity::new(&past, &placed.found, documents);
        Ok(Made { edit, placed, manifest: with_identity(&self.manifest, identity)? })
    }

    /// The edit that a request comes to.
    fn plan(&self, request: &ClusterRequest, documents: &[AnalysedDocument]) -> Result<NewEdit, Failure> {
        let (change, stay) = match request {
            ClusterRequest::Rename { cluster, name } => (self.rename(*cluster, name)?, Vec::new()),
            ClusterRequest::Merge { clusters, into } => self.merge(clusters, *into)?,
            ClusterRequest::Split { cluster, parts } => self.split(documents, *cluster, *parts)?,
            ClusterRequest::Move { documents: moved, to } => self.move_to(moved, *to)?,
            ClusterRequest::Pin { documents: pinned } => {
                let places = self.places(pinned)?;
                (ClusterChange::Pin, places.into_iter().collect())
            }
        };
        Ok(NewEdit::Add { change, stay })
    }

    pub fn without(&self, edit: u32) -> Result<NewEdit, Failure> {
        match self.past.edits.iter().any(|known| known.edit.id == edit) {
            true => Ok(NewEdit::TakeBack(edit)),
            false => Err(Failure::new(FailureCode::NotFound, format!("there is no edit {edit} that stands"))
                .with_hint("Look at the list of edits; it may have been taken back already.")),
        }
    }

    fn exists(&self, cluster: ClusterId) -> Result<ClusterId, Failure> {
        match self.past.clusters.iter().any(|(id, _)| *id == cluster) {
            true => Ok(cluster),
            false => Err(Failure::new(FailureCode::NotFound, format!("there is no cluster {cluster} in this batch"))
                .with_hint(
                    "Go back to the batch and look at its clusters. Groups of a coarser level cannot be changed.",
                )),
        }
    }

    pub fn rename(&self, cluster: ClusterId, name: &str) -> Result<ClusterChange, Failure> {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let cluster = self.exists(cluster)?;
        if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
            return Err(invalid("the name is empty or too long", "Give a name of at most 100 characters."));
        }
        if self.past.clusters.iter().any(|(id, known)| *id != cluster && *known == name) {
            return Err(invalid(format!("another cluster is called `{name}`"), "Give a name that no other one has."));
        }
        Ok(ClusterChange::Rename { cluster, name })
    }

    fn merge(&self, clusters: &[ClusterId], into: ClusterId) -> Result<(ClusterChange, Stay), Failure> {
        let into = self.exists(into)?;
        let others: BTreeSet<ClusterId> = clusters.iter().copied().filter(|cluster| *cluster != into).collect();
        if others.is_empty() {
            return Err(invalid("there is nothing to merge", "Name at least one other cluster."));
        }
        others.iter().try_for_each(|cluster| self.exists(*cluster).map(drop))?;
        let inside = |cluster: Option<ClusterId>| cluster.is_some_and(|id| id == into || others.contains(&id));
        let members = self.past.documents.iter().filter(|was| inside(was.cluster));
        let stay = members.map(|was| (was.document, Some(into))).collect();
        Ok((ClusterChange::Merge { clusters: others.into_iter().collect(), into }, stay))
    }

    fn split(
        &self,
        documents: &[AnalysedDocument],
        cluster: ClusterId,
        parts: Option<u32>,
    ) -> Result<(ClusterChange, Stay), Failure> {
        let cluster = self.exists(cluster)?;
        if parts.is_some_and(|parts| !(2..=PARTS).contains(&parts)) {
            return Err(invalid("the number of parts is out of bounds", "Give a number from 2 to 50, or none."));
        }
        let members: HashSet<DocumentId> =
            self.past.documents.iter().filter(|was| was.cluster == Some(cluster)).map(|was| was.document).collect();
        let members: Vec<&AnalysedDocument> = documents.iter().filter(|d| members.contains(&d.id)).collect();
        let keys: Vec<String> = members.iter().map(|d| format!("{} {}", d.sha256, d.path)).collect();
        let vectors: Vec<(&str, &[f32])> =
            keys.iter().zip(&members).map(|(key, d)| (key.as_str(), d.vectored.vector.as_slice())).collect();
        let params = AnalyseParams { seed: self.batch.params.seed, ..AnalyseParams::default() };
        let groups = edits::split(&vectors, &params, parts);
        let count = groups.iter().max().map_or(0, |&most| most + 1);
        if count < 2 {
            let hint = match parts {
                None => "Give a number of parts, or move the documents that do not belong.",
                Some(_) => "Its documents have the same text. Move those that do not belong.",
            };
            return Err(invalid(format!("no parts of cluster {cluster} stand apart"), hint));
        }
        let number = |group: u32| if group == 0 { cluster } else { ClusterId(self.past.next + group - 1) };
        let stay = members.iter().zip(&groups).map(|(d, &group)| (d.id, Some(number(group)))).collect();
        Ok((ClusterChange::Split { cluster, parts: (0..count).map(number).collect() }, stay))
    }

    fn move_to(&self, documents: &[DocumentId], to: MoveTarget) -> Result<(ClusterChange, Stay), Failure> {
        let to = match to {
            MoveTarget::Cluster(cluster) => Some(self.exists(cluster)?),
            MoveTarget::Place(MovePlace::New) => Some(ClusterId(self.past.next)),
            MoveTarget::Place(MovePlace::Outliers) => None,
        };
        let moved = self.places(documents)?;
        let stays = |document: &DocumentId| !moved.contains_key(document);
        if to.is_none() && !self.past.documents.iter().any(|was| was.cluster.is_some() && stays(&was.document)) {
            return Err(invalid("no cluster would be left", "Leave at least one document in a cluster."));
        }
        let stay = moved.into_keys().map(|document| (document, to)).collect();
        Ok((ClusterChange::Move { to }, stay))
    }

    /// Where documents are; none may be missing.
    fn places(&self, documents: &[DocumentId]) -> Result<BTreeMap<DocumentId, Option<ClusterId>>, Failure> {
        if documents.is_empty() {
            return Err(invalid("no document was chosen", "Choose at least one document that was grouped."));
        }
        let was: HashMap<DocumentId, Option<ClusterId>> =
            self.past.documents.iter().map(|was| (was.document, was.cluster)).collect();
        let place = |document: &DocumentId| {
            let found = was.get(document).map(|cluster| (*document, *cluster));
            found.ok_or_else(|| {
                Failure::new(
                    FailureCode::NotFound,
                    format!("document `{document}` is not among those that were grouped"),
                )
                .with_hint("Choose documents that are in a cluster or among the outliers.")
            })
        };
        documents.iter().map(place).collect()
    }
}
