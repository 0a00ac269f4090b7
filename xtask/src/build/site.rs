//! The site's folder: `pkg/` with hashed names, everything of `public`, and `.br` and `.gz` beside each file.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use brotli::enc::BrotliEncoderParams;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};

use super::{css, link, size, wasm};
use crate::paths::{Paths, Profile};
use crate::run;

/// From which Leptos knows the hashed names.
const HASHES: &str = "hash.txt";
/// The most that the page's WebAssembly may weigh on the wire.
const WASM_LIMIT: u64 = 400_000;

/// Makes the site from the compiled module, `style` and `public`, unless it is there already for exactly these.
pub fn make(paths: &Paths, profile: Profile, module: &Path) -> Result<()> {
    let bin = paths.bin_dir(profile);
    let stamp = bin.join("site.stamp");
    let inputs = fingerprint(paths, module)?;
    let current = bin.join("assets/site");
    if current.join(HASHES).is_file() && fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == inputs) {
        return Ok(());
    }
    run::step("make the site", || {
        let next = bin.join("assets/site.next");
        link::remove(&next)?;
        fill(paths, profile, module, &next)?;
        if profile == Profile::Release {
            compress(&next)?;
            weigh(&next)?;
        }
        link::replace(&next, &current)?;
        fs::write(&stamp, &inputs)?;
        Ok(())
    })
}

fn fill(paths: &Paths, profile: Profile, module: &Path, site: &Path) -> Result<()> {
    let pkg = site.join("pkg");
    fs::create_dir_all(&pkg)?;
    link::copy(&paths.root.join("public"), site)?;
    wasm::bind(module, profile, &pkg)?;
    let sheet = paths.root.join("style/main.css");
    let style = if sheet.is_file() { css::bundle(&sheet)? } else { bail!("there is no `style/main.css`") };
    fs::write(pkg.join("sheaf.css"), style)?;
    let mut names = String::new();
    for (kind, from, extension) in
        [("js", "sheaf.js", "js"), ("wasm", "sheaf_bg.wasm", "wasm"), ("css", "sheaf.css", "css")]
    {
        let from = pkg.join(from);
        let hash = hex::encode(Sha256::digest(fs::read(&from)?));
        let hash = &hash[..16];
        fs::rename(&from, pkg.join(format!("sheaf.{hash}.{extension}")))?;
        names.push_str(&format!("{kind}: {hash}\n"));
    }
    fs::write(site.join(HASHES), names)?;
    Ok(())
}

/// A `.br` and a `.gz` beside each file, for a server that picks by `Accept-Encoding`.
fn compress(site: &Path) -> Result<()> {
    let params = BrotliEncoderParams { quality: 11, lgwin: 22, ..BrotliEncoderParams::default() };
    for file in link::files(site)? {
        let bytes = fs::read(&file)?;
        let mut brotli = File::create(beside(&file, "br"))?;
        brotli::BrotliCompress(&mut bytes.as_slice(), &mut brotli, &params)?;
        let mut gzip = GzEncoder::new(File::create(beside(&file, "gz"))?, Compression::best());
        gzip.write_all(&bytes)?;
        gzip.finish()?;
    }
    Ok(())
}

/// Prints what a browser fetches and refuses a page that has grown too heavy.
fn weigh(site: &Path) -> Result<()> {
    for file in link::files(&site.join("pkg"))? {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let sent = beside(&file, "br").metadata()?.len();
        eprintln!("  {name}: {} ({} as sent)", size(file.metadata()?.len()), size(sent));
        if name.ends_with(".wasm") && sent > WASM_LIMIT {
            bail!("the page's WebAssembly is {} after brotli; {} is the limit", size(sent), size(WASM_LIMIT));
        }
    }
    Ok(())
}

fn beside(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    PathBuf::from(name)
}

/// Path, length and time of every input, and of this program, which decides what is made of them.
fn fingerprint(paths: &Paths, module: &Path) -> Result<String> {
    let mut inputs = vec![module.to_path_buf(), std::env::current_exe()?];
    for folder in ["style", "public"] {
        inputs.extend(link::files(&paths.root.join(folder))?);
    }
    let mut print = String::new();
    for input in inputs {
        let metadata = input.metadata().with_context(|| format!("cannot read `{}`", input.display()))?;
        let changed = metadata.modified()?.duration_since(std::time::UNIX_EPOCH)?.as_nanos();
        print.push_str(&format!("{} {} {changed}\n", input.display(), metadata.len()));
    }
    Ok(print)
}
