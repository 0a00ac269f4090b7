//! Fingerprints by content; the families of a batch, and the pairs that they were made of.

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, Family, FamilyMember, FamilyQuery, FamilySummary, Page};
use sheaf_store::{AlikeRecord, FamilyRecord, FamilyStore, FoundFamilies, KeptAlike, PrintedDocument};
use sqlx::sqlite::SqliteRow;
use sqlx::{SqliteConnection, SqliteExecutor};

use crate::chunks::Chunks;
use crate::rows::{count, get, id, json, name, signed};
use crate::{Result, SqliteStore, begin, database};

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
impl FamilyStore for SqliteStore {
    async fn unprinted(&self, batch: BatchId, version: u32) -> Result<Vec<String>> {
        sqlx::query_scalar(
            "SELECT DISTINCT d.parse FROM documents d JOIN texts t ON t.key = d.parse WHERE d.batch = ? \
             AND NOT EXISTS (SELECT 1 FROM fingerprints f WHERE f.key = d.parse AND f.version = ?) ORDER BY d.parse",
        )
        .bind(batch.to_string())
        .bind(version)
        .fetch_all(&self.readers)
        .await
        .map_err(database)
    }

    async fn texts(&self, keys: &[String]) -> Result<Vec<(String, String)>> {
        sqlx::query_as("SELECT key, text FROM texts WHERE key IN (SELECT value FROM json_each(?)) ORDER BY key")
            .bind(json(&keys))
            .fetch_all(&self.readers)
            .await
            .map_err(database)
    }

    async fn keep_fingerprints(&self, version: u32, prints: &[(String, Vec<u8>)]) -> Result<()> {
        let mut tx = begin(&self.writer).await?;
        for (key, print) in prints {
            sqlx::query(
                "INSERT INTO fingerprints (key, version, print) SELECT key, ?, ? FROM parses WHERE key = ? \
                 ON CONFLICT (key) DO UPDATE SET version = excluded.version, print = excluded.print",
            )
            .bind(version)
            .bind(print)
            .bind(key)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        }
        tx.commit().await.map_err(database)
    }

    async fn printed_documents(&self, batch: BatchId, version: u32) -> Result<Vec<PrintedDocument>> {
        let rows = sqlx::query(
            "SELECT d.id, d.path, d.sha256, f.key FROM documents d \
             LEFT JOIN fingerprints f ON f.key = d.parse AND f.version = ? \
             WHERE d.batch = ? AND d.sha256 <> '' ORDER BY d.path, d.id",
        )
        .bind(version)
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(PrintedDocument {
                    id: DocumentId(id(row, "documents", "id")?),
                    path: get(row, "path")?,
                    sha256: get(row, "sha256")?,
                    key: get(row, "key")?,
                })
            })
            .collect()
    }

    async fn fingerprints(&self, keys: &[String]) -> Result<Vec<Vec<u8>>> {
        sqlx::query_scalar(
            "SELECT coalesce(f.print, x'') FROM json_each(?) k LEFT JOIN fingerprints f ON f.key = k.value ORDER BY k.id",
        )
        .bind(json(&keys))
        .fetch_all(&self.readers)
        .await
        .map_err(database)
    }

    async fn family_summary(&self, batch: BatchId) -> Result<Option<FamilySummary>> {
        Ok(dial(&self.readers, batch).await?.map(|(_, summary)| summary))
    }

    async fn alike(&self, batch: BatchId) -> Result<Option<KeptAlike>> {
        let mut tx = self.readers.begin().await.map_err(database)?;
        let Some((round, summary)) = dial(&mut *tx, batch).await? else { return Ok(None) };
        let rows = sqlx::query(
            "SELECT m.document, d.path, d.sha256, m.text, m.words FROM family_members m \
             JOIN documents d ON d.id = m.document WHERE m.batch = ? ORDER BY d.path, d.id",
        )
        .bind(batch.to_string())
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
        let documents = rows.iter().map(|row| {
            Ok(AlikeRecord {
                document: DocumentId(id(row, "family_members", "document")?),
                path: get(row, "path")?,
                sha256: get(row, "sha256")?,
                text: get(row, "text")?,
                words: get(row, "words")?,
            })
        });
        let documents = documents.collect::<Result<_>>()?;
        let pairs = sqlx::query_as("SELECT a, b, jaccard FROM near_pairs WHERE batch = ? ORDER BY a, b")
            .bind(batch.to_string())
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
        Ok(Some(KeptAlike { round, summary, documents, pairs }))
    }

    async fn regroup(&self, batch: BatchId, round: u64, least: f32, places: &[FamilyRecord]) -> Result<bool> {
        let mut tx = begin(&self.writer).await?;
        let changed = sqlx::query("UPDATE family_dials SET least = ? WHERE batch = ? AND round = ?")
            .bind(least)
            .bind(batch.to_string())
            .bind(signed(round))
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        for FamilyRecord { document, family, place, likeness, jaccard } in places {
            sqlx::query(
                "UPDATE family_members SET family = ?, place = ?, likeness = ?, jaccard = ? WHERE document = ?",
            )
            .bind(family)
            .bind(place)
            .bind(likeness.name())
            .bind(jaccard)
            .bind(document.to_string())
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        }
        tx.commit().await.map_err(database)?;
        Ok(true)
    }

    async fn families(&self, batch: BatchId, query: &FamilyQuery) -> Result<Page<Family>> {
        let mut tx = self.readers.begin().await.map_err(database)?;
        let total: i64 = sqlx::query_scalar(
            "SELECT count(DISTINCT family) FROM family_members WHERE batch = ? AND family IS NOT NULL",
        )
        .bind(batch.to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(database)?;
        let rows = sqlx::query(members!(
            "WHERE m.batch = ?1 AND m.place < ?2 AND m.family IN \
             (SELECT DISTINCT family FROM family_members WHERE batch = ?1 AND family IS NOT NULL \
              ORDER BY family LIMIT ?3 OFFSET ?4) ORDER BY m.family, m.place"
        ))
        .bind(batch.to_string())
        .bind(Family::SHOWN_MEMBERS)
        .bind(query.effective_limit())
        .bind(query.offset)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
        let items = Family::gather(rows.iter().map(member))?;
        Ok(query.page(items, u64::try_from(total).unwrap_or_default()))
    }

    async fn family(&self, batch: BatchId, family: u32) -> Result<Option<Family>> {
        let rows = sqlx::query(members!("WHERE m.batch = ? AND m.family = ? ORDER BY m.place"))
            .bind(batch.to_string())
            .bind(family)
            .fetch_all(&self.readers)
            .await
            .map_err(database)?;
        Ok(Family::gather(rows.iter().map(member))?.pop())
    }
}

