//! `cargo xtask serve`: set-up, build and the server itself; with `--dev` it watches, rebuilds and reloads the page.

mod dev;
mod reload;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::paths::{Paths, Profile};
use crate::{build, setup};

#[derive(clap::Args)]
pub struct Serve {
    /// Watch the sources; rebuild, restart and reload the page when they change.
    #[arg(long, conflicts_with = "release")]
    dev: bool,
    /// The optimised build (the default).
    #[arg(long)]
    release: bool,
    /// Handed to `sheaf serve`.
    #[arg(last = true)]
    args: Vec<String>,
}

impl Serve {
    /// Becomes the server; with `--dev`, returns when it is interrupted.
    pub fn run(self, paths: &Paths) -> Result<ExitCode> {
        setup::setup(paths)?;
        if self.dev {
            return dev::watch(paths, &self.args);
        }
        let sheaf = build::build(paths, Profile::Release)?;
        let error = Command::new(&sheaf).arg("serve").args(&self.args).exec();
        Err(error).with_context(|| format!("cannot run `{}`", sheaf.display()))
    }
}
