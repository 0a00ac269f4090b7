//! The index of words, in FTS5. Words are folded before they come here, so that every store finds the same.

use std::collections::HashSet;

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, Term, TextQuery, folded_text};
use sheaf_store::{BatchVectors, FoundDocument, SearchScope, SearchStore, StoreError, VectorFile};
use sqlx::{QueryBuilder, SqliteConnection, SqlitePool};

use crate::rows::{self, document_columns, document_tables, get, id, json, parsed_opt};
use crate::table::push_filter;
use crate::{Result, SqliteStore, begin, database};

/// The question in the language of FTS5; absent when there is nothing to find.
pub fn match_of(query: &TextQuery) -> Option<String> {
    let term = |term: &Term| format!("\"{}\"{}", term.words.join(" "), if term.prefix { "*" } else { "" });
    let group = |group: &Vec<Term>| format!("({})", group.iter().map(term).collect::<Vec<_>>().join(" OR "));
    let mut text = query.all.iter().map(group).collect::<Vec<_>>().join(" AND ");
    for none in &query.none {
        text = format!("({text}) NOT {}", term(none));
    }
    (!query.is_empty()).then_some(text)
}

/// Indexes a text that is in `texts`; once.
pub async fn index(tx: &mut SqliteConnection, key: &str, text: &str) -> Result<()> {
    let number: Option<i64> =
        sqlx::query_scalar("INSERT INTO indexed_texts (key) VALUES (?) ON CONFLICT DO NOTHING RETURNING id")
            .bind(key)
            .fetch_optional(&mut *tx)
            .await
            .map_err(database)?;
    let Some(number) = number else { return Ok(()) };
    sqlx::query("INSERT INTO text_words (rowid, words) VALUES (?, ?)")
        .bind(number)
        .bind(folded_text(text))
        .execute(tx)
        .await
        .map_err(database)?;
    Ok(())
}

#[async_trait]
impl SearchStore for SqliteStore {
    async fn search_texts(&self, query: &TextQuery, scope: SearchScope<'_>, limit: u32) -> Result<Vec<DocumentId>> {
        let Some(words) = match_of(query) else { return Ok(Vec::new()) };
        if let (Some(batch), false) = (scope.batch, scope.filter.is_narrowed())
            && let Some(found) = best_of_batch(&self.readers, &words, batch, limit).await?
        {
            return Ok(found);
        }
        let mut sql = QueryBuilder::new("SELECT d.id FROM ");
        if scope.batch.is_none() && !scope.filter.is_narrowed() {
            // Only the best are looked up.
            sql.push("(SELECT rowid AS number, rank FROM text_words WHERE text_words MATCH ")
                .push_bind(words)
                .push(" ORDER BY rank LIMIT ")
                .push_bind(limit)
                .push(
                    ") w JOIN indexed_texts i ON i.id = w.number JOIN documents d ON d.parse = i.key ORDER BY w.rank, d.id",
                );
        } else {
            sql.push(
                "text_words w CROSS JOIN indexed_texts i ON i.id = w.rowid JOIN documents d ON d.parse = i.key \
                 LEFT JOIN parses p ON p.key = d.parse LEFT JOIN placements l ON l.document = d.id",
            );
            push_filter(&mut sql, scope.batch, scope.filter);
            sql.push(" AND text_words MATCH ").push_bind(words).push(" ORDER BY w.rank, d.id");
        }
        sql.push(" LIMIT ").push_bind(limit);
        ids(&self.readers, sql).await
    }

    async fn search_names(&self, part: &str, scope: SearchScope<'_>, limit: u32) -> Result<Vec<DocumentId>> {
        let mut sql = QueryBuilder::new("SELECT d.id FROM documents d");
        if scope.filter.is_narrowed() {
            sql.push(" LEFT JOIN parses p ON p.key = d.parse LEFT JOIN placements l ON l.document = d.id");
        }
        push_filter(&mut sql, scope.batch, scope.filter);
        sql.push(" AND instr(lower(d.path), lower(")
            .push_bind(part.to_owned())
            .push(")) > 0 ORDER BY d.batch, d.path, d.id LIMIT ")
            .push_bind(limit);
        ids(&self.readers, sql).await
    }

