//! Documents that come with their results.

use std::collections::HashSet;

use async_trait::async_trait;
use sheaf_domain::{BatchId, DocumentId, Status};
use sheaf_store::{Found, ImportStore, ImportedDocument, NewDocument};
use sqlx::{SqliteConnection, SqlitePool};

use crate::arrive::{Destination, list};
use crate::finish::{insert_vector, remember_parse};
use crate::rows::id;
use crate::{Result, SqliteStore, begin, changed, database};

#[async_trait]
impl ImportStore for SqliteStore {
    async fn import_documents(&self, batch: BatchId, documents: &[ImportedDocument]) -> Result<()> {
        import(&self.writer, batch, documents).await
    }

    async fn without_originals(&self, batch: BatchId) -> Result<HashSet<DocumentId>> {
        let rows =
            sqlx::query("SELECT i.document FROM imported i JOIN documents d ON d.id = i.document WHERE d.batch = ?")
                .bind(batch.to_string())
                .fetch_all(&self.readers)
                .await
                .map_err(database)?;
        rows.iter().map(|row| id(row, "imported", "document").map(DocumentId)).collect()
    }
}

async fn import(writer: &SqlitePool, batch: BatchId, documents: &[ImportedDocument]) -> Result<()> {
    let mut tx = begin(writer).await?;
    let listed: Vec<NewDocument> = documents.iter().map(|imported| imported.document.clone()).collect();
    list(&mut tx, Destination { batch, upload: None, goes_on: false }, &listed).await?;
    for ImportedDocument { document, found } in documents {
        let document = document.id.to_string();
        let marked = sqlx::query("INSERT INTO imported (document) SELECT id FROM documents WHERE id = ?")
            .bind(&document)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        // Without a row of its own it is a double of one that is listed.
        if let (Some(found), 1) = (found, marked.rows_affected()) {
            finish(&mut tx, &document, found).await?;
        }
    }
    tx.commit().await.map_err(database)
}

/// The document has these results, and its first job has nothing left to do.
async fn finish(tx: &mut SqliteConnection, document: &str, found: &Found) -> Result<()> {
    remember_parse(tx, &found.parsed).await?;
    insert_vector(tx, &found.key, &found.vectored).await?;
    sqlx::query("UPDATE jobs SET state = ? WHERE document = ?")
        .bind(Status::Completed.name())
        .bind(document)
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "UPDATE documents SET status = 'completed', stage = 'embed', parse = ?, vector = ?, ",
        changed!(),
        " WHERE id = ?"
    ))
    .bind(&found.parsed.key)
    .bind(&found.key)
    .bind(document)
    .execute(tx)
    .await
    .map_err(database)?;
    Ok(())
}
