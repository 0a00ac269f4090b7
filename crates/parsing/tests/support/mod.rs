//! What the tests of this crate share: a pool over the crate's own worker, and where the corpora are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sheaf_parsing::{Limits, Pool, PoolConfig, find_pdfium};

/// A pool of two children with PDFium where it is installed.
pub fn pool(limits: Limits) -> Pool {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_sheaf-parse-worker"));
    Pool::new(PoolConfig { pdfium: find_pdfium(), limits, ..PoolConfig::new(program, 2) })
}

/// Limits for tests: a wall that no healthy document comes near.
pub fn limits() -> Limits {
    Limits { wall: Duration::from_secs(20), ..Limits::default() }
}

/// A folder of the shared corpora; none, with a word about it, where they are not.
pub fn corpus(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("SKIPPED: there is no {}", path.display());
    None
}
