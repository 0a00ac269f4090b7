//! ZIP: every entry that the directory names, those that share their name with a later one or are not counted too.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use sheaf_domain::{Failure, FailureCode, Passwords};
use zip::ZipArchive;
use zip::read::{ZipFile, read_zipfile_from_stream_with_compressed_size};
use zip::result::ZipError;

use super::budget::Stop;
use super::level::Entries;
use super::twins::{self, Twin};
use super::{damaged, encrypted, link, unknown_packing};
use crate::detect::Directory;

/// Bytes of an entry that are read to see whether a password fits.
const TRIED: u64 = 64 << 20;

pub fn unpack(file: &mut File, passwords: &Passwords, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let whole = |error: ZipError| Stop::This(broken(&error));
    // Before the list of entries is made, which takes memory for as many as are claimed.
    let directory = Directory::find(&mut *file).map(|directory| (directory.places(), directory.claimed()));
    if let Some((_, claimed)) = directory {
        entries.budget.check_entries(claimed).map_err(Stop::This)?;
    }
    let mut archive = ZipArchive::new(&mut *file).map_err(whole)?;
    let limit = entries.budget.limits.entries;
    entries.budget.check_entries(archive.len() as u64).map_err(Stop::This)?;
    // Entries that share their bytes are how kilobytes become petabytes.
    if archive.has_overlapping_files().map_err(whole)? {
        let message = "entries of the archive overlap: it is made to unpack to more than it holds";
        return Err(Stop::This(Failure::new(FailureCode::ArchiveLimit, message)));
    }
    for index in 0..archive.len() {
        entry(&mut archive, index, passwords, entries)?;
    }
    let ((directory, start), counted) =
        directory.unwrap_or(((archive.central_directory_start(), archive.offset()), u64::MAX));
    for twin in twins::find(file, directory, counted, limit).map_err(|error| whole(error.into()))? {
        unpack_twin(file, start, &twin, entries)?;
    }
    Ok(())
}

fn entry(
    archive: &mut ZipArchive<&mut File>,
    index: usize,
    passwords: &Passwords,
    entries: &mut Entries<'_>,
) -> Result<(), Stop> {
    // Raw, for what is encrypted or packed in an unknown way still has a name.
    let (name, packed, is_locked, refusal) = match archive.by_index_raw(index) {
        Ok(entry) if entry.is_dir() && entry.size() == 0 => return Ok(()),
        Ok(entry) => (entry.name_raw().to_vec(), entry.compressed_size(), entry.encrypted(), refusal(&entry)),
        Err(error) => (format!("entry {}", index + 1).into_bytes(), 0, false, Some(broken(&error))),
    };
    let password = is_locked.then(|| fitting(archive, index, passwords)).flatten();
    let refusal = refusal.or((is_locked && password.is_none()).then(encrypted));
    if !entries.begin(&name, refusal)? {
        return Ok(());
    }
    let opened = match &password {
        Some(password) => archive.by_index_decrypt(index, password.as_bytes()),
        None => archive.by_index(index),
    };
    match opened {
        // The reader checks the sum when it comes to the end.
        Ok(mut entry) => entries.content(&mut entry, Some(packed)),
        Err(error) => entries.fail(broken(&error)),
    }
}

/// An entry that the index lacks, for a later one has its name.
fn unpack_twin(mut file: &mut File, start: u64, twin: &Twin, entries: &mut Entries<'_>) -> Result<(), Stop> {
    if twin.name.ends_with(b"/") || !entries.begin(&twin.name, twin.encrypted.then(encrypted))? {
        return Ok(());
    }
    if file.seek(SeekFrom::Start(start.saturating_add(twin.offset))).is_err() {
        return entries.fail(damaged());
    }
    match read_zipfile_from_stream_with_compressed_size(&mut file, twin.packed) {
        Ok(Some(mut entry)) => entries.content(&mut entry, Some(twin.packed)),
        Ok(None) => entries.fail(damaged()),
        Err(error) => entries.fail(broken(&error)),
    }
}

fn refusal<R: Read + ?Sized>(entry: &ZipFile<'_, R>) -> Option<Failure> {
    entry.is_symlink().then(link)
}

/// The first of the passwords that opens an entry. The old cipher lets one wrong password in 256 pass its check, so the
/// entry is read to its end, where its sum is checked; what it unpacks to is counted later, and bounded here.
fn fitting(archive: &mut ZipArchive<&mut File>, index: usize, passwords: &Passwords) -> Option<String> {
    let mut opens = |password: &str| match archive.by_index_decrypt(index, password.as_bytes()) {
        Ok(entry) => io::copy(&mut entry.take(TRIED), &mut io::sink()).is_ok(),
        Err(_) => false,
    };
    passwords.iter().find(|password| opens(password)).map(str::to_owned)
}

fn broken(error: &ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => unknown_packing(),
        ZipError::Io(error) if error.kind() == io::ErrorKind::Unsupported => unknown_packing(),
        _ => damaged(),
    }
}