fn member(row: &SqliteRow) -> Result<(u32, u64, FamilyMember)> {
    let member = FamilyMember {
        id: DocumentId(id(row, "family_members", "document")?),
        path: get(row, "path")?,
        kind: name(row, "family_members", "likeness")?,
        jaccard: get::<f64>(row, "jaccard")? as f32,
    };
    Ok((get(row, "family")?, count(row, "size")?, member))
}

/// The round and the figures.
async fn dial(db: impl SqliteExecutor<'_>, batch: BatchId) -> Result<Option<(u64, FamilySummary)>> {
    let row = sqlx::query(
        "SELECT g.round, g.least, g.lowest, \
         (SELECT count(*) FROM family_members m WHERE m.batch = g.batch AND m.family IS NOT NULL) AS documents, \
         (SELECT count(DISTINCT m.family) FROM family_members m WHERE m.batch = g.batch) AS families \
         FROM family_dials g WHERE g.batch = ?",
    )
    .bind(batch.to_string())
    .fetch_optional(db)
    .await
    .map_err(database)?;
    row.map(|row| {
        let summary = FamilySummary {
            families: count(&row, "families")?,
            documents: count(&row, "documents")?,
            least: get::<f64>(&row, "least")? as f32,
            lowest: get::<f64>(&row, "lowest")? as f32,
        };
        Ok((count(&row, "round")?, summary))
    })
    .transpose()
}

/// Families as they are written.
pub(crate) struct Rows {
    least: f32,
    lowest: f32,
    members: Chunks,
    pairs: Chunks,
}

impl Rows {
    pub fn of(found: &FoundFamilies) -> Self {
        // In the order of the table, so that each page of it is written once.
        let mut documents: Vec<&(FamilyRecord, u32, u32)> = found.documents.iter().collect();
        documents.sort_by_key(|(record, _, _)| record.document);
        // A bound f32 is stored as these are.
        let member = |(record, text, words): &&(FamilyRecord, u32, u32)| {
            let FamilyRecord { document, family, place, likeness, jaccard } = record;
            (document.to_string(), *text, *words, *family, *place, likeness.name(), f64::from(*jaccard))
        };
        let pair = |&(a, b, jaccard): &(u32, u32, f32)| (a, b, f64::from(jaccard));
        Self {
            least: found.least,
            lowest: found.lowest,
            members: Chunks::of(&documents, member),
            pairs: Chunks::of(&found.pairs, pair),
        }
    }
}

/// Puts families in the place of those that a batch has.
pub(crate) async fn replace(tx: &mut SqliteConnection, batch: &str, rows: &Rows) -> Result<()> {
    for sql in ["DELETE FROM family_members WHERE batch = ?", "DELETE FROM near_pairs WHERE batch = ?"] {
        sqlx::query(sql).bind(batch).execute(&mut *tx).await.map_err(database)?;
    }
    sqlx::query(
        "INSERT INTO family_dials (batch, round, least, lowest) VALUES (?, 1, ?, ?) \
         ON CONFLICT (batch) DO UPDATE SET round = round + 1, least = excluded.least, lowest = excluded.lowest",
    )
    .bind(batch)
    .bind(rows.least)
    .bind(rows.lowest)
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let member = "INSERT INTO family_members (document, batch, text, words, family, place, likeness, jaccard) \
         SELECT value ->> 0, ?2, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6 \
         FROM json_each(?1)";
    let pair = "INSERT INTO near_pairs (batch, a, b, jaccard) \
         SELECT ?2, value ->> 0, value ->> 1, value ->> 2 FROM json_each(?1)";
    rows.members.execute(tx, member, batch).await?;
    rows.pairs.execute(tx, pair, batch).await
}
