//! What lasts of clusters: numbers, names, and the list of edits.

use async_trait::async_trait;
use sheaf_domain::{BatchId, ClusterEdit, ClusterEdits, ClusterId, ClusterReport, DocumentId};
use sheaf_store::{ClusterPast, IdentityStore, NewClustering, NewEdit, NewName, PastDocument, PastEdit};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool};

use super::replace;
use crate::again::{Patience, again};
use crate::arrive::lock_batches;
use crate::rows::{count, get, id, json, parsed, parsed_opt, seconds, signed, small, small_opt, text};
use crate::{PostgresStore, Result, database, now, nul};

#[async_trait]
impl IdentityStore for PostgresStore {
    async fn cluster_past(&self, batch: BatchId) -> Result<ClusterPast> {
        again(Patience::ASKED, || past(&self.pool, batch)).await
    }

    async fn cluster_edits(&self, batch: BatchId) -> Result<ClusterEdits> {
        again(Patience::ASKED, || all(&self.pool, batch)).await
    }

    async fn keep_cluster_edit(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        clustering: &NewClustering,
    ) -> Result<Option<u32>> {
        again(Patience::ASKED, || keep(&self.pool, batch, round, edit, clustering)).await
    }

    async fn keep_cluster_name(
        &self,
        batch: BatchId,
        round: u64,
        edit: &NewEdit,
        name: &NewName,
    ) -> Result<Option<u32>> {
        again(Patience::ASKED, || keep_name(&self.pool, batch, round, edit, name)).await
    }
}

async fn keep(
    pool: &PgPool,
    batch: BatchId,
    round: u64,
    edit: &NewEdit,
    clustering: &NewClustering,
) -> Result<Option<u32>> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let Some(edit) = admit(&mut tx, batch, round, edit).await? else { return Ok(None) };
    replace(&mut tx, batch, clustering).await?;
    tx.commit().await.map_err(database)?;
    Ok(Some(edit))
}

async fn keep_name(pool: &PgPool, batch: BatchId, round: u64, edit: &NewEdit, name: &NewName) -> Result<Option<u32>> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let Some(edit) = admit(&mut tx, batch, round, edit).await? else { return Ok(None) };
    let NewName { cluster, name, named_by, heatmap, manifest } = name;
    sqlx::query("UPDATE clusters SET name = $3, named_by = $4 WHERE batch = $1 AND id = $2")
        .bind(batch.0)
        .bind(i64::from(cluster.0))
        .bind(nul::hide(name))
        .bind(named_by.name())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("UPDATE clusterings SET heatmap = $2::json, manifest = $3 WHERE batch = $1")
        .bind(batch.0)
        .bind(json(heatmap))
        .bind(nul::hide(manifest))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("UPDATE cluster_books SET round = round + 1 WHERE batch = $1")
        .bind(batch.0)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Some(edit))
}

/// Notes an edit where the batch is at rest, and was neither analysed nor edited since that round; the edit's number.
async fn admit(tx: &mut PgConnection, batch: BatchId, round: u64, edit: &NewEdit) -> Result<Option<u32>> {
    let may: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT FROM batches b WHERE b.id = $1 AND b.status NOT IN ('pending', 'processing')) \
         AND coalesce((SELECT round FROM cluster_books WHERE batch = $1), 0) = $2",
    )
    .bind(batch.0)
    .bind(signed(round))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    if may { note_edit(tx, batch, edit).await } else { Ok(None) }
}

