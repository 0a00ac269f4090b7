//! Whether the cage holds: one child is asked to break out.

use sheaf_domain::{Failure, FailureCode};

use super::Pool;
use super::child::Child;
use crate::protections::Protections;

/// What a child is locked in by, and what it can do all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub protections: Protections,
    /// In words; empty where every protection is on.
    pub possible: Vec<String>,
}

impl Pool {
    /// Starts a child of its own, has it try what it should not be able to do, and ends it. It takes some milliseconds.
    ///
    /// # Errors
    /// `weak_sandbox` when this system cannot lock it in, or the lock does not hold, and that was not allowed; `internal`
    /// when no child can be started.
    pub async fn prove(&self) -> Result<Proof, Failure> {
        let mut child = Child::start(&self.config).await?;
        let possible = child.probe().await?;
        let protections = child.protections.clone();
        child.end().await;
        let broken = protections.missing().is_empty() && !possible.is_empty();
        if broken && !self.config.allow_weak_sandbox {
            let message = format!("parsers are locked in, and yet one could {}", possible.join(", "));
            return Err(Failure::new(FailureCode::WeakSandbox, message));
        }
        Ok(Proof { protections, possible })
    }
}
