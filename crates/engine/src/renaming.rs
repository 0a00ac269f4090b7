//! Edits that change nothing but what a cluster is called: no document is looked at, and whoever has the name in it is told.

use serde_json::Value;
use sheaf_analysis::naming::may_be_called;
use sheaf_domain::{Cluster, ClusterChange, ClusterId, ClusterRequest, Failure, Merge, NamedBy};
use sheaf_store::{ClusterPast, NewEdit, NewName};

use crate::identity::{Now, Wanted, after, with_identity};
use crate::stages::past::Identity;
use crate::{Engine, heatmap, internal};

impl Engine {
    /// What is wanted as a new name; absent when more than that follows from it, or may follow: a name that becomes free, or is
    /// taken now, can be that of another cluster too.
    ///
    /// # Errors
    /// As [`Engine::edit_clusters`](Self::edit_clusters) of a name.
    pub(crate) async fn renaming(&self, now: &Now, wanted: &Wanted) -> Result<Option<(NewEdit, NewName)>, Failure> {
        let edit = match wanted {
            Wanted::Edit(ClusterRequest::Rename { cluster, name }) => {
                NewEdit::Add { change: now.rename(*cluster, name)?, stay: Vec::new() }
            }
            Wanted::Edit(
                ClusterRequest::Merge { .. }
                | ClusterRequest::Split { .. }
                | ClusterRequest::Move { .. }
                | ClusterRequest::Pin { .. },
            ) => return Ok(None),
            Wanted::TakeBack(edit) => now.without(*edit)?,
        };
        let (clusters, merges) =
            futures::try_join!(self.store().clusters(now.batch.id), self.store().merges(now.batch.id))?;
        let then = after(now.past.clone(), &edit);
        let Some(name) = new_name(&now.past, &edit, &then, &clusters, &merges) else { return Ok(None) };
        let manifest: Value = serde_json::from_str(&now.manifest).map_err(internal)?;
        let told = manifest.get("identity").map(|told| serde_json::from_value(told.clone()));
        let told = told.transpose().map_err(internal)?;
        let Some(identity) = Identity::with_edit(told, &now.past, &then) else { return Ok(None) };
        let Some(mut picture) = self.store().heatmap(now.batch.id).await? else { return Ok(None) };
        let Name { cluster, name, named_by } = name;
        heatmap::rename(&mut picture, cluster, &name);
        let manifest = with_identity(&now.manifest, Some(identity))?;
        Ok(Some((edit, NewName { cluster, name, named_by, heatmap: picture, manifest })))
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Name {
    cluster: ClusterId,
    name: String,
    named_by: NamedBy,
}

/// What the cluster is called that an edit names, or that gets its name back; absent when that cannot be told from names alone.
fn new_name(
    past: &ClusterPast,
    edit: &NewEdit,
    then: &ClusterPast,
    clusters: &[Cluster],
    merges: &[Merge],
) -> Option<Name> {
    let change = match edit {
        NewEdit::Add { change, stay: _ } => change,
        NewEdit::TakeBack(id) => &past.edits.iter().find(|past| past.edit.id == *id)?.edit.change,
    };
    let renamed = |change: &ClusterChange| match change {
        ClusterChange::Rename { cluster, name } => Some((*cluster, name.clone())),
        ClusterChange::Merge { .. } | ClusterChange::Split { .. } | ClusterChange::Move { .. } | ClusterChange::Pin => {
            None
        }
    };
    let (cluster, _) = renamed(change)?;
    let old = clusters.iter().find(|known| known.id == cluster)?;
    // Before numbers and groups were noted with each analysis, names were made anew.
    if past.round == 0 || past.documents.iter().any(|was| was.found.is_none()) {
        return None;
    }
    let given = then.edits.iter().rev().filter_map(|past| renamed(&past.edit.change)).find(|(id, _)| *id == cluster);
    let (name, named_by) = match given {
        Some((_, name)) => (name, NamedBy::Person),
        // What is in it was changed: its words have to be counted.
        None if old.edited => return None,
        None => (then.found.iter().find(|(id, _)| *id == cluster)?.1.clone(), NamedBy::Words),
    };
    let others = clusters.iter().filter(|other| other.id != cluster).chain(merges.iter().map(|merge| &merge.group));
    let is_numbered = |of: &Cluster, name: &str| of.name.strip_prefix(name).is_some_and(|rest| rest.starts_with(" ("));
    let touches = |other: &Cluster, name: &str| {
        let by_words = other.named_by == NamedBy::Words && may_be_called(&other.keywords, name);
        by_words || other.name == name || is_numbered(other, name)
    };
    let is_alone = !is_numbered(old, &name)
        && others.into_iter().all(|other| !touches(other, &name) && !touches(other, &old.name));
    is_alone.then_some(Name { cluster, name, named_by })
}

#[cfg(test)]
mod tests {
    use sheaf_domain::{ClusterEdit, DocumentId};
    use sheaf_store::PastEdit;
    use uuid::Uuid;

    use super::*;

    fn cluster(id: u32, name: &str, keywords: &[&str]) -> Cluster {
        Cluster {
            id: ClusterId(id),
            name: name.into(),
            keywords: keywords.iter().map(|&word| word.into()).collect(),
            size: 3,
            cohesion: 0.5,
            average_probability: 0.5,
            representative: DocumentId(Uuid::nil()),
            representative_path: String::new(),
            named_by: NamedBy::Words,
            edited: false,
        }
    }

    fn rename(id: u32, name: &str) -> ClusterChange {
        ClusterChange::Rename { cluster: ClusterId(id), name: name.into() }
    }

    fn named(past: &ClusterPast, edit: &NewEdit, clusters: &[Cluster], merges: &[Merge]) -> Option<(String, NamedBy)> {
        let then = after(past.clone(), edit);
        new_name(past, edit, &then, clusters, merges).map(|found| (found.name, found.named_by))
    }

    #[test]
    fn a_name_that_no_other_could_have_is_all_that_changes() {
        let clusters =
            [cluster(0, "tax, budget, vote", &["tax", "budget", "vote"]), cluster(1, "goal, match, club", &["goal"])];
        let past = ClusterPast { round: 1, ..ClusterPast::default() };
        let to = |name: &str| NewEdit::Add { change: rename(1, name), stay: Vec::new() };
        let person = |name: &str| Some((name.to_owned(), NamedBy::Person));
        assert_eq!(named(&past, &to("Sport"), &clusters, &[]), person("Sport"));
        assert_eq!(named(&past, &to("tax, budget, vote 4"), &clusters, &[]), None, "the other one may want it");
        let group = cluster(Merge::FIRST, "goal, match, club, tax", &["goal", "match", "club", "tax"]);
        let merge = Merge { group, parts: [ClusterId(0), ClusterId(1)], similarity: 0.1, start: 0 };
        assert_eq!(
            named(&past, &to("Sport"), &clusters, &[merge]),
            None,
            "the group may have the name that is free now"
        );
        let pin = NewEdit::Add { change: ClusterChange::Pin, stay: Vec::new() };
        assert_eq!(named(&past, &pin, &clusters, &[]), None);
        let early = ClusterPast { round: 0, ..past };
        assert_eq!(named(&early, &to("Sport"), &clusters, &[]), None);
    }

    #[test]
    fn a_name_that_is_taken_back_is_the_one_before() {
        let mut clusters = [cluster(0, "tax, budget, vote", &["tax"]), cluster(1, "Games", &["goal", "match", "club"])];
        clusters[1].named_by = NamedBy::Person;
        let edit = |id: u32, change: ClusterChange| PastEdit {
            edit: ClusterEdit { id, made_at: 0, taken_back: false, change, documents: 0 },
            stay: Vec::new(),
        };
        let past = ClusterPast {
            round: 4,
            found: vec![(ClusterId(0), "tax, budget, vote".into()), (ClusterId(1), "goal, match, club".into())],
            edits: vec![edit(1, rename(1, "Sport")), edit(2, ClusterChange::Pin), edit(3, rename(1, "Games"))],
            ..ClusterPast::default()
        };
        let back = |past: &ClusterPast, id: u32| named(past, &NewEdit::TakeBack(id), &clusters, &[]);
        assert_eq!(back(&past, 3), Some(("Sport".into(), NamedBy::Person)));
        assert_eq!(back(&past, 1), Some(("Games".into(), NamedBy::Person)), "the later one stands");
        assert_eq!(back(&past, 2), None, "a pin is no name");
        let past = ClusterPast { edits: past.edits[2..].to_vec(), ..past };
        assert_eq!(back(&past, 3), Some(("goal, match, club".into(), NamedBy::Words)));
        clusters[1].edited = true;
        assert_eq!(named(&past, &NewEdit::TakeBack(3), &clusters, &[]), None, "its words are others now");
    }
}
