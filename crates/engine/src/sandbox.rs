//! What the parsers are locked in by: found out at the start, and said.

use sheaf_domain::Failure;
use sheaf_parsing::{Pool, Proof};

/// Has a parser try to break out, and says in the log what it is locked in by, or what is missing.
///
/// # Errors
/// `weak_sandbox` when something is missing and that was not allowed.
pub async fn prove(pool: &Pool) -> Result<Proof, Failure> {
    let proof = pool.prove().await?;
    let missing = proof.protections.missing();
    if missing.is_empty() {
        tracing::info!(landlock_abi = proof.protections.landlock, "parsers are locked in by Landlock and seccomp");
    } else {
        let (missing, possible) = (missing.join(" and "), proof.possible.join(", "));
        tracing::warn!("parsers are not locked in as they should be: this system lacks {missing}; they can {possible}");
    }
    Ok(proof)
}
