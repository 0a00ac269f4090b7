//! The index of words, as `tsvector`. Words are folded before they come here, so that every store finds the same.

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, Term, TextQuery, folded_words};
use sheaf_store::{BatchVectors, FoundDocument, SearchScope, SearchStore, VectorFile};
use sqlx::{PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::again::{Patience, again};
use crate::rows::{self, document_columns, document_tables, get, id, parsed_opt, small, text};
use crate::table::push_filter;
use crate::{PostgresStore, Result, database, nul};

/// Words of one part of a text, of at most 64 bytes each.
const PART: usize = 8000;
/// Words that a part shares with the one before: the longest phrase.
const SHARED: usize = 32;

/// A term in the language of `tsquery`; folded words are letters and digits, so nothing in them needs escaping.
fn query_of(term: &Term) -> String {
    let last = term.words.len().saturating_sub(1);
    let word = |(i, word): (usize, &String)| format!("'{word}'{}", if term.prefix && i == last { ":*" } else { "" });
    format!("({})", term.words.iter().enumerate().map(word).collect::<Vec<_>>().join(" <-> "))
}

fn any_of(terms: &[Term]) -> String {
    terms.iter().map(query_of).collect::<Vec<_>>().join(" | ")
}

/// Appends the condition that the document's text has the words. Parts of a text may have some of them each.
pub fn push_words(sql: &mut QueryBuilder<Postgres>, query: &TextQuery) {
    let mut push = |is: &str, words: String| {
        sql.push(format!(" AND d.parse {is} (SELECT w.key FROM text_words w WHERE w.words @@ "))
            .push_bind(words)
            .push("::tsquery)");
    };
    query.all.iter().for_each(|group| push("IN", any_of(group)));
    query.none.iter().for_each(|none| push("NOT IN", query_of(none)));
}

/// Indexes a text that is in `texts`.
pub async fn index(tx: &mut PgConnection, key: &str, text: &str) -> Result<()> {
    let words: Vec<String> = folded_words(text).map(|word| word.folded).collect();
    let mut parts: Vec<String> = Vec::new();
    let mut start = 0;
    loop {
        let end = (start + PART).min(words.len());
        let places = words[start..end].iter().enumerate().map(|(at, word)| format!("'{word}':{}", at + 1));
        parts.push(places.collect::<Vec<_>>().join(" "));
        if end == words.len() {
            break;
        }
        start = end - SHARED;
    }
    sqlx::query(
        "INSERT INTO text_words (key, part, words) SELECT $1, p.part, p.words::tsvector \
         FROM unnest($2::text[]) WITH ORDINALITY AS p (words, part) ON CONFLICT DO NOTHING",
    )
    .bind(key)
    .bind(parts)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}

#[async_trait]
impl SearchStore for PostgresStore {
    async fn search_texts(&self, query: &TextQuery, scope: SearchScope<'_>, limit: u32) -> Result<Vec<DocumentId>> {
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = any_of(&query.wanted().cloned().collect::<Vec<_>>());
        again(Patience::ASKED, || async {
            let mut sql = QueryBuilder::new(concat!("SELECT d.id FROM ", document_tables!()));
            push_filter(&mut sql, scope.batch, scope.filter);
            push_words(&mut sql, query);
            sql.push(" ORDER BY (SELECT sum(ts_rank(w.words, r.wanted)) FROM text_words w, (SELECT ")
                .push_bind(wanted.clone())
                .push("::tsquery AS wanted) r WHERE w.key = d.parse AND w.words @@ r.wanted) DESC NULLS LAST, d.id LIMIT ")
                .push_bind(i64::from(limit));
            let ids: Vec<Uuid> = sql.build_query_scalar().fetch_all(&self.pool).await.map_err(database)?;
            Ok(ids.into_iter().map(DocumentId).collect())
        })
        .await
    }

    async fn search_names(&self, part: &str, scope: SearchScope<'_>, limit: u32) -> Result<Vec<DocumentId>> {
        again(Patience::ASKED, || async {
            let mut sql = QueryBuilder::new(concat!("SELECT d.id FROM ", document_tables!()));
            push_filter(&mut sql, scope.batch, scope.filter);
            sql.push(" AND strpos(lower(d.path), lower(")
                .push_bind(nul::hide(part).into_owned())
                .push(" COLLATE \"C\")) > 0 ORDER BY d.batch, d.path, d.id LIMIT ")
                .push_bind(i64::from(limit));
            let ids: Vec<Uuid> = sql.build_query_scalar().fetch_all(&self.pool).await.map_err(database)?;
            Ok(ids.into_iter().map(DocumentId).collect())
        })
        .await
    }

    async fn found(&self, documents: &[DocumentId]) -> Result<Vec<FoundDocument>> {
        let ids: Vec<Uuid> = documents.iter().map(|document| document.0).collect();
        again(Patience::ASKED, || async {
            let rows = sqlx::query(concat!(
                "SELECT ",
                document_columns!(),
                ", d.batch, b.name AS batch_name, t.text, p.page_starts FROM ",
                document_tables!(),
                " JOIN batches b ON b.id = d.batch LEFT JOIN texts t ON t.key = d.parse WHERE d.id = ANY($1)"
            ))
            .bind(&ids)
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
            rows.iter()
                .map(|row| {
                    Ok(FoundDocument {
                        batch: BatchId(id(row, "batch")?),
                        batch_name: text(row, "batch_name")?,
                        row: rows::document(row)?,
                        text: get::<Option<String>>(row, "text")?.map(nul::show),
                        page_starts: parsed_opt(row, "parses", "page_starts")?.unwrap_or_default(),
                    })
                })
                .collect()
        })
        .await
    }

    async fn batch_vectors(&self, batch: Option<BatchId>, limit: u32) -> Result<Vec<BatchVectors>> {
        again(Patience::ASKED, || async {
            let rows = sqlx::query(
                "SELECT b.id, b.params ->> 'model' AS model, c.vectors, c.rows, c.dimensions FROM clusterings c \
                 JOIN batches b ON b.id = c.batch WHERE c.vectors IS NOT NULL AND ($1 IS NULL OR b.id = $1) \
                 ORDER BY b.id DESC LIMIT $2",
            )
            .bind(batch.map(|batch| batch.0))
            .bind(i64::from(limit))
            .fetch_all(&self.pool)
            .await
            .map_err(database)?;
            rows.iter()
                .map(|row| {
                    Ok(BatchVectors {
                        batch: BatchId(id(row, "id")?),
                        model: rows::name(row, "batches", "model")?,
                        file: VectorFile {
                            name: get(row, "vectors")?,
                            rows: small(row, "clusterings", "rows")?,
                            dimensions: small(row, "clusterings", "dimensions")?,
                        },
                    })
                })
                .collect()
        })
        .await
    }

    async fn positions(&self, batch: BatchId, filter: &DocumentQuery) -> Result<Vec<(u32, DocumentId)>> {
        again(Patience::ASKED, || async {
            let mut sql = QueryBuilder::new(concat!("SELECT l.position, d.id FROM ", document_tables!()));
            push_filter(&mut sql, Some(batch), filter);
            sql.push(" AND l.document IS NOT NULL ORDER BY l.position");
            let rows = sql.build().fetch_all(&self.pool).await.map_err(database)?;
            rows.iter().map(|row| Ok((small(row, "placements", "position")?, DocumentId(id(row, "id")?)))).collect()
        })
        .await
    }

    async fn placed_at(&self, batch: BatchId, positions: &[u32]) -> Result<Vec<(u32, DocumentId)>> {
        let positions: Vec<i64> = positions.iter().map(|position| i64::from(*position)).collect();
        again(Patience::ASKED, || async {
            let rows = sqlx::query("SELECT position, document FROM placements WHERE batch = $1 AND position = ANY($2)")
                .bind(batch.0)
                .bind(&positions)
                .fetch_all(&self.pool)
                .await
                .map_err(database)?;
            rows.iter()
                .map(|row| Ok((small(row, "placements", "position")?, DocumentId(id(row, "document")?))))
                .collect()
        })
        .await
    }

    async fn index_texts(&self, limit: u32) -> Result<u64> {
        again(Patience::WORK, || async {
            let mut tx = self.pool.begin().await.map_err(database)?;
            let missing: Vec<(String, String)> = sqlx::query_as(
                "SELECT t.key, t.text FROM texts t WHERE NOT EXISTS (SELECT FROM text_words w WHERE w.key = t.key) \
                 ORDER BY t.key LIMIT $1 FOR KEY SHARE OF t",
            )
            .bind(i64::from(limit))
            .fetch_all(&mut *tx)
            .await
            .map_err(database)?;
            for (key, hidden) in &missing {
                index(&mut tx, key, &nul::show(hidden.clone())).await?;
            }
            tx.commit().await.map_err(database)?;
            Ok(missing.len() as u64)
        })
        .await
    }
}
