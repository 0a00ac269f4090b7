//! Documents that come with their results.

use std::collections::{BTreeMap, HashSet};

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, Status};
use sheaf_store::{Found, ImportStore, ImportedDocument, NewDocument};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::again::{Patience, again};
use crate::arrive::{Destination, list};
use crate::parse::remember;
use crate::{PostgresStore, Result, changed, database, nul};

#[async_trait]
impl ImportStore for PostgresStore {
    async fn import_documents(&self, batch: BatchId, documents: &[ImportedDocument]) -> Result<()> {
        again(Patience::ASKED, || import(&self.pool, batch, documents)).await
    }

    async fn without_originals(&self, batch: BatchId) -> Result<HashSet<DocumentId>> {
        again(Patience::ASKED, || without_originals(&self.pool, batch)).await
    }
}

async fn without_originals(pool: &PgPool, batch: BatchId) -> Result<HashSet<DocumentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "SELECT i.document FROM imported i JOIN documents d ON d.id = i.document WHERE d.batch = $1",
    )
    .bind(batch.0)
    .fetch_all(pool)
    .await
    .map_err(database)?;
    Ok(ids.into_iter().map(DocumentId).collect())
}

async fn import(pool: &PgPool, batch: BatchId, documents: &[ImportedDocument]) -> Result<()> {
    let mut tx = pool.begin().await.map_err(database)?;
    let new: Vec<NewDocument> = documents.iter().map(|imported| imported.document.clone()).collect();
    list(&mut tx, Destination { batch, upload: None, goes_on: false }, &new).await?;
    let ids: Vec<Uuid> = new.iter().map(|document| document.id.0).collect();
    // Without a row of its own a document is a double of one that is listed; and the answer to this may have been lost before.
    let listed: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM documents WHERE id = ANY($1)")
        .bind(ids)
        .fetch_all(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query("INSERT INTO imported (document) SELECT * FROM unnest($1::uuid[]) ON CONFLICT DO NOTHING")
        .bind(&listed)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    let listed: HashSet<Uuid> = listed.into_iter().collect();
    let found: Vec<(Uuid, &Found)> = documents
        .iter()
        .filter(|imported| listed.contains(&imported.document.id.0))
        .filter_map(|imported| Some((imported.document.id.0, imported.found.as_ref()?)))
        .collect();
    finish(&mut tx, &found).await?;
    tx.commit().await.map_err(database)
}

/// The documents have these results, and their first jobs have nothing left to do.
async fn finish(tx: &mut PgConnection, found: &[(Uuid, &Found)]) -> Result<()> {
    remember(tx, found.iter().map(|(_, found)| &found.parsed)).await?;
    let new: BTreeMap<String, &Found> =
        found.iter().map(|(_, found)| (nul::hide(&found.key).into_owned(), *found)).collect();
    let bytes = |found: &Found| found.vectored.vector.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
    // On a conflict the row is locked: a batch that is deleted at the same moment cannot take it along.
    sqlx::query(
        "INSERT INTO vectors (key, vector, terms) SELECT * FROM unnest($1::text[], $2::bytea[], $3::bytea[]) \
         ON CONFLICT (key) DO UPDATE SET terms = vectors.terms WHERE false",
    )
    .bind(new.keys().collect::<Vec<_>>())
    .bind(new.values().map(|found| bytes(found)).collect::<Vec<_>>())
    .bind(new.values().map(|found| found.vectored.terms.as_slice()).collect::<Vec<_>>())
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    let documents: Vec<Uuid> = found.iter().map(|(document, _)| *document).collect();
    sqlx::query("UPDATE jobs SET state = $1 WHERE document = ANY($2)")
        .bind(Status::Completed.name())
        .bind(&documents)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents d SET status = 'completed', stage = 'embed', parse = r.parse, vector = r.vector, ",
        changed!(),
        " FROM unnest($1::uuid[], $2::text[], $3::text[]) AS r (id, parse, vector) WHERE d.id = r.id"
    ))
    .bind(documents)
    .bind(found.iter().map(|(_, found)| nul::hide(&found.parsed.key)).collect::<Vec<_>>())
    .bind(found.iter().map(|(_, found)| nul::hide(&found.key)).collect::<Vec<_>>())
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
