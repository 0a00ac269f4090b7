//! What the inputs hold: files, entries of archives, records. In the order of paths, each once.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use sha2::{Digest, Sha256};
use sheaf_domain::{DocumentKind, Failure, FailureCode, FailureKind, Passwords};
use sheaf_parsing::archive::{ArchiveItem, ArchiveLimits, Container};
use sheaf_parsing::{Pool, detect_kind};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use walkdir::WalkDir;

use super::Fields;
use crate::backlog;
use crate::blobs::{LocalBlobs, Staging};
use crate::intake::{clean_path, disk, unique};
use crate::shards::Shard;

/// Files smaller than this many bytes are read at once.
const HEAD: usize = 64 << 10;

/// One document to come.
pub struct Item {
    /// A record's own id.
    pub id: Option<String>,
    /// Relative to the input.
    pub path: String,
    pub source: Source,
}

/// Where its content is.
pub enum Source {
    /// A file.
    File { file: PathBuf, about: About },
    /// A record's text, with the hash of it.
    Text { text: String, sha256: String },
    /// It cannot be had.
    Refused(Failure),
}

/// What one look at a file tells.
#[derive(Clone, Debug)]
pub struct About {
    /// What it looks like; parsing may know better, but when it fails this is what is known.
    pub kind: DocumentKind,
    pub sha256: String,
    pub bytes: u64,
}

impl Source {
    /// The size of the content; 0 where there is none.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::File { file: _, about } => about.bytes,
            Self::Text { text, .. } => text.len() as u64,
            Self::Refused(_) => 0,
        }
    }
}

/// What archives and letters are opened with.
pub struct Opener<'a> {
    pub pool: &'a Pool,
    pub passwords: &'a Passwords,
    pub limits: &'a ArchiveLimits,
    /// Where their files are received, and where they go.
    pub staging: &'a Staging,
    pub unpacked: &'a LocalBlobs,
}

/// Lists everything, on a thread of a runtime that may block. What archives and letters hold is unpacked.
///
/// # Errors
/// `invalid_request` when an input does not exist or a file of records cannot be understood at all.
pub fn list(
    inputs: &[PathBuf],
    fields: Option<&Fields>,
    shard: Option<Shard>,
    opener: &Opener<'_>,
) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    // What an archive holds belongs where the archive does, so that each is opened once.
    let is_wanted = |path: &str| shard.is_none_or(|shard| shard.holds(path));
    for input in inputs {
        if input.is_dir() {
            let mut unread = Vec::new();
            let mut files = walk_folder(input, &mut unread);
            files.retain(|(_, path)| is_wanted(path));
            items.extend(unread.into_iter().filter(|item| is_wanted(&item.path)));
            add_files(files, opener, &mut items)?;
        } else if !input.is_file() {
            return Err(Failure::new(FailureCode::InvalidRequest, format!("`{}` does not exist", input.display()))
                .with_hint("Give a folder, a file, a ZIP, or a .jsonl or .csv file with --text-field."));
        } else if let Some(fields) = fields {
            let mut records = Vec::new();
            read_records(input, fields, &mut records)?;
            items.extend(records.into_iter().filter(|item| is_wanted(&item.path)));
        } else if is_wanted(&name_of(input)) {
            add_files(vec![(input.clone(), name_of(input))], opener, &mut items)?;
        }
    }
    // Stable: records and entries keep the order of their file where paths are equal.
    items.sort_by(|a, b| a.path.cmp(&b.path));
    let mut taken = HashSet::new();
    for item in &mut items {
        item.path = unique(std::mem::take(&mut item.path), &mut taken);
    }
    Ok(items)
}

fn name_of(file: &Path) -> String {
    clean_path(&file.file_name().unwrap_or(file.as_os_str()).to_string_lossy())
}

