//! Folders laid beside the binary: by hard links, which cost nothing, else by copies.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Makes `to` the same as `from`; does nothing where each file is there with its length.
pub fn folder(from: &Path, to: &Path) -> Result<()> {
    if same(from, to)? {
        return Ok(());
    }
    let next = to.with_extension("next");
    remove(&next)?;
    place(from, &next, |from, to| fs::hard_link(from, to).or_else(|_| fs::copy(from, to).map(drop)))?;
    replace(&next, to)
}

/// Copies every file of `from` into `to`; an absent folder has none.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    place(from, to, |from, to| fs::copy(from, to).map(drop))
}

/// Every file below, sorted; an absent folder has none.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", folder.display())),
        };
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Puts a finished folder where another one may stand.
pub fn replace(next: &Path, current: &Path) -> Result<()> {
    let old = current.with_extension("old");
    remove(&old)?;
    if current.exists() {
        fs::rename(current, &old)?;
    }
    fs::rename(next, current).with_context(|| format!("cannot put `{}` in place", current.display()))?;
    remove(&old)
}

/// Removes a folder that need not exist.
pub fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

fn place(from: &Path, to: &Path, put: impl Fn(&Path, &Path) -> std::io::Result<()>) -> Result<()> {
    for file in files(from)? {
        let target = to.join(file.strip_prefix(from)?);
        fs::create_dir_all(target.parent().context("a file has a folder")?)?;
        put(&file, &target).with_context(|| format!("cannot place `{}`", target.display()))?;
    }
    Ok(())
}

fn same(from: &Path, to: &Path) -> Result<bool> {
    let files = files(from)?;
    for file in &files {
        let here = to.join(file.strip_prefix(from)?).metadata().map(|metadata| metadata.len()).ok();
        if here != Some(file.metadata()?.len()) {
            return Ok(false);
        }
    }
    Ok(!files.is_empty())
}
