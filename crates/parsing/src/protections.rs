//! Which protections a child runs under, as it says itself.

use serde::{Deserialize, Serialize};

/// What the system enforces on a child beside its limits on memory, time and output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protections {
    /// The version of Landlock that keeps files and sockets away.
    #[serde(rename = "landlock_abi")]
    pub landlock: Option<u8>,
    /// Whether a filter refuses all system calls that parsing does not need.
    pub seccomp: bool,
}

impl Protections {
    /// What is lacking, in words for a log.
    pub fn missing(&self) -> Vec<&'static str> {
        let Self { landlock, seccomp } = self;
        let mut missing = Vec::new();
        if landlock.is_none() {
            missing.push("Landlock (files and network)");
        }
        if !seccomp {
            missing.push("seccomp (system calls)");
        }
        missing
    }

    /// Whether less is enforced than a system of this kind can do. Systems that have neither protection are not weak for
    /// that: they have nothing to switch on.
    pub fn are_weak(&self) -> bool {
        cfg!(target_os = "linux") && !self.missing().is_empty()
    }
}