async fn all(pool: &PgPool, batch: BatchId) -> Result<ClusterEdits> {
    let mut tx = pool.begin().await.map_err(database)?;
    let edits = edits(&mut tx, batch).await?;
    let report = sqlx::query("SELECT report FROM cluster_books WHERE batch = $1")
        .bind(batch.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    let report = report.map(|row| parsed_opt(&row, "cluster_books", "report")).transpose()?.flatten();
    Ok(ClusterEdits { edits, report })
}

async fn past(pool: &PgPool, batch: BatchId) -> Result<ClusterPast> {
    let mut tx = pool.begin().await.map_err(database)?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let rows = sqlx::query("SELECT id, name FROM clusters WHERE batch = $1 ORDER BY id")
        .bind(batch.0)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let clusters = rows.iter().map(|row| Ok((ClusterId(small(row, "clusters", "id")?), text(row, "name")?)));
    let clusters: Vec<(ClusterId, String)> = clusters.collect::<Result<_>>()?;
    let rows = sqlx::query("SELECT document, cluster, found FROM placements WHERE batch = $1")
        .bind(batch.0)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let documents = rows.iter().map(|row| {
        Ok(PastDocument {
            document: DocumentId(id(row, "document")?),
            cluster: small_opt(row, "placements", "cluster")?.map(ClusterId),
            found: small_opt(row, "placements", "found")?.map(ClusterId),
        })
    });
    let documents = documents.collect::<Result<_>>()?;
    let mut standing = Vec::new();
    for edit in edits(&mut tx, batch).await?.into_iter().filter(|edit| !edit.taken_back) {
        let rows = sqlx::query(
            "SELECT document, cluster FROM cluster_edit_documents WHERE batch = $1 AND edit = $2 ORDER BY document",
        )
        .bind(batch.0)
        .bind(i64::from(edit.id))
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
        let stay = rows.iter().map(|row| {
            let cluster = small_opt(row, "cluster_edit_documents", "cluster")?.map(ClusterId);
            Ok((DocumentId(id(row, "document")?), cluster))
        });
        standing.push(PastEdit { stay: stay.collect::<Result<_>>()?, edit });
    }
    let book = sqlx::query("SELECT round, next, found FROM cluster_books WHERE batch = $1")
        .bind(batch.0)
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
    Ok(match book {
        Some(row) => ClusterPast {
            round: count(&row, "round")?,
            next: small(&row, "cluster_books", "next")?,
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

async fn edits(tx: &mut PgConnection, batch: BatchId) -> Result<Vec<ClusterEdit>> {
    let rows = sqlx::query(
        "SELECT e.id, e.made_at, e.taken_back, e.change, \
         (SELECT count(*) FROM cluster_edit_documents d WHERE d.batch = e.batch AND d.edit = e.id) AS documents \
         FROM cluster_edits e WHERE e.batch = $1 ORDER BY e.id",
    )
    .bind(batch.0)
    .fetch_all(tx)
    .await
    .map_err(database)?;
    rows.iter().map(edit).collect()
}

fn edit(row: &PgRow) -> Result<ClusterEdit> {
    Ok(ClusterEdit {
        id: small(row, "cluster_edits", "id")?,
        made_at: seconds(get(row, "made_at")?),
        taken_back: get(row, "taken_back")?,
        change: parsed(row, "cluster_edits", "change")?,
        documents: count(row, "documents")?,
    })
}

/// Adds an edit, or takes one back that stands; absent when there is none.
async fn note_edit(tx: &mut PgConnection, batch: BatchId, edit: &NewEdit) -> Result<Option<u32>> {
    let (change, stay) = match edit {
        NewEdit::TakeBack(edit) => {
            let taken = sqlx::query(
                "UPDATE cluster_edits SET taken_back = true WHERE batch = $1 AND id = $2 AND NOT taken_back",
            )
            .bind(batch.0)
            .bind(i64::from(*edit))
            .execute(tx)
            .await
            .map_err(database)?;
            return Ok((taken.rows_affected() > 0).then_some(*edit));
        }
        NewEdit::Add { change, stay } => (change, stay),
    };
    let row = sqlx::query(concat!(
        "INSERT INTO cluster_edits (batch, id, made_at, change) \
         SELECT $1, coalesce(max(id), 0) + 1, ",
        now!(),
        ", $2::json FROM cluster_edits WHERE batch = $1 RETURNING id"
    ))
    .bind(batch.0)
    .bind(json(change))
    .fetch_one(&mut *tx)
    .await
    .map_err(database)?;
    let number = small(&row, "cluster_edits", "id")?;
    sqlx::query(
        "INSERT INTO cluster_edit_documents (document, batch, edit, cluster) \
         SELECT document, $1, $2, cluster FROM unnest($3::uuid[], $4::bigint[]) AS s (document, cluster)",
    )
    .bind(batch.0)
    .bind(i64::from(number))
    .bind(stay.iter().map(|(document, _)| document.0).collect::<Vec<_>>())
    .bind(stay.iter().map(|(_, cluster)| cluster.map(|c| i64::from(c.0))).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(Some(number))
}

/// Notes which numbers are given now; the round rises.
pub async fn note_numbers(tx: &mut PgConnection, batch: BatchId, clustering: &NewClustering) -> Result<()> {
    sqlx::query(
        "INSERT INTO cluster_books (batch, round, next, found) VALUES ($1, 1, $2, $3::json) \
         ON CONFLICT (batch) DO UPDATE SET round = cluster_books.round + 1, \
         next = greatest(cluster_books.next, excluded.next), found = excluded.found",
    )
    .bind(batch.0)
    .bind(i64::from(clustering.next))
    .bind(json(&clustering.found))
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

/// Notes what an analysis changed.
pub async fn note_report(tx: &mut PgConnection, batch: BatchId, report: Option<&ClusterReport>) -> Result<()> {
    sqlx::query("UPDATE cluster_books SET report = $2::json WHERE batch = $1")
        .bind(batch.0)
        .bind(report.map(json))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}
