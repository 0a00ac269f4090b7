//! Where things are: the checkout, the target directory, the cache outside of both, the corpora.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The model that embeds accurately, as a folder below the models folder.
pub const ACCURATE_MODEL: &str = "all-MiniLM-L6-v2";
/// The static model that is distilled from it.
pub const FAST_MODEL: &str = "static-minilm-256";

/// How the server and the page are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Release,
    Dev,
}

/// The folders that every verb works with.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The checkout.
    pub root: PathBuf,
    /// `CARGO_TARGET_DIR`, else `target` in the checkout.
    pub target: PathBuf,
    /// `SHEAF_CACHE_DIR`, else `sheaf` in the user's cache folder: artefacts that several checkouts share.
    pub cache: PathBuf,
}

impl Paths {
    pub fn find() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| manifest.to_path_buf(), PathBuf::from)
            .parent()
            .context("xtask has no parent folder")?
            .to_path_buf();
        let target = match given("CARGO_TARGET_DIR") {
            Some(dir) => root.join(dir),
            None => root.join("target"),
        };
        let cache = match given("SHEAF_CACHE_DIR") {
            Some(dir) => env::current_dir()?.join(dir),
            None => dirs::cache_dir().context("there is no cache folder: set SHEAF_CACHE_DIR")?.join("sheaf"),
        };
        Ok(Self { root, target, cache })
    }

    /// Where cargo leaves the server of this profile, and where everything that it needs is laid beside it.
    pub fn bin_dir(&self, profile: Profile) -> PathBuf {
        self.target.join(match profile {
            Profile::Release => "release",
            Profile::Dev => "debug",
        })
    }

    /// The built binary.
    pub fn sheaf(&self, profile: Profile) -> PathBuf {
        self.bin_dir(profile).join(format!("sheaf{}", env::consts::EXE_SUFFIX))
    }

    /// The folder with PDFium: the user's own, else the one in the cache.
    pub fn pdfium(&self) -> PathBuf {
        match given("SHEAF_PDFIUM") {
            Some(path) if path.is_file() => path.parent().map_or_else(PathBuf::new, Path::to_path_buf),
            Some(path) => path,
            None => self.cache.join("pdfium-8149"),
        }
    }

    /// The folder with the models: the user's own, else the one in the cache.
    pub fn models(&self) -> PathBuf {
        given("SHEAF_MODEL_DIR").unwrap_or_else(|| self.cache.join("models"))
    }

    /// One model's folder; the fast one is made on this machine and so may lie in the cache beside a given model folder.
    pub fn model(&self, name: &str) -> PathBuf {
        let own = self.models().join(name);
        if own.is_dir() { own } else { self.cache.join("models").join(name) }
    }

    /// The real documents that benchmarks need; they are too large and too mixed in licence for the repository.
    pub fn corpora(&self) -> Result<PathBuf> {
        let dir = given("SHEAF_CORPORA").unwrap_or_else(|| self.root.join("../shared/corpora"));
        if !dir.is_dir() {
            bail!(
                "no corpora at `{}`: set SHEAF_CORPORA to the folder that holds `text` and `documents`",
                dir.display()
            );
        }
        Ok(dir.canonicalize()?)
    }
}

/// A path from the environment; an empty value counts as none.
pub fn given(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
