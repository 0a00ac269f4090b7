//! The walk itself: one archive after the other, each entry unpacked, checked and handed over.

use std::io::{self, Read, Seek, SeekFrom};

use sheaf_domain::{DocumentKind, Failure, FailureCode};
use tempfile::SpooledTempFile;
use zip::ZipArchive;
use zip::read::{ZipFile, read_zipfile_from_stream_with_compressed_size};
use zip::result::ZipError;

use super::budget::{Budget, Stop, too_much};
use super::names::{self, Name, Taken};
use super::twins::{self, Twin};
use super::{ArchiveItem, ArchiveLimits, Content};
use crate::detect::detect_kind;

/// Entries up to this many bytes stay in memory, others go to a temporary file.
const IN_MEMORY: usize = 4 << 20;

/// Takes the items; its failure ends the walk.
type Sink<'a> = dyn FnMut(ArchiveItem) -> Result<(), Failure> + 'a;

/// Walks the ZIP file that `file` holds. `path` is the archive's own and begins the path of each item. Entries come in
/// the archive's order; one that is an archive itself is walked in its place. A bad entry, or one that wants a password,
/// comes as an item with its failure, and the walk goes on. It blocks: run it on a thread that may.
///
/// # Errors
/// The sink's, unchanged. `corrupt_file` when it is no ZIP file, `empty_archive` when it holds no file,
/// `archive_limit` beyond a limit, `storage` when there is no room to unpack; items that were handed over before stay
/// with the sink.
pub fn walk<R: Read + Seek>(
    mut file: R,
    path: &str,
    limits: &ArchiveLimits,
    sink: &mut Sink<'_>,
) -> Result<(), Failure> {
    let packed = file.seek(SeekFrom::End(0)).map_err(|error| storage(&error))?;
    let mut walk = Walk { budget: Budget::new(limits, packed), taken: Taken::default(), sink };
    walk.archive(&mut file, path, 1).map_err(|(Stop::This(failure) | Stop::All(failure))| failure)
}

/// What an archive is read from. A trait object, for an archive in an archive in an archive would be a type each.
trait ReadSeek: Read + Seek {}
impl<T: Read + Seek> ReadSeek for T {}

type Archive<'a> = ZipArchive<&'a mut dyn ReadSeek>;

struct Walk<'a, 'b> {
    budget: Budget<'a>,
    taken: Taken,
    sink: &'a mut Sink<'b>,
}

impl Walk<'_, '_> {
    fn archive(&mut self, file: &mut dyn ReadSeek, path: &str, depth: u32) -> Result<(), Stop> {
        let mut archive = ZipArchive::new(file).map_err(|error| Stop::This(broken(&error)))?;
        let (entries, limit) = (archive.len() as u64, self.budget.limits.entries);
        if entries > limit {
            return Err(Stop::This(too_much(format!(
                "the archive has {entries} entries; at most {limit} are unpacked"
            ))));
        }
        // Entries that share their bytes are how kilobytes become petabytes.
        if archive.has_overlapping_files().map_err(|error| Stop::This(broken(&error)))? {
            return Err(Stop::This(too_much("entries of the archive overlap".to_owned())));
        }
        let mut files = 0;
        for index in 0..archive.len() {
            files += u64::from(self.entry(&mut archive, index, path, depth)?);
        }
        let (start, directory) = (archive.offset(), archive.central_directory_start());
        let file = archive.into_inner();
        for twin in twins::find(file, directory, limit).map_err(|error| Stop::This(broken(&error.into())))? {
            files += u64::from(self.twin(file, start, &twin, path, depth)?);
        }
        if files == 0 {
            return Err(Stop::This(Failure::new(FailureCode::EmptyArchive, "the archive holds no files")));
        }
        Ok(())
    }

    /// Whether the entry was a file.
    fn entry(&mut self, archive: &mut Archive<'_>, index: usize, path: &str, depth: u32) -> Result<bool, Stop> {
        let Some(entry) = Entry::look(archive, index) else { return Ok(false) };
        self.item(entry, path, depth, |walk, packed| {
            let mut entry = archive.by_index(index).map_err(|error| Stop::This(broken(&error)))?;
            walk.unpack(&mut entry, packed)
        })?;
        Ok(true)
    }

    /// An entry that the index lacks, for a later one has its name; whether it was a file.
    fn twin(
        &mut self,
        mut file: &mut dyn ReadSeek,
        start: u64,
        twin: &Twin,
        path: &str,
        depth: u32,
    ) -> Result<bool, Stop> {
        if twin.name.ends_with(b"/") {
            return Ok(false);
        }
        let refusal = twin.encrypted.then(encrypted);
        let Some(entry) = Entry::named(&twin.name, twin.packed, refusal) else { return Ok(false) };
        self.item(entry, path, depth, |walk, packed| {
            let at = SeekFrom::Start(start.saturating_add(twin.offset));
            file.seek(at).map_err(|error| Stop::This(broken(&error.into())))?;
            match read_zipfile_from_stream_with_compressed_size(&mut file, packed) {
                Ok(Some(mut entry)) => walk.unpack(&mut entry, packed),
                Ok(None) => Err(Stop::This(broken(&ZipError::FileNotFound))),
                Err(error) => Err(Stop::This(broken(&error))),
            }
        })?;
        Ok(true)
    }

