//! Flows and their versions.

use async_trait::async_trait;
use sheaf_domain::FlowId;
use sheaf_domain::flow::{Flow, FlowSpec};
use sheaf_store::{FlowStore, Saved};
use sqlx::PgPool;
use sqlx::postgres::PgRow;

use crate::again::{Patience, again};
use crate::rows::{get, id, json, parsed, seconds, small};
use crate::{PostgresStore, Result, database, now, nul};

/// The columns of a version.
macro_rules! versions {
    () => {
        "SELECT v.flow, v.version, v.spec, v.saved_at FROM flow_versions v JOIN flows f ON f.id = v.flow"
    };
}

fn read(row: &PgRow) -> Result<Flow> {
    Ok(Flow {
        id: FlowId(id(row, "flow")?),
        version: small(row, "flow_versions", "version")?,
        saved_at: seconds(get(row, "saved_at")?),
        spec: parsed(row, "flow_versions", "spec")?,
    })
}

#[async_trait]
impl FlowStore for PostgresStore {
    async fn save_flow(&self, flow: FlowId, spec: &FlowSpec, based_on: Option<u32>) -> Result<Saved> {
        again(Patience::ASKED, || save(&self.pool, flow, spec, based_on)).await
    }
    async fn flows(&self) -> Result<Vec<Flow>> {
        again(Patience::ASKED, || list(&self.pool)).await
    }
    async fn flow(&self, flow: FlowId, version: Option<u32>) -> Result<Option<Flow>> {
        again(Patience::ASKED, || one(&self.pool, flow, version)).await
    }
    async fn flow_versions(&self, flow: FlowId) -> Result<Vec<Flow>> {
        again(Patience::ASKED, || all_versions(&self.pool, flow)).await
    }
    async fn delete_flow(&self, flow: FlowId) -> Result<bool> {
        again(Patience::ASKED, || delete(&self.pool, flow)).await
    }
}

async fn save(pool: &PgPool, flow: FlowId, spec: &FlowSpec, based_on: Option<u32>) -> Result<Saved> {
    let mut tx = pool.begin().await.map_err(database)?;
    let row = sqlx::query(
        "SELECT f.version, v.spec FROM flows f JOIN flow_versions v ON v.flow = f.id AND v.version = f.version \
         WHERE f.id = $1 AND NOT f.hidden FOR UPDATE OF f",
    )
    .bind(flow.0)
    .fetch_optional(&mut *tx)
    .await
    .map_err(database)?;
    let version = match (row, based_on) {
        (None, Some(_)) => return Ok(Saved::Missing),
        (None, None) => 1,
        (Some(row), based_on) => {
            let version = small(&row, "flows", "version")?;
            if parsed::<FlowSpec>(&row, "flow_versions", "spec")? == *spec {
                return Ok(Saved::Version(version));
            }
            if based_on != Some(version) {
                return Ok(Saved::Outdated(version));
            }
            version + 1
        }
    };
    sqlx::query("INSERT INTO flows (id, version) VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET version = $2")
        .bind(flow.0)
        .bind(i64::from(version))
        .execute(&mut *tx)
        .await
        .map_err(database)?;
    sqlx::query(concat!(
        "INSERT INTO flow_versions (flow, version, name, spec, saved_at) VALUES ($1, $2, $3, $4::json, ",
        now!(),
        ")"
    ))
    .bind(flow.0)
    .bind(i64::from(version))
    .bind(nul::hide(&spec.name))
    .bind(json(spec))
    .execute(&mut *tx)
    .await
    .map_err(database)?;
    tx.commit().await.map_err(database)?;
    Ok(Saved::Version(version))
}

async fn list(pool: &PgPool) -> Result<Vec<Flow>> {
    let rows = sqlx::query(concat!(
        versions!(),
        " WHERE v.version = f.version AND NOT f.hidden ORDER BY v.saved_at DESC, v.flow DESC"
    ))
    .fetch_all(pool)
    .await
    .map_err(database)?;
    rows.iter().map(read).collect()
}

async fn one(pool: &PgPool, flow: FlowId, version: Option<u32>) -> Result<Option<Flow>> {
    let row = sqlx::query(concat!(
        versions!(),
        " WHERE f.id = $1 AND v.version = coalesce($2::bigint, CASE WHEN f.hidden THEN NULL ELSE f.version END)"
    ))
    .bind(flow.0)
    .bind(version.map(i64::from))
    .fetch_optional(pool)
    .await
    .map_err(database)?;
    row.as_ref().map(read).transpose()
}

async fn all_versions(pool: &PgPool, flow: FlowId) -> Result<Vec<Flow>> {
    let rows = sqlx::query(concat!(versions!(), " WHERE f.id = $1 AND NOT f.hidden ORDER BY v.version DESC"))
        .bind(flow.0)
        .fetch_all(pool)
        .await
        .map_err(database)?;
    rows.iter().map(read).collect()
}

async fn delete(pool: &PgPool, flow: FlowId) -> Result<bool> {
    let hidden = sqlx::query("UPDATE flows SET hidden = true WHERE id = $1 AND NOT hidden")
        .bind(flow.0)
        .execute(pool)
        .await
        .map_err(database)?;
    Ok(hidden.rows_affected() > 0)
}
