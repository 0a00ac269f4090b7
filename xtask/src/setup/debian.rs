//! What comes from the system's packages: installed where that is possible, asked for where it is not.

use std::process::Command;

use anyhow::{Result, bail};

use crate::run;

/// Installs `packages` on Debian as root.
///
/// # Errors
/// With what to do by hand, where that is not possible.
pub fn install(what: &str, packages: &[&str], by_hand: &str) -> Result<()> {
    let root = nix::unistd::geteuid().is_root();
    if !root || !run::succeeds(Command::new("apt-get").arg("--version")) {
        bail!("no {what} was found: {by_hand}");
    }
    run::step(&format!("install {what}"), || {
        run::checked(Command::new("apt-get").args(["update", "-qq"]))?;
        run::checked(
            Command::new("apt-get")
                .args(["install", "-y", "-qq", "--no-install-recommends"])
                .args(packages)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    })
}
