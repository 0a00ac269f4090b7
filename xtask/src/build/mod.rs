//! From sources to a folder that runs by itself: the binary, and beside it `assets/{site,pdfium,models}`.

mod css;
mod link;
mod site;
mod wasm;

use std::path::PathBuf;

use anyhow::Result;

use crate::paths::{ACCURATE_MODEL, FAST_MODEL, Paths, Profile};
use crate::{run, setup};

/// Builds the page and the server and lays out what they need; what has not changed is not done again.
pub fn build(paths: &Paths, profile: Profile) -> Result<PathBuf> {
    page(paths, profile)?;
    run::step("compile the server", || {
        let mut cargo = run::cargo(paths);
        cargo.args(["build", "-p", "server"]);
        if profile == Profile::Release {
            cargo.arg("--release");
        }
        run::checked(&mut cargo)
    })?;
    let sheaf = paths.sheaf(profile);
    setup::fast_model(paths, &sheaf)?;
    lay_out(paths, profile)?;
    eprintln!("  {} ({})", sheaf.display(), size(sheaf.metadata()?.len()));
    Ok(sheaf)
}

/// Builds what a browser fetches.
pub fn page(paths: &Paths, profile: Profile) -> Result<()> {
    let module = run::step("compile the page", || wasm::compile(paths, profile))?;
    site::make(paths, profile, &module)
}

/// Only the page's files, for a change in `style` or `public`.
pub fn site_again(paths: &Paths, profile: Profile) -> Result<()> {
    site::make(paths, profile, &wasm::compiled(paths, profile))
}

/// PDFium and the models beside the binary, which looks for them in its own folder.
fn lay_out(paths: &Paths, profile: Profile) -> Result<()> {
    let assets = paths.bin_dir(profile).join("assets");
    link::folder(&paths.pdfium(), &assets.join("pdfium"))?;
    for name in [ACCURATE_MODEL, FAST_MODEL] {
        let model = paths.model(name);
        if model.is_dir() {
            link::folder(&model, &assets.join("models").join(name))?;
        }
    }
    Ok(())
}

/// Bytes for a person: `351.2 kB`.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    if bytes < 1e6 { format!("{:.1} kB", bytes / 1e3) } else { format!("{:.1} MB", bytes / 1e6) }
}