    /// Counts, names and unpacks one entry, and gives it or its failure to the sink.
    fn item(
        &mut self,
        entry: Entry,
        path: &str,
        depth: u32,
        unpack: impl FnOnce(&mut Self, u64) -> Result<Content, Stop>,
    ) -> Result<(), Stop> {
        self.budget.enter().map_err(Stop::All)?;
        let path = self.taken.claim(format!("{path}!/{}", entry.name));
        let unpacked = match entry.refusal {
            Some(failure) => Err(Stop::This(failure)),
            None => unpack(self, entry.packed),
        };
        match unpacked.and_then(|content| self.hand_over(content, &path, &entry.name, depth)) {
            Err(Stop::This(failure)) => (self.sink)(ArchiveItem { path, content: Err(failure) }).map_err(Stop::All),
            other => other,
        }
    }

    fn unpack(&mut self, entry: &mut impl Read, packed: u64) -> Result<Content, Stop> {
        let mut file = SpooledTempFile::new(IN_MEMORY);
        // The reader checks the sum when it comes to the end.
        let bytes = self.budget.copy(entry, packed, &mut file)?;
        file.rewind().map_err(|error| Stop::All(storage(&error)))?;
        Ok(Content { file, bytes })
    }

    /// Gives a document to the sink, or walks an archive.
    fn hand_over(&mut self, mut content: Content, path: &str, name: &str, depth: u32) -> Result<(), Stop> {
        let kind = detect_kind(&mut content, name).map_err(|error| Stop::All(storage(&error)))?;
        content.rewind().map_err(|error| Stop::All(storage(&error)))?;
        if kind != DocumentKind::Zip {
            return (self.sink)(ArchiveItem { path: path.to_owned(), content: Ok(content) }).map_err(Stop::All);
        }
        let deepest = self.budget.limits.depth;
        if depth >= deepest {
            return Err(Stop::This(too_much(format!("archives are nested deeper than {deepest}"))));
        }
        self.archive(&mut content, path, depth + 1)
    }
}

/// What is known of an entry before it is unpacked.
struct Entry {
    name: String,
    /// Its bytes in the archive.
    packed: u64,
    /// Why it will not be unpacked.
    refusal: Option<Failure>,
}

impl Entry {
    /// Absent for folders and clutter.
    fn look(archive: &mut Archive<'_>, index: usize) -> Option<Self> {
        // Raw, for what is encrypted or packed in an unknown way still has a name.
        let entry = match archive.by_index_raw(index) {
            Ok(entry) if entry.is_dir() => return None,
            Ok(entry) => entry,
            Err(error) => {
                return Some(Self { name: format!("entry {}", index + 1), packed: 0, refusal: Some(broken(&error)) });
            }
        };
        Self::named(entry.name_raw(), entry.compressed_size(), refusal(&entry))
    }

    /// Absent for clutter.
    fn named(raw: &[u8], packed: u64, refusal: Option<Failure>) -> Option<Self> {
        match names::check(raw) {
            Name::Clutter => None,
            Name::Safe(name) => Some(Self { name, packed, refusal }),
            Name::Unsafe(name) => {
                let refusal = Failure::new(FailureCode::UnsafeEntry, "its name points outside of the archive");
                Some(Self { name, packed, refusal: Some(refusal) })
            }
        }
    }
}

fn refusal<R: Read + ?Sized>(entry: &ZipFile<'_, R>) -> Option<Failure> {
    if entry.is_symlink() {
        return Some(Failure::new(FailureCode::UnsafeEntry, "it is a link, and links in archives are not followed"));
    }
    entry.encrypted().then(encrypted)
}

fn encrypted() -> Failure {
    Failure::new(FailureCode::PasswordProtected, "it is encrypted in its archive")
}

fn broken(error: &ZipError) -> Failure {
    match error {
        ZipError::UnsupportedArchive(_) => {
            Failure::new(FailureCode::UnsupportedKind, "it is packed in a way that is not supported")
                .with_hint("Pack it anew as an ordinary ZIP file, or add the files themselves.")
        }
        ZipError::Io(error) if error.kind() == io::ErrorKind::StorageFull => storage(error),
        _ => Failure::new(FailureCode::CorruptFile, "the archive is damaged"),
    }
}

fn storage(error: &io::Error) -> Failure {
    Failure::new(FailureCode::Storage, format!("the archive could not be unpacked: {}", error.kind()))
}
