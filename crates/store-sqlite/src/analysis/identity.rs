//! What lasts of clusters: numbers, names, and the list of edits.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterEdit, ClusterEdits, ClusterId, ClusterReport, DocumentId};
use sheaf_store::{ClusterPast, IdentityStore, NewClustering, NewEdit, NewName, PastDocument, PastEdit};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqlitePool};

use super::{placements, replace};
use crate::rows::{count, get, id, json, parsed, parsed_opt, seconds, signed};
use crate::{Result, SqliteStore, begin, database, now};

#[async_trait]
impl IdentityStore for SqliteStore {
    async fn cluster_past(&self, batch: BatchId) -> Result<ClusterPast> {
        past(&self.readers, batch).await
    }

    async fn cluster_edits(&self, batch: BatchId) -> Result<ClusterEdits> {
        let mut tx = self.readers.begin().await.map_err(database)?;
        let edits = edits(&mut tx, batch).await?;
        let report = sqlx::query("SELECT report FROM cluster_books WHERE batch = ?")
            .bind(batch.to_string())
            .fetch_optional(&mut *tx)
            .await
            .map_err(database)?;
        let report = report.map(|row| parsed_opt(&row, "cluster_books", "report")).transpose()?.flatten();
        Ok(ClusterEdits { edits, report })
    }

    async fn keep_cluster_edit(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        clustering: &NewClustering,
    ) -> Result<Option<u32>> {
        let key = batch.to_string();
        let rows = placements::Rows::of(&clustering.placements);
        let mut tx = begin(&self.writer).await?;
        let Some(edit) = admit(&mut tx, &key, round, edit).await? else { return Ok(None) };
        replace(&mut tx, &key, clustering, &rows).await?;
        tx.commit().await.map_err(database)?;
        Ok(Some(edit))
    }

    async fn keep_cluster_name(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        name: &NewName,
    ) -> Result<Option<u32>> {
        let key = batch.to_string();
        let mut tx = begin(&self.writer).await?;
        let Some(edit) = admit(&mut tx, &key, round, edit).await? else { return Ok(None) };
        let NewName { cluster, name, named_by, heatmap, manifest } = name;
        sqlx::query("UPDATE clusters SET name = ?3, named_by = ?4 WHERE batch = ?1 AND id = ?2")
            .bind(&key)
            .bind(cluster.0)
            .bind(name)
            .bind(named_by.name())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        sqlx::query("UPDATE clusterings SET heatmap = ?2, manifest = ?3 WHERE batch = ?1")
            .bind(&key)
            .bind(json(heatmap))
            .bind(manifest)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        sqlx::query("UPDATE cluster_books SET round = round + 1 WHERE batch = ?")
            .bind(&key)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(Some(edit))
    }
}

/// Notes an edit where the batch is at rest, and was neither analysed nor edited since that round; the edit's number.
async fn admit(tx: &mut SqliteConnection, batch: &str, round: u64, edit: &NewEdit) -> Result<Option<u32>> {
    let may: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM batches b WHERE b.id = ?1 AND b.status NOT IN ('pending', 'processing')) \
         AND coalesce((SELECT round FROM cluster_books WHERE batch = ?1), 0) = ?2",
    )
    .bind(batch)
    .bind(signed(round))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    if may { note_edit(tx, batch, edit).await } else { Ok(None) }
}

