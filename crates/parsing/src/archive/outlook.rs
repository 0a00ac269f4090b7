//! The attachments of an Outlook message (MS-OXMSG): a folder for each in a compound file, a stream for each property.

use std::fs::File;
use std::io::Read;

use cfb::CompoundFile;
use sheaf_domain::{Failure, FailureCode};

use super::budget::Stop;
use super::damaged;
use super::letter::LOGO;
use super::level::Entries;

/// Properties of an attachment: identifier and type as eight hexadecimal digits (MS-OXPROPS).
const DATA: &str = "37010102";
const EMBEDDED: &str = "3701000D";
const LONG_NAME: &str = "3707001F";
const SHORT_NAME: &str = "3704001F";
const CONTENT_ID: &str = "3712001F";
const MIME_TYPE: &str = "370E001F";

/// The longest property that is text, in bytes.
const TEXT: u64 = 4096;

pub fn unpack(file: File, entries: &mut Entries<'_>) -> Result<(), Stop> {
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
    let name = [LONG_NAME, SHORT_NAME].into_iter().find_map(|property| text(message, &path(property)));
    let name = name.and_then(|name| name.rsplit(['/', '\\']).next().map(str::to_owned)).filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| format!("attachment {number}"));
    if message.is_storage(path(EMBEDDED)) {
        let failure = Failure::new(FailureCode::UnsupportedKind, "it is an Outlook item inside of an Outlook message")
            .with_hint("Open the message in Outlook and save the item as a file of its own.");
        return entries.begin(name.as_bytes(), Some(failure)).map(drop);
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

/// A property in UTF-16.
fn text(message: &mut CompoundFile<File>, path: &str) -> Option<String> {
    let mut bytes = Vec::new();
    message.open_stream(path).ok()?.take(TEXT).read_to_end(&mut bytes).ok()?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    let text = String::from_utf16_lossy(&units).trim_end_matches('\0').trim().to_owned();
    (!text.is_empty()).then_some(text)
}
