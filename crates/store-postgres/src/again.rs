//! Transactions that lost against another one, or their connection, are done again, with growing waits.

use std::io;
use std::time::{Duration, Instant};

use sheaf_store::StoreError;

use crate::{Result, database};

/// How often a transaction gives way to others before that is an error.
const CONFLICTS: u32 = 20;
/// Waits after the first try; doubled with each further one, up to [`LONGEST`].
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(1);

/// How long the database may keep somebody waiting.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// After this time without an answer a try is over: the other end of a cut cable never says so.
    answer: Duration,
    /// After this time without a database no further try is made.
    outage: Duration,
}

impl Patience {
    /// Somebody waits for the answer.
    pub const ASKED: Self = Self { answer: Duration::from_secs(60), outage: Duration::from_secs(10) };
    /// Minutes of work are at stake.
    pub const WORK: Self = Self { answer: Duration::from_secs(600), outage: Duration::from_secs(300) };

    /// A lease runs meanwhile: whoever keeps it has to come back before its end.
    pub fn lease(lease_ms: u64) -> Self {
        let third = Duration::from_millis(lease_ms / 3).max(Duration::from_secs(1));
        Self { answer: third, outage: third }
    }
}

/// Why a try may succeed when it is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Passing {
    /// Another transaction was in the way.
    Conflict,
    /// The database went away, is starting or has no room.
    Outage,
}

/// Does `work`, a transaction that can be done twice, until it succeeds, fails for good or patience is at its end. After a
/// connection was lost while it committed nobody knows whether it did; therefore each must be the same when done twice.
pub async fn again<T, F>(patience: Patience, work: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let start = Instant::now();
    let mut wait = SHORTEST;
    let mut conflicts = 0;
    loop {
        let tried = tokio::time::timeout(patience.answer, work()).await;
        let error = match tried.unwrap_or_else(|_| Err(unanswered(patience.answer))) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        match passing(&error) {
            Some(Passing::Conflict) if conflicts < CONFLICTS => conflicts += 1,
            Some(Passing::Outage) if start.elapsed() < patience.outage => {
                if wait == SHORTEST {
                    tracing::warn!(error = &error as &dyn std::error::Error, "the database is away; waiting for it");
                }
            }
            Some(_) | None => return Err(error),
        }
        // Whoever gave way together should not come back together.
        tokio::time::sleep(wait.mul_f64(0.5 + fastrand::f64())).await;
        wait = (wait * 2).min(LONGEST);
    }
}

fn unanswered(after: Duration) -> StoreError {
    let text = format!("the database has not answered for {} s", after.as_secs());
    database(sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, text)))
}

/// What kind of trouble this is, if it may pass.
fn passing(error: &StoreError) -> Option<Passing> {
    let StoreError::Database(source) = error else { return None };
    match source.downcast_ref()? {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed => Some(Passing::Outage),
        sqlx::Error::Database(error) => error.code().and_then(|code| passing_code(&code)),
        _ => None,
    }
}

/// By SQLSTATE, appendix A of PostgreSQL's manual.
fn passing_code(code: &str) -> Option<Passing> {
    match code {
        // Serialization failure, deadlock, lock not available.
        "40001" | "40P01" | "55P03" => Some(Passing::Conflict),
        // Too many connections; shut down by an administrator or a crash; starting; idle in a transaction for too long;
        // connections that broke; a server that has become a standby.
        "53300" | "57P01" | "57P02" | "57P03" | "25P03" | "08000" | "08003" | "08006" | "25006" => {
            Some(Passing::Outage)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const SHORT: Patience = Patience { answer: Duration::from_millis(20), outage: Duration::from_millis(100) };

    fn lost() -> StoreError {
        database(sqlx::Error::Io(io::ErrorKind::ConnectionReset.into()))
    }

    #[tokio::test]
    async fn what_passes_is_tried_again() {
        let tries = Cell::new(0);
        let work = async || {
            tries.set(tries.get() + 1);
            if tries.get() < 3 { Err(lost()) } else { Ok("done") }
        };
        assert_eq!(again(Patience::ASKED, work).await.expect("it came back"), "done");
        assert_eq!(tries.get(), 3);
    }

    #[tokio::test]
    async fn what_does_not_pass_is_told_at_once_and_an_outage_in_the_end() {
        let tries = Cell::new(0);
        let work = async || {
            tries.set(tries.get() + 1);
            Err::<(), _>(database(sqlx::Error::RowNotFound))
        };
        assert!(again(Patience::ASKED, work).await.is_err());
        assert_eq!(tries.get(), 1);
        assert!(again(SHORT, || std::future::ready(Err::<(), _>(lost()))).await.is_err());
        let silent = again(SHORT, std::future::pending::<Result<()>>).await;
        assert!(silent.is_err(), "a database that says nothing is away");
    }

    #[test]
    fn codes_say_what_passes() {
        let check = |code: &str, expect: Option<Passing>| assert_eq!(passing_code(code), expect, "{code}");
        check("40P01", Some(Passing::Conflict));
        check("57P01", Some(Passing::Outage));
        check("23505", None);
        check("28P01", None);
    }
}
