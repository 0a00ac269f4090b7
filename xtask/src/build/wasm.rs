//! The page as WebAssembly: compiled by cargo, then given its JavaScript by wasm-bindgen as a library.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use wasm_bindgen_cli_support::Bindgen;

use crate::paths::{Paths, Profile};
use crate::run;

const TARGET: &str = "wasm32-unknown-unknown";

/// Compiles `frontend`; returns the raw module.
///
/// It has a target directory of its own, so that the two builds never wait for each other's lock.
pub fn compile(paths: &Paths, profile: Profile) -> Result<PathBuf> {
    let mut cargo = run::cargo(paths);
    cargo.args(["build", "-p", "frontend", "--lib", "--target", TARGET, "--target-dir"]).arg(target_dir(paths));
    if profile == Profile::Release {
        cargo.args(["--profile", "wasm-release"]);
    }
    run::checked(&mut cargo)?;
    let module = compiled(paths, profile);
    fs::metadata(&module).with_context(|| format!("cargo left no `{}`: is `frontend` a cdylib?", module.display()))?;
    Ok(module)
}

/// Where [`compile`] leaves the module.
pub fn compiled(paths: &Paths, profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Release => "wasm-release",
        Profile::Dev => "debug",
    };
    target_dir(paths).join(TARGET).join(folder).join("frontend.wasm")
}

/// Writes `sheaf.js`, `sheaf_bg.wasm` and snippets into `dir`.
pub fn bind(module: &Path, profile: Profile, dir: &Path) -> Result<()> {
    let debug = profile == Profile::Dev;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .web(true)
        .map_err(|error| anyhow!("{error:#}"))?
        .out_name("sheaf")
        .typescript(false)
        .omit_default_module_path(true)
        .keep_debug(debug)
        .remove_name_section(!debug)
        .remove_producers_section(!debug);
    bindgen.generate(dir).map_err(|error| anyhow!("{error:#}")).context("wasm-bindgen")
}

fn target_dir(paths: &Paths) -> PathBuf {
    paths.target.join("front")
}
