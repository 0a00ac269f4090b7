//! 7z by sevenz-rust2: LZMA, LZMA2, PPMd, BZip2, Deflate and their filters; what is encrypted says so.

use std::fs::File;

use sevenz_rust2::{ArchiveReader, Error, Password};
use sheaf_domain::Failure;

use super::budget::Stop;
use super::level::Entries;
use super::{damaged, encrypted, link, unknown_packing};

/// A link, in the upper half of the attributes that Unix programs write there (`S_IFLNK`).
const UNIX_LINK: u32 = 0o120_000;
const UNIX_KIND: u32 = 0o170_000;

pub fn unpack(file: File, entries: &mut Entries<'_>) -> Result<(), Stop> {
    let mut archive = ArchiveReader::new(file, Password::empty()).map_err(|error| Stop::This(broken(&error)))?;
    // The cage has no threads to give.
    archive.set_thread_count(1);
    entries.budget.check_entries(archive.archive().files.len() as u64).map_err(Stop::This)?;
    let mut stopped = None;
    let walked = archive.for_each_entries(|entry, content| {
        if stopped.is_none() && !entry.is_directory() && !entry.is_anti_item() {
            let linked = entry.windows_attributes() >> 16 & UNIX_KIND == UNIX_LINK;
            let handed = entries.begin(entry.name().as_bytes(), linked.then(link));
            let handed = handed.and_then(|wanted| if wanted { entries.content(content, None) } else { Ok(()) });
            stopped = handed.err();
        }
        Ok(stopped.is_none())
    });
    match (stopped, walked) {
        (Some(stop), _) => Err(stop),
        (None, Err(error)) => Err(Stop::This(broken(&error))),
        (None, Ok(())) => Ok(()),
    }
}

fn broken(error: &Error) -> Failure {
    match error {
        Error::PasswordRequired | Error::MaybeBadPassword(_) => encrypted(),
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => encrypted(),
        Error::UnsupportedCompressionMethod(_) | Error::Unsupported(_) | Error::ExternalUnsupported => {
            unknown_packing()
        }
        _ => damaged(),
    }
}
