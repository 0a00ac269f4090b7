//! Flows and their versions.

use async_trait::async_trait;
use sheaf_domain::FlowId;
use sheaf_domain::flow::{Flow, FlowSpec};
use sheaf_store::{FlowStore, Saved};
use sqlx::sqlite::SqliteRow;

use crate::rows::{get, id, json, parsed, seconds};
use crate::{Result, SqliteStore, database, now};

/// The columns of a version.
macro_rules! versions {
    () => {
        "SELECT v.flow, v.version, v.spec, v.saved_at FROM flow_versions v JOIN flows f ON f.id = v.flow"
    };
}

fn read(row: &SqliteRow) -> Result<Flow> {
    Ok(Flow {
        id: FlowId(id(row, "flow_versions", "flow")?),
        version: get(row, "version")?,
        saved_at: seconds(get(row, "saved_at")?),
        spec: parsed(row, "flow_versions", "spec")?,
    })
}

#[async_trait]
impl FlowStore for SqliteStore {
    async fn save_flow(&self, flow: FlowId, spec: &FlowSpec, based_on: Option<u32>) -> Result<Saved> {
        let mut tx = self.writer.begin().await.map_err(database)?;
        let row = sqlx::query(
            "SELECT f.version, v.spec FROM flows f JOIN flow_versions v ON v.flow = f.id AND v.version = f.version \
             WHERE f.id = ? AND NOT f.hidden",
        )
        .bind(flow.to_string())
        .fetch_optional(&mut *tx)
        .await
        .map_err(database)?;
        let version = match (row, based_on) {
            (None, Some(_)) => return Ok(Saved::Missing),
            (None, None) => 1,
            (Some(row), based_on) => {
                let version: u32 = get(&row, "version")?;
                if parsed::<FlowSpec>(&row, "flow_versions", "spec")? == *spec {
                    return Ok(Saved::Version(version));
                }
                if based_on != Some(version) {
                    return Ok(Saved::Outdated(version));
                }
                version + 1
            }
        };
        sqlx::query("INSERT INTO flows (id, version) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET version = ?2")
            .bind(flow.to_string())
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(database)?;
        sqlx::query(concat!(
            "INSERT INTO flow_versions (flow, version, name, spec, saved_at) VALUES (?, ?, ?, ?, ",
            now!(),
            ")"
        ))
        .bind(flow.to_string())
        .bind(version)
        .bind(&spec.name)
        .bind(json(spec))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
        tx.commit().await.map_err(database)?;
        Ok(Saved::Version(version))
    }

    async fn flows(&self) -> Result<Vec<Flow>> {
        let rows = sqlx::query(concat!(
            versions!(),
            " WHERE v.version = f.version AND NOT f.hidden ORDER BY v.saved_at DESC, v.flow DESC",
        ))
        .fetch_all(&self.readers)
        .await
        .map_err(database)?;
        rows.iter().map(read).collect()
    }

    async fn flow(&self, flow: FlowId, version: Option<u32>) -> Result<Option<Flow>> {
        let row = sqlx::query(concat!(
            versions!(),
            " WHERE f.id = ?1 AND v.version = coalesce(?2, CASE WHEN f.hidden THEN NULL ELSE f.version END)",
        ))
        .bind(flow.to_string())
        .bind(version)
        .fetch_optional(&self.readers)
        .await
        .map_err(database)?;
        row.as_ref().map(read).transpose()
    }

    async fn flow_versions(&self, flow: FlowId) -> Result<Vec<Flow>> {
        let rows = sqlx::query(concat!(versions!(), " WHERE f.id = ? AND NOT f.hidden ORDER BY v.version DESC"))
            .bind(flow.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(database)?;
        rows.iter().map(read).collect()
    }

    async fn delete_flow(&self, flow: FlowId) -> Result<bool> {
        let hidden = sqlx::query("UPDATE flows SET hidden = 1 WHERE id = ? AND NOT hidden")
            .bind(flow.to_string())
            .execute(&self.writer)
            .await
            .map_err(database)?;
        Ok(hidden.rows_affected() > 0)
    }
}
