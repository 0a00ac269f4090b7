//! The attachments of an Outlook message (MS-OXMSG): a folder for each in a compound file, a stream for each property.

use std::fs::File;
use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use cfb::CompoundFile;
use sheaf_domain::{Failure, FailureCode};

use super::budget::Stop;
use super::damaged;
use super::letter::LOGO;
use super::level::Entries;
use crate::charset;
use crate::detect::is_sound;
use crate::formats::compound::utf16;

/// Properties of an attachment: identifier and type as eight hexadecimal digits (MS-OXPROPS).
const DATA: &str = "37010102";
const EMBEDDED: &str = "3701000D";
/// Those that are text, by their identifier: the type says whether it is in UTF-16 or in the message's encoding.
const LONG_NAME: &str = "3707";
const SHORT_NAME: &str = "3704";
const SHOWN_NAME: &str = "3001";
const CONTENT_ID: &str = "3712";
const MIME_TYPE: &str = "370E";
const WIDE: &str = "001F";
const NARROW: &str = "001E";

/// The stream of the properties that have a fixed length, and what a message in a message lacks in its head: eight bytes
/// that say nothing, after the counts ([MS-OXMSG] 2.4.1).
const PROPERTIES: &str = "__properties_version1.0";
const HEAD: usize = 24;
const RESERVED: [u8; 8] = [0; 8];
/// The most bytes of a message in a message, which is put together in memory.
const LARGEST_ITEM: u64 = 256 << 20;

/// The longest property that is text, in bytes.
const TEXT: u64 = 4096;

pub fn unpack(mut file: File, entries: &mut Entries<'_>) -> Result<(), Stop> {
    if !is_sound(&mut file) {
        return Err(Stop::This(damaged()));
    }
    let mut message = CompoundFile::open(file).map_err(|_| Stop::This(damaged()))?;
    let mut folders: Vec<String> = message
        .read_root_storage()
        .filter(|entry| entry.is_storage() && entry.name().starts_with("__attach_version1.0_"))
        .map(|entry| entry.name().to_owned())
        .collect();
    folders.sort();
    for (index, folder) in folders.iter().enumerate() {
        attachment(&mut message, folder, index + 1, entries)?;
    }
    Ok(())
}

fn attachment(
    message: &mut CompoundFile<File>,
    folder: &str,
    number: usize,
    entries: &mut Entries<'_>,
) -> Result<(), Stop> {
    let path = |property: &str| format!("/{folder}/__substg1.0_{property}");
    let name = [LONG_NAME, SHORT_NAME, SHOWN_NAME].into_iter().find_map(|property| text(message, &path(property)));
    let name = name.and_then(|name| name.rsplit(['/', '\\']).next().map(str::to_owned)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("attachment {number}"));
    if message.is_storage(path(EMBEDDED)) {
        return item(message, Path::new(&path(EMBEDDED)), name, entries);
    }
    let shown = text(message, &path(CONTENT_ID)).is_some()
        && text(message, &path(MIME_TYPE)).is_some_and(|kind| kind.starts_with("image/"));
    let Ok(mut data) = message.open_stream(path(DATA)) else {
        let failure = Failure::new(FailureCode::CorruptFile, "the message names this attachment but does not hold it");
        return entries.begin(name.as_bytes(), Some(failure)).map(drop);
    };
    if shown && data.len() <= LOGO as u64 {
        return Ok(());
    }
    if entries.begin(name.as_bytes(), None)? { entries.content(&mut data, None) } else { Ok(()) }
}

/// What was attached as an item of Outlook: a message as a file of its own. Anything else is another program's object.
fn item(
    message: &mut CompoundFile<File>,
    storage: &Path,
    mut name: String,
    entries: &mut Entries<'_>,
) -> Result<(), Stop> {
    if !message.is_stream(storage.join(PROPERTIES)) {
        let failure = Failure::new(FailureCode::UnsupportedKind, "it is an object of another program in the message")
            .with_hint("Open the message in Outlook and save the object as a file of its own.");
        return entries.begin(name.as_bytes(), Some(failure)).map(drop);
    }
    if !name.to_ascii_lowercase().ends_with(".msg") {
        name.push_str(".msg");
    }
    if !entries.begin(name.as_bytes(), None)? {
        return Ok(());
    }
    match alone(message, storage) {
        Ok(bytes) => entries.content(&mut bytes.as_slice(), None),
        Err(_) => entries.fail(Failure::new(FailureCode::CorruptFile, "this message in a message cannot be taken out")),
    }
}

/// The message in a storage as a compound file of its own.
fn alone(message: &mut CompoundFile<File>, storage: &Path) -> io::Result<Vec<u8>> {
    let parts: Vec<(PathBuf, bool, u64)> = message
        .walk_storage(storage)?
        .map(|entry| (entry.path().to_owned(), entry.is_storage(), entry.len()))
        .collect();
    if parts.iter().map(|(_, _, length)| length).sum::<u64>() > LARGEST_ITEM {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut file = CompoundFile::create(Cursor::new(Vec::new()))?;
    for (path, is_storage, _) in parts {
        let within = path.strip_prefix(storage).map_err(io::Error::other)?;
        let place = Path::new("/").join(within);
        if within.as_os_str().is_empty() {
            continue;
        } else if is_storage {
            file.create_storage(place)?;
            continue;
        }
        let mut content = Vec::new();
        message.open_stream(&path)?.read_to_end(&mut content)?;
        if within == Path::new(PROPERTIES) && content.len() >= HEAD {
            content.splice(HEAD..HEAD, RESERVED);
        }
        file.create_stream(place)?.write_all(&content)?;
    }
    file.flush()?;
    Ok(file.into_inner().into_inner())
}

/// A property that is text.
fn text(message: &mut CompoundFile<File>, path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let text = if let Ok(stream) = message.open_stream(format!("{path}{WIDE}")) {
        stream.take(TEXT).read_to_end(&mut bytes).ok()?;
        utf16(&bytes)
    } else {
        message.open_stream(format!("{path}{NARROW}")).ok()?.take(TEXT).read_to_end(&mut bytes).ok()?;
        charset::decode(&bytes, None).text.into_owned()
    };
    let text = text.trim_end_matches('\0').trim();
    (!text.is_empty()).then(|| text.to_owned())
}