/// The files in a folder with their paths relative to it; what cannot be walked becomes an item.
fn walk_folder(folder: &Path, items: &mut Vec<Item>) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder).sort_by_file_name() {
        match entry {
            // The entry knows its type; only what a link points at has to be asked for.
            Ok(entry) if entry.file_type().is_file() || entry.path_is_symlink() && entry.path().is_file() => {
                let relative = entry.path().strip_prefix(folder).unwrap_or(entry.path());
                let path = clean_path(&relative.to_string_lossy());
                files.push((entry.into_path(), path));
            }
            Ok(_) => {}
            Err(error) => {
                let path = error.path().map(|p| clean_path(&p.strip_prefix(folder).unwrap_or(p).to_string_lossy()));
                items.push(refused(path.unwrap_or_else(|| "unnamed".into()), unreadable(&error.into())));
            }
        }
    }
    files
}

fn refused(path: String, failure: Failure) -> Item {
    Item { id: None, path, source: Source::Refused(failure) }
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(FailureCode::CorruptFile, format!("the file cannot be read: {error}"))
        .with_hint("Look at its permissions, and whether it is still there.")
}

/// Files, and what they hold; an archive itself only when it fails. All threads look at them first.
fn add_files(files: Vec<(PathBuf, String)>, opener: &Opener<'_>, items: &mut Vec<Item>) -> Result<(), Failure> {
    let looked: Vec<_> = files.into_par_iter().map(|(file, path)| (look(&file, &path), file, path)).collect();
    for (about, file, path) in looked {
        let about = match about {
            Ok(about) => about,
            Err(error) => {
                items.push(refused(path, unreadable(&error)));
                continue;
            }
        };
        let container = Container::of(about.kind);
        if container != Some(Container::Archive) {
            items.push(Item { id: None, path: path.clone(), source: Source::File { file: file.clone(), about } });
        }
        match container.map(|_| open(&file, &path, opener, items)) {
            None | Some(Ok(())) => {}
            Some(Err(failure)) if failure.code.kind() == FailureKind::Document => items.push(refused(path, failure)),
            Some(Err(failure)) => return Err(failure),
        }
    }
    Ok(())
}

/// Reads a file once.
fn look(file: &Path, path: &str) -> io::Result<About> {
    let mut open = File::open(file)?;
    let mut hasher = Sha256::new();
    let mut head = Vec::with_capacity(HEAD);
    (&mut open).take(HEAD as u64).read_to_end(&mut head)?;
    hasher.update(&head);
    let (kind, bytes) = if head.len() < HEAD {
        (detect_kind(Cursor::new(&head), path)?, head.len() as u64)
    } else {
        let rest = io::copy(&mut open, &mut hasher)?;
        (detect_kind(&mut open, path)?, HEAD as u64 + rest)
    };
    Ok(About { kind, sha256: hex::encode(hasher.finalize()), bytes })
}

/// Has a child unpack an archive or a letter, and keeps what comes.
fn open(file: &Path, path: &str, opener: &Opener<'_>, items: &mut Vec<Item>) -> Result<(), Failure> {
    let file = File::open(file).map_err(|error| disk(&error))?;
    let (sender, receiver) = mpsc::channel(4);
    let unpacking = async {
        let sender = sender;
        opener.pool.unpack(file, path, opener.limits, opener.passwords, &sender).await
    };
    let keeping = async {
        // Dropped with the first error: nobody waits for a place in a channel that is not read any more.
        let mut receiver = receiver;
        while let Some(item) = receiver.recv().await {
            items.push(keep(item, opener)?);
        }
        Ok(())
    };
    let (unpacked, kept) = Handle::current().block_on(async { tokio::join!(unpacking, keeping) });
    kept.and(unpacked)
}

fn keep(item: ArchiveItem, opener: &Opener<'_>) -> Result<Item, Failure> {
    let source = match item.content {
        Ok(mut content) => {
            let staged = opener.staging.stage(&mut content).map_err(|error| disk(&error))?;
            let (sha256, bytes) = (staged.sha256.clone(), staged.bytes);
            let kind = File::open(staged.path()).and_then(|open| detect_kind(open, &item.path));
            let kind = kind.map_err(|error| disk(&error))?;
            let file = opener.unpacked.place(&sha256)?;
            opener.unpacked.keep_for_now(&staged)?;
            Source::File { file, about: About { kind, sha256, bytes } }
        }
        Err(failure) => Source::Refused(failure),
    };
    Ok(Item { id: None, path: item.path, source })
}

