//! Fingerprints by content; the families of a batch, and the pairs that they were made of.

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, Family, FamilyMember, FamilyQuery, FamilySummary, Page};
use sheaf_store::{AlikeRecord, FamilyRecord, FamilyStore, FoundFamilies, KeptAlike, PrintedDocument};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgExecutor, PgPool};
use uuid::Uuid;

use crate::again::{Patience, again};
use crate::arrive::lock_batches;
use crate::rows::{count, get, id, name, signed, small, text};
use crate::{PostgresStore, Result, database};

/// Rows that one statement writes, so that a large batch is not sent as one message.
const ROWS: usize = 5_000;

/// The columns that [`member`] reads, of `family_members m` and `documents d`.
macro_rules! members {
    ($rest:literal) => {
        concat!(
            "SELECT m.family, m.document, d.path, m.likeness, m.jaccard, ",
            "(SELECT count(*) FROM family_members s WHERE s.batch = m.batch AND s.family = m.family) AS size ",
            "FROM family_members m JOIN documents d ON d.id = m.document ",
            $rest
        )
    };
}

#[async_trait]
impl FamilyStore for PostgresStore {
    async fn unprinted(&self, batch: BatchId, version: u32) -> Result<Vec<String>> {
        again(Patience::WORK, || unprinted(&self.pool, batch, version)).await
    }

    async fn texts(&self, keys: &[String]) -> Result<Vec<(String, String)>> {
        again(Patience::WORK, || texts(&self.pool, keys)).await
    }

    async fn keep_fingerprints(&self, version: u32, prints: &[(String, Vec<u8>)]) -> Result<()> {
        again(Patience::WORK, || keep_fingerprints(&self.pool, version, prints)).await
    }

    async fn printed_documents(&self, batch: BatchId, version: u32) -> Result<Vec<PrintedDocument>> {
        again(Patience::WORK, || printed_documents(&self.pool, batch, version)).await
    }

    async fn fingerprints(&self, keys: &[String]) -> Result<Vec<Vec<u8>>> {
        again(Patience::WORK, || fingerprints(&self.pool, keys)).await
    }

    async fn family_summary(&self, batch: BatchId) -> Result<Option<FamilySummary>> {
        again(Patience::ASKED, async || Ok(dial(&self.pool, batch).await?.map(|(_, summary)| summary))).await
    }

    async fn alike(&self, batch: BatchId) -> Result<Option<KeptAlike>> {
        again(Patience::ASKED, || alike(&self.pool, batch)).await
    }

    async fn regroup(&self, batch: BatchId, round: u64, least: f32, places: &[FamilyRecord]) -> Result<bool> {
        again(Patience::ASKED, || regroup(&self.pool, batch, round, least, places)).await
    }

    async fn families(&self, batch: BatchId, query: &FamilyQuery) -> Result<Page<Family>> {
        again(Patience::ASKED, || families(&self.pool, batch, query)).await
    }

    async fn family(&self, batch: BatchId, family: u32) -> Result<Option<Family>> {
        again(Patience::ASKED, || one_family(&self.pool, batch, family)).await
    }
}

async fn unprinted(pool: &PgPool, batch: BatchId, version: u32) -> Result<Vec<String>> {
    sqlx::query_scalar(
        "SELECT t.key FROM texts t WHERE t.key IN (SELECT d.parse FROM documents d WHERE d.batch = $1) \
         AND NOT EXISTS (SELECT FROM fingerprints f WHERE f.key = t.key AND f.version = $2) ORDER BY t.key",
    )
    .bind(batch.0)
    .bind(i64::from(version))
    .fetch_all(pool)
    .await
    .map_err(database)
}

async fn texts(pool: &PgPool, keys: &[String]) -> Result<Vec<(String, String)>> {
    let rows = sqlx::query("SELECT key, text FROM texts WHERE key = ANY($1) ORDER BY key")
        .bind(keys)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter().map(|row| Ok((get(row, "key")?, text(row, "text")?))).collect()
}

async fn keep_fingerprints(pool: &PgPool, version: u32, prints: &[(String, Vec<u8>)]) -> Result<()> {
    // By rising key, as all locks of a kind.
    sqlx::query(
        "INSERT INTO fingerprints (key, version, print) SELECT p.key, $1, f.print \
         FROM unnest($2::text[], $3::bytea[]) AS f (key, print) JOIN parses p ON p.key = f.key ORDER BY p.key \
         ON CONFLICT (key) DO UPDATE SET version = excluded.version, print = excluded.print",
    )
    .bind(i64::from(version))
    .bind(prints.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>())
    .bind(prints.iter().map(|(_, print)| print.as_slice()).collect::<Vec<_>>())
    .execute(pool)
    .await
    .map_err(database)?;
    Ok(())
}

