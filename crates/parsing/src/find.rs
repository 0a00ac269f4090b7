//! Where PDFium is.

use std::env;
use std::path::PathBuf;

/// The build that this version is made for; the cache has a folder for each.
const PDFIUM_BUILD: u32 = 8149;

/// The file that PDFium's library has on this system.
const LIBRARY: &str = if cfg!(target_os = "macos") { "libpdfium.dylib" } else { "libpdfium.so" };

/// The PDFium library: `SHEAF_PDFIUM` when set, else `assets/pdfium/` beside the program, else the cache
/// (`SHEAF_CACHE_DIR`, or `sheaf` in the user's cache folder). Absent when none of the files exists.
pub fn find_pdfium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("SHEAF_PDFIUM") {
        return Some(PathBuf::from(path)).filter(|path| path.is_file());
    }
    let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join("assets/pdfium").join(LIBRARY)));
    let cache = env::var_os("SHEAF_CACHE_DIR").map(PathBuf::from).or_else(|| Some(dirs::cache_dir()?.join("sheaf")));
    let cached = cache.map(|cache| cache.join(format!("pdfium-{PDFIUM_BUILD}")).join(LIBRARY));
    beside.into_iter().chain(cached).find(|path| path.is_file())
}
