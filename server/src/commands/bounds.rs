//! The settings that bound what documents may do, the same for every command that reads them.

use sheaf_engine::ProcessingConfig;

/// Flattened into the arguments of `serve` and `analyze`.
#[derive(clap::Args)]
pub struct Bounds {
    /// Read documents even where this system cannot lock the parsers in.
    #[arg(long, env = "SHEAF_ALLOW_WEAK_SANDBOX")]
    allow_weak_sandbox: bool,
}

impl Bounds {
    /// Puts the settings where they belong.
    pub fn apply(&self, processing: &mut ProcessingConfig) {
        let Self { allow_weak_sandbox } = self;
        processing.allow_weak_sandbox = *allow_weak_sandbox;
    }
}