fn read_records(file: &Path, fields: &Fields, items: &mut Vec<Item>) -> Result<(), Failure> {
    let path = name_of(file);
    let suffix = file.extension().unwrap_or_default().to_ascii_lowercase();
    let records = match suffix.to_str() {
        Some("jsonl" | "ndjson") => json_records(file, fields),
        Some("csv") => csv_records(file, fields, b','),
        Some("tsv") => csv_records(file, fields, b'\t'),
        _ => {
            return Err(Failure::new(FailureCode::InvalidRequest, format!("`{path}` is not a file of records"))
                .with_hint("With --text-field the input is a .jsonl, .csv or .tsv file."));
        }
    };
    let records = records.map_err(|error| {
        Failure::new(FailureCode::InvalidRequest, format!("`{path}` cannot be read: {error}"))
            .with_hint("Look whether the file is complete and its first line names the fields.")
    })?;
    // The number keeps the order of the file when paths are sorted; ids need not be sortable or unique.
    let width = records.len().to_string().len();
    items.extend(records.into_iter().enumerate().map(|(number, (id, text))| Item {
        path: format!("{path}!/{:0width$}-{}", number + 1, clean_path(&id)),
        source: match text {
            Ok(text) => Source::Text { sha256: hex::encode(Sha256::digest(&text)), text },
            Err(message) => Source::Refused(Failure::new(FailureCode::BadRecord, message)),
        },
        id: Some(id),
    }));
    Ok(())
}

/// A record's id, and its text or what is wrong with it.
type Record = (String, Result<String, String>);

fn json_records(file: &Path, fields: &Fields) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for (number, line) in BufReader::new(File::open(file)?).split(b'\n').enumerate() {
        let mut line = line?;
        if number == 0 && line.starts_with(b"\xef\xbb\xbf") {
            line.drain(..3); // A byte-order mark is no part of the first record.
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        let name = format!("line-{}", number + 1);
        records.push(match backlog::Record::read(&line) {
            Ok(record) => {
                let text = match record.get(&fields.text) {
                    Some(backlog::Field::Text(text)) => Ok(text.clone()),
                    Some(backlog::Field::Number(_) | backlog::Field::Nothing | backlog::Field::Other) | None => {
                        Err(format!("line {}: there is no text in the field `{}`", number + 1, fields.text))
                    }
                };
                (record.cell(&fields.id).map_or(name, str::to_owned), text)
            }
            Err(error) => (name, Err(format!("line {}: {error}", number + 1))),
        });
    }
    Ok(records)
}

fn csv_records(file: &Path, fields: &Fields, delimiter: u8) -> io::Result<Vec<Record>> {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_path(file)?;
    let header = reader.byte_headers()?.clone();
    let column = |name: &str| header.iter().position(|cell| cell == name.as_bytes());
    let Some(text_column) = column(&fields.text) else {
        let message = format!("its first line has no column `{}`", fields.text);
        return Err(io::Error::new(io::ErrorKind::InvalidData, message));
    };
    let id_column = column(&fields.id);
    let mut records = Vec::new();
    for (number, record) in reader.byte_records().enumerate() {
        let line = number + 2;
        let cell = |column: usize| move |record: &csv::ByteRecord| record.get(column).map(lossy);
        records.push(match record {
            Ok(record) => {
                let id = id_column.and_then(|column| cell(column)(&record)).filter(|id| !id.is_empty());
                let text = cell(text_column)(&record);
                let text = text.ok_or_else(|| format!("line {line}: there is no text in `{}`", fields.text));
                (id.unwrap_or_else(|| format!("line-{line}")), text)
            }
            Err(error) => (format!("line-{line}"), Err(format!("line {line}: {error}"))),
        });
    }
    Ok(records)
}

fn lossy(cell: &[u8]) -> String {
    String::from_utf8_lossy(cell).into_owned()
}
