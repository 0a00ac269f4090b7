//! What a fresh machine lacks, put into the cache once: quiet and quick when it is already there.

mod artefacts;
pub mod debian;
mod pip;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths::{ACCURATE_MODEL, FAST_MODEL, Paths, given};
use crate::run;

pub use self::pip::python;

const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// Installs the WASM target, PDFium and the embedding model where they are missing.
pub fn setup(paths: &Paths) -> Result<()> {
    wasm_target()?;
    pdfium(paths)?;
    model(paths)
}

/// Makes the fast model with the server's own `distil`; without it Sheaf still runs, so a failure is told and not fatal.
pub fn fast_model(paths: &Paths, sheaf: &Path) -> Result<()> {
    if paths.model(FAST_MODEL).is_dir() {
        return Ok(());
    }
    let made = run::step("distil the fast model from the accurate one", || {
        run::checked(
            Command::new(sheaf)
                .arg("distil")
                .env("SHEAF_CACHE_DIR", &paths.cache)
                .env("SHEAF_MODEL_DIR", paths.models()),
        )
    });
    match made {
        Ok(()) if paths.model(FAST_MODEL).is_dir() => Ok(()),
        Ok(()) => {
            eprintln!(
                "warning: `sheaf distil` left no `{FAST_MODEL}` in {}: only the accurate model is there",
                paths.models().display()
            );
            Ok(())
        }
        Err(error) => {
            eprintln!("warning: only the accurate model is there: {error:#}");
            Ok(())
        }
    }
}

/// Installs the engine of text recognition, which the tests need and a server can do without.
pub fn recognition() -> Result<()> {
    if given("SHEAF_TESSERACT").is_some() || run::succeeds(Command::new("tesseract").arg("--version")) {
        return Ok(());
    }
    let by_hand = "install it (Debian: `apt-get install tesseract-ocr`) or set SHEAF_TESSERACT to one";
    debian::install("Tesseract", &["tesseract-ocr", "tesseract-ocr-eng", "tesseract-ocr-osd"], by_hand)
}

/// Downloads a language model and a server for it, which a test asks; where they are not to be had, that test says so.
pub fn small_model(paths: &Paths) {
    for (name, artefact) in artefacts::small_model().into_iter().flatten() {
        let dir = paths.cache.join("small-model").join(name);
        if dir.is_dir() {
            continue;
        }
        if let Err(error) = run::step(&format!("download the {}", name.replace('-', " ")), || artefact.install(&dir)) {
            eprintln!("warning: no language model is tested: {error:#}");
        }
    }
}

/// Installs PostgreSQL, which the tests start for themselves and a server can do without.
pub fn postgres() -> Result<()> {
    let installed = Path::new("/usr/lib/postgresql").is_dir()
        || given("SHEAF_POSTGRES_BIN").is_some()
        || run::succeeds(Command::new("postgres").arg("--version"));
    if installed {
        return Ok(());
    }
    let by_hand =
        "install it (Debian: `apt-get install postgresql`) or name its folder of programs with SHEAF_POSTGRES_BIN";
    debian::install("PostgreSQL", &["postgresql"], by_hand)
}

/// Adds the target that the page is compiled for.
pub fn wasm_target() -> Result<()> {
    let libdir = run::output(Command::new("rustc").args(["--print", "target-libdir", "--target", WASM_TARGET]))
        .context("rustc is needed: install Rust with rustup")?;
    if Path::new(libdir.trim()).is_dir() {
        return Ok(());
    }
    run::step("add the WASM target", || {
        run::checked(Command::new("rustup").args(["target", "add", WASM_TARGET])).with_context(|| {
            format!("the target {WASM_TARGET} is missing; without rustup install it as your system packages it (Debian: libstd-rust-dev-wasm32)")
        })
    })
}

fn pdfium(paths: &Paths) -> Result<()> {
    if let Some(path) = given("SHEAF_PDFIUM") {
        if !path.exists() {
            bail!("SHEAF_PDFIUM names `{}`, which does not exist", path.display());
        }
        return Ok(());
    }
    let dir = paths.pdfium();
    if dir.is_dir() {
        return Ok(());
    }
    let artefact = artefacts::pdfium().with_context(|| {
        format!(
            "no PDFium is pinned for {} on {}: set SHEAF_PDFIUM to a libpdfium of your own",
            std::env::consts::OS,
            std::env::consts::ARCH
        )
    })?;
    run::step("fetch PDFium 8149 (4 MB)", || artefact.install(&dir)).context(
        "PDFium could not be had: set SHEAF_PDFIUM to a libpdfium of your own, or run this once with a network",
    )
}

fn model(paths: &Paths) -> Result<()> {
    let dir = paths.models().join(ACCURATE_MODEL);
    if dir.join("model.safetensors").is_file() && dir.join("tokenizer.json").is_file() {
        return Ok(());
    }
    if given("SHEAF_MODEL_DIR").is_some() {
        bail!(
            "SHEAF_MODEL_DIR names `{}`, which has no `{ACCURATE_MODEL}/model.safetensors` and `tokenizer.json`",
            paths.models().display()
        );
    }
    run::step(&format!("fetch the embedding model {ACCURATE_MODEL} (84 MB)"), || artefacts::model().install(&dir))
        .context(format!("the model could not be had: set SHEAF_MODEL_DIR to a folder with `{ACCURATE_MODEL}/model.safetensors` and `tokenizer.json`, or run this once with a network"))
}
