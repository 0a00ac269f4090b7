//! Many rows by few statements: each gets a chunk of them as one array of JSON.

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::rows::json;
use crate::{Result, database};

/// Rows that one statement gets.
const ROWS: usize = 2_000;

/// Rows as they are written. They are made before the transaction begins, in which everybody else has to wait.
pub struct Chunks(Vec<String>);

impl Chunks {
    /// Of each of `items` what `row` makes of it.
    pub fn of<T, R: Serialize>(items: &[T], row: impl Fn(&T) -> R) -> Self {
        Self(items.chunks(ROWS).map(|chunk| json(&chunk.iter().map(&row).collect::<Vec<_>>())).collect())
    }

    /// Runs a statement for each chunk, which is its first parameter; the batch is its second.
    pub async fn execute(&self, tx: &mut SqliteConnection, sql: &'static str, batch: &str) -> Result<()> {
        for chunk in &self.0 {
            sqlx::query(sql).bind(chunk).bind(batch).execute(&mut *tx).await.map_err(database)?;
        }
        Ok(())
    }
}