async fn printed_documents(pool: &PgPool, batch: BatchId, version: u32) -> Result<Vec<PrintedDocument>> {
    let rows = sqlx::query(
        "SELECT d.id, d.path, d.sha256, f.key FROM documents d \
         LEFT JOIN fingerprints f ON f.key = d.parse AND f.version = $1 \
         WHERE d.batch = $2 AND d.sha256 <> '' ORDER BY d.path, d.id",
    )
    .bind(i64::from(version))
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter()
        .map(|row| {
            Ok(PrintedDocument {
                id: DocumentId(id(row, "id")?),
                path: text(row, "path")?,
                sha256: get(row, "sha256")?,
                key: get(row, "key")?,
            })
        })
        .collect()
}

async fn fingerprints(pool: &PgPool, keys: &[String]) -> Result<Vec<Vec<u8>>> {
    sqlx::query_scalar(
        "SELECT coalesce(f.print, ''::bytea) FROM unnest($1::text[]) WITH ORDINALITY AS k (key, place) \
         LEFT JOIN fingerprints f ON f.key = k.key ORDER BY k.place",
    )
    .bind(keys)
    .fetch_all(pool)
    .await
    .map_err(database)
}

async fn alike(pool: &PgPool, batch: BatchId) -> Result<Option<KeptAlike>> {
    let mut tx = pool.begin().await.map_err(database)?;
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let Some((round, summary)) = dial(&mut *tx, batch).await? else { return Ok(None) };
    let rows = sqlx::query(
        "SELECT m.document, d.path, d.sha256, m.text, m.words FROM family_members m \
         JOIN documents d ON d.id = m.document WHERE m.batch = $1 ORDER BY d.path, d.id",
    )
    .bind(batch.0)
    .fetch_all(&mut *tx)
    .await
    .map_err(database)?;
    let documents = rows.iter().map(|row| {
        Ok(AlikeRecord {
            document: DocumentId(id(row, "document")?),
            path: text(row, "path")?,
            sha256: get(row, "sha256")?,
            text: small(row, "family_members", "text")?,
            words: small(row, "family_members", "words")?,
        })
    });
    let documents = documents.collect::<Result<_>>()?;
    let rows = sqlx::query("SELECT a, b, jaccard FROM near_pairs WHERE batch = $1 ORDER BY a, b")
        .bind(batch.0)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    let pairs = rows
        .iter()
        .map(|row| Ok((small(row, "near_pairs", "a")?, small(row, "near_pairs", "b")?, get(row, "jaccard")?)));
    Ok(Some(KeptAlike { round, summary, documents, pairs: pairs.collect::<Result<_>>()? }))
}