    async fn found(&self, documents: &[DocumentId]) -> Result<Vec<FoundDocument>> {
        let rows = sqlx::query(concat!(
            "SELECT ",
            document_columns!(),
            ", d.batch, b.name AS batch_name, t.text, p.page_starts FROM json_each(?) wanted CROSS JOIN ",
            document_tables!(),
            " JOIN batches b ON b.id = d.batch LEFT JOIN texts t ON t.key = d.parse WHERE d.id = wanted.value"
        ))
        .bind(json(&documents))
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(FoundDocument {
                    batch: BatchId(id(row, "documents", "batch")?),
                    batch_name: get(row, "batch_name")?,
                    row: rows::document(row)?,
                    text: get(row, "text")?,
                    page_starts: parsed_opt(row, "parses", "page_starts")?.unwrap_or_default(),
                })
            })
            .collect()
    }

    async fn batch_vectors(&self, batch: Option<BatchId>, limit: u32) -> Result<Vec<BatchVectors>> {
        let rows = sqlx::query(
            "SELECT b.id, json_extract(b.params, '$.model') AS model, c.vectors, c.rows, c.dimensions FROM clusterings c \
             JOIN batches b ON b.id = c.batch WHERE c.vectors IS NOT NULL AND (?1 IS NULL OR b.id = ?1) ORDER BY b.id DESC LIMIT ?2",
        )
        .bind(batch.map(|batch| batch.to_string()))
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter()
            .map(|row| {
                Ok(BatchVectors {
                    batch: BatchId(id(row, "batches", "id")?),
                    model: rows::name(row, "batches", "model")?,
                    file: VectorFile {
                        name: get(row, "vectors")?,
                        rows: get(row, "rows")?,
                        dimensions: get(row, "dimensions")?,
                    },
                })
            })
            .collect()
    }

    async fn positions(&self, batch: BatchId, filter: &DocumentQuery) -> Result<Vec<(u32, DocumentId)>> {
        let mut sql = QueryBuilder::new(
            "SELECT l.position, d.id FROM placements l JOIN documents d ON d.id = l.document LEFT JOIN parses p ON p.key = d.parse",
        );
        push_filter(&mut sql, Some(batch), filter);
        sql.push(" AND l.batch = ").push_bind(batch.to_string()).push(" ORDER BY l.position");
        let rows = sql.build().fetch_all(&self.readers).await.map_err(database)?;
        rows.iter().map(|row| Ok((get(row, "position")?, DocumentId(id(row, "documents", "id")?)))).collect()
    }

    async fn placed_at(&self, batch: BatchId, positions: &[u32]) -> Result<Vec<(u32, DocumentId)>> {
        let rows = sqlx::query(
            "SELECT l.position, l.document FROM json_each(?) wanted CROSS JOIN placements l ON l.batch = ? AND l.position = wanted.value",
        )
        .bind(json(&positions))
        .bind(batch.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter().map(|row| Ok((get(row, "position")?, DocumentId(id(row, "placements", "document")?)))).collect()
    }

    async fn index_texts(&self, limit: u32) -> Result<u64> {
        let missing: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.key, t.text FROM texts t WHERE NOT EXISTS (SELECT 1 FROM indexed_texts i WHERE i.key = t.key) LIMIT ?",
        )
        .bind(limit)
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        let mut tx = begin(&self.writer).await?;
        for (key, text) in &missing {
            let is_there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM texts WHERE key = ?)")
                .bind(key)
                .fetch_one(&mut *tx)
                .await
                .map_err(database)?;
            if is_there {
                index(&mut tx, key, text).await?;
            }
        }
        tx.commit().await.map_err(database)?;
        Ok(missing.len() as u64)
    }
}

/// Texts that are looked at first, the best of all batches: enough, unless the words are frequent and the batch has few of them.
const BEST: u32 = 400;

/// The best documents of a batch, if the best texts of all tell: looking up the batch of every text with a frequent word takes
/// several times as long as ranking them.
async fn best_of_batch(
    readers: &SqlitePool,
    words: &str,
    batch: BatchId,
    limit: u32,
) -> Result<Option<Vec<DocumentId>>> {
    let rows: Vec<(i64, Option<String>)> = sqlx::query_as(
        "SELECT w.number, d.id FROM (SELECT rowid AS number, rank FROM text_words WHERE text_words MATCH ?1 ORDER BY rank LIMIT ?2) w \
         JOIN indexed_texts i ON i.id = w.number LEFT JOIN documents d ON d.parse = i.key AND d.batch = ?3 ORDER BY w.rank, d.id",
    )
    .bind(words)
    .bind(BEST)
    .bind(batch.to_string())
    .fetch_all(readers)
    .await
    .map_err(database)?;
    let texts = rows.iter().map(|(number, _)| number).collect::<HashSet<_>>().len();
    let found: Vec<DocumentId> = rows.into_iter().filter_map(|(_, id)| id).map(document_id).collect::<Result<_>>()?;
    let is_all = texts < BEST as usize || found.len() >= limit as usize;
    Ok(is_all.then(|| found.into_iter().take(limit as usize).collect()))
}

fn document_id(text: String) -> Result<DocumentId> {
    text.parse()
        .map(DocumentId)
        .map_err(|error| StoreError::Row { table: "documents", reason: format!("column `id`: {error}") })
}

async fn ids(readers: &SqlitePool, mut sql: QueryBuilder<sqlx::Sqlite>) -> Result<Vec<DocumentId>> {
    let found: Vec<String> = sql.build_query_scalar().fetch_all(readers).await.map_err(database)?;
    found.into_iter().map(document_id).collect()
}