async fn past(readers: &SqlitePool, batch: BatchId) -> Result<ClusterPast> {
    let key = batch.to_string();
    let mut tx = readers.begin().await.map_err(database)?;
    let clusters: Vec<(u32, String)> = sqlx::query_as("SELECT id, name FROM clusters WHERE batch = ? ORDER BY id")
        .bind(&key)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let clusters: Vec<(ClusterId, String)> = clusters.into_iter().map(|(id, name)| (ClusterId(id), name)).collect();
    let rows = sqlx::query("SELECT document, cluster, found FROM placements WHERE batch = ?")
        .bind(&key)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let documents = rows.iter().map(|row| {
        Ok(PastDocument {
            document: DocumentId(id(row, "placements", "document")?),
            cluster: get::<Option<u32>>(row, "cluster")?.map(ClusterId),
            found: get::<Option<u32>>(row, "found")?.map(ClusterId),
        })
    });
    let documents = documents.collect::<Result<_>>()?;
    let mut standing = Vec::new();
    for edit in edits(&mut tx, batch).await?.into_iter().filter(|edit| !edit.taken_back) {
        let rows = sqlx::query(
            "SELECT document, cluster FROM cluster_edit_documents WHERE batch = ? AND edit = ? ORDER BY document",
        )
        .bind(&key)
        .bind(edit.id)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
        let stay = rows.iter().map(|row| {
            let document = DocumentId(id(row, "cluster_edit_documents", "document")?);
            Ok((document, get::<Option<u32>>(row, "cluster")?.map(ClusterId)))
        });
        standing.push(PastEdit { stay: stay.collect::<Result<_>>()?, edit });
    }
    let book = sqlx::query("SELECT round, next, found FROM cluster_books WHERE batch = ?")
        .bind(&key)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    Ok(match book {
        Some(row) => ClusterPast {
            round: count(&row, "round")?,
            next: get(&row, "next")?,
            found: parsed(&row, "cluster_books", "found")?,
            clusters,
            documents,
            edits: standing,
        },
        // It was analysed before this was noted, or never.
        None => ClusterPast {
            round: 0,
            next: clusters.last().map_or(0, |(last, _)| last.0 + 1),
            found: clusters.clone(),
            clusters,
            documents,
            edits: standing,
        },
    })
}

async fn edits(tx: &mut SqliteConnection, batch: BatchId) -> Result<Vec<ClusterEdit>> {
    let rows = sqlx::query(
        "SELECT e.id, e.made_at, e.taken_back, e.change, \
         (SELECT count(*) FROM cluster_edit_documents d WHERE d.batch = e.batch AND d.edit = e.id) AS documents \
         FROM cluster_edits e WHERE e.batch = ? ORDER BY e.id",
    )
    .bind(batch.to_string())
    .fetch_all(tx)
    .await
    .map_err(database)?;
    rows.iter().map(edit).collect()
}

fn edit(row: &SqliteRow) -> Result<ClusterEdit> {
    Ok(ClusterEdit {
        id: get(row, "id")?,
        made_at: seconds(get(row, "made_at")?),
        taken_back: get(row, "taken_back")?,
        change: parsed(row, "cluster_edits", "change")?,
        documents: count(row, "documents")?,
    })
}

/// Adds an edit, or takes one back that stands; absent when there is none.
async fn note_edit(tx: &mut SqliteConnection, batch: &str, edit: &NewEdit) -> Result<Option<u32>> {
    let (change, stay) = match edit {
        NewEdit::TakeBack(edit) => {
            let taken =
                sqlx::query("UPDATE cluster_edits SET taken_back = 1 WHERE batch = ? AND id = ? AND taken_back = 0")
                    .bind(batch)
                    .bind(edit)
                    .execute(tx)
                    .await
                    .map_err(database)?;
            return Ok((taken.rows_affected() > 0).then_some(*edit));
        }
        NewEdit::Add { change, stay } => (change, stay),
    };
    let number: u32 = sqlx::query_scalar(concat!(
        "INSERT INTO cluster_edits (batch, id, made_at, change) \
         SELECT ?1, coalesce(max(id), 0) + 1, ",
        now!(),
        ", ?2 FROM cluster_edits WHERE batch = ?1 RETURNING id"
    ))
    .bind(batch)
    .bind(json(change))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    for (document, cluster) in stay {
        sqlx::query("INSERT INTO cluster_edit_documents (document, batch, edit, cluster) VALUES (?, ?, ?, ?)")
            .bind(document.to_string())
            .bind(batch)
            .bind(number)
            .bind(cluster.map(|c| c.0))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
    }
    Ok(Some(number))
}

/// Notes which numbers are given now; the round rises.
pub async fn note_numbers(tx: &mut SqliteConnection, batch: &str, clustering: &NewClustering) -> Result<()> {
    sqlx::query(
        "INSERT INTO cluster_books (batch, round, next, found) VALUES (?, 1, ?, ?) \
         ON CONFLICT (batch) DO UPDATE SET round = round + 1, next = max(next, excluded.next), found = excluded.found",
    )
    .bind(batch)
    .bind(clustering.next)
    .bind(json(&clustering.found))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Notes what an analysis changed.
pub async fn note_report(tx: &mut SqliteConnection, batch: &str, report: Option<&ClusterReport>) -> Result<()> {
    sqlx::query("UPDATE cluster_books SET report = ? WHERE batch = ?")
        .bind(report.map(json))
        .bind(batch)
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}