async fn regroup(pool: &PgPool, batch: BatchId, round: u64, least: f32, places: &[FamilyRecord]) -> Result<bool> {
    let mut tx = pool.begin().await.map_err(database)?;
    lock_batches(&mut tx, [batch]).await?;
    let changed = sqlx::query("UPDATE family_dials SET least = $1 WHERE batch = $2 AND round = $3")
        .bind(least)
        .bind(batch.0)
        .bind(signed(round))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    if changed.rows_affected() == 0 {
        return Ok(false);
    }
    for places in places.chunks(ROWS) {
        sqlx::query(
            "UPDATE family_members m SET family = f.family, place = f.place, likeness = f.likeness, jaccard = f.jaccard \
             FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::real[]) \
             AS f (document, family, place, likeness, jaccard) WHERE m.document = f.document",
        )
        .bind(places.iter().map(|p| p.document.0).collect::<Vec<Uuid>>())
        .bind(places.iter().map(|p| p.family.map(i64::from)).collect::<Vec<_>>())
        .bind(places.iter().map(|p| i64::from(p.place)).collect::<Vec<_>>())
        .bind(places.iter().map(|p| p.likeness.name()).collect::<Vec<_>>())
        .bind(places.iter().map(|p| p.jaccard).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    tx.commit().await.map_err(database)?;
    Ok(true)
}

async fn families(pool: &PgPool, batch: BatchId, query: &FamilyQuery) -> Result<Page<Family>> {
    let total: i64 =
        sqlx::query_scalar("SELECT count(DISTINCT family) FROM family_members WHERE batch = $1 AND family IS NOT NULL")
            .bind(batch.0)
            .fetch_one(pool)
            .await
            .map_err(database)?;
    let rows = sqlx::query(members!(
        "WHERE m.batch = $1 AND m.place < $2 AND m.family IN \
         (SELECT DISTINCT family FROM family_members WHERE batch = $1 AND family IS NOT NULL \
          ORDER BY family LIMIT $3 OFFSET $4) ORDER BY m.family, m.place"
    ))
    .bind(batch.0)
    .bind(i64::from(Family::SHOWN_MEMBERS))
    .bind(i64::from(query.effective_limit()))
    .bind(i64::from(query.offset))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    let items = Family::gather(rows.iter().map(member))?;
    Ok(query.page(items, u64::try_from(total).unwrap_or_default()))
}

async fn one_family(pool: &PgPool, batch: BatchId, family: u32) -> Result<Option<Family>> {
    let rows = sqlx::query(members!("WHERE m.batch = $1 AND m.family = $2 ORDER BY m.place"))
        .bind(batch.0)
        .bind(i64::from(family))
        .fetch_all(pool)
        .await
        .map_err(database)?;
    Ok(Family::gather(rows.iter().map(member))?.pop())
}

fn member(row: &PgRow) -> Result<(u32, u64, FamilyMember)> {
    let member = FamilyMember {
        id: DocumentId(id(row, "document")?),
        path: text(row, "path")?,
        kind: name(row, "family_members", "likeness")?,
        jaccard: get(row, "jaccard")?,
    };
    Ok((small(row, "family_members", "family")?, count(row, "size")?, member))
}

/// The round and the figures.
async fn dial(db: impl PgExecutor<'_>, batch: BatchId) -> Result<Option<(u64, FamilySummary)>> {
    let row = sqlx::query(
        "SELECT g.round, g.least, g.lowest, \
         (SELECT count(*) FROM family_members m WHERE m.batch = g.batch AND m.family IS NOT NULL) AS documents, \
         (SELECT count(DISTINCT m.family) FROM family_members m WHERE m.batch = g.batch) AS families \
         FROM family_dials g WHERE g.batch = $1",
    )
    .bind(batch.0)
    .fetch_optional(db)
    .await
    .map_err(database)?;
    row.map(|row| {
        let summary = FamilySummary {
            families: count(&row, "families")?,
            documents: count(&row, "documents")?,
            least: get(&row, "least")?,
            lowest: get(&row, "lowest")?,
        };
        Ok((count(&row, "round")?, summary))
    })
    .transpose()
}

/// Puts families in the place of those that a batch has.
pub(crate) async fn replace(tx: &mut PgConnection, batch: BatchId, found: &FoundFamilies) -> Result<()> {
    for sql in ["DELETE FROM family_members WHERE batch = $1", "DELETE FROM near_pairs WHERE batch = $1"] {
        sqlx::query(sql).bind(batch.0).execute(&mut *tx).await.map_err(database)?;
    }
    sqlx::query(
        "INSERT INTO family_dials AS g (batch, round, least, lowest) VALUES ($1, 1, $2, $3) \
         ON CONFLICT (batch) DO UPDATE SET round = g.round + 1, least = excluded.least, lowest = excluded.lowest",
    )
    .bind(batch.0)
    .bind(found.least)
    .bind(found.lowest)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    for rows in found.documents.chunks(ROWS) {
        sqlx::query(
            "INSERT INTO family_members (document, batch, text, words, family, place, likeness, jaccard) \
             SELECT document, $1, text, words, family, place, likeness, jaccard \
             FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::real[]) \
             AS f (document, text, words, family, place, likeness, jaccard)",
        )
        .bind(batch.0)
        .bind(rows.iter().map(|(record, _, _)| record.document.0).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, text, _)| i64::from(*text)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(_, _, words)| i64::from(*words)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(record, _, _)| record.family.map(i64::from)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(record, _, _)| i64::from(record.place)).collect::<Vec<_>>())
        .bind(rows.iter().map(|(record, _, _)| record.likeness.name()).collect::<Vec<_>>())
        .bind(rows.iter().map(|(record, _, _)| record.jaccard).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    for pairs in found.pairs.chunks(ROWS) {
        sqlx::query(
            "INSERT INTO near_pairs (batch, a, b, jaccard) SELECT $1, a, b, jaccard \
             FROM unnest($2::bigint[], $3::bigint[], $4::real[]) AS p (a, b, jaccard)",
        )
        .bind(batch.0)
        .bind(pairs.iter().map(|(a, _, _)| i64::from(*a)).collect::<Vec<_>>())
        .bind(pairs.iter().map(|(_, b, _)| i64::from(*b)).collect::<Vec<_>>())
        .bind(pairs.iter().map(|(_, _, jaccard)| *jaccard).collect::<Vec<_>>())
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    }
    Ok(())
}
