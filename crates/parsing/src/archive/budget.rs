//! What a walk may still produce.

use std::io::{self, Read};

use sheaf_domain::{Failure, FailureCode};

use super::ArchiveLimits;

/// Counts entries and bytes over an archive and all that is nested in it.
pub struct Budget<'a> {
    pub limits: &'a ArchiveLimits,
    /// Bytes of the outermost archive.
    packed: u64,
    entries: u64,
    bytes: u64,
}

/// Why an entry or a nested archive was not unpacked.
pub enum Stop {
    /// Only this entry is at fault, or the archive that it is; the walk goes on behind it.
    This(Failure),
    /// The walk has to end.
    All(Failure),
}

impl<'a> Budget<'a> {
    /// For an archive of `packed` bytes.
    pub fn new(limits: &'a ArchiveLimits, packed: u64) -> Self {
        Self { limits, packed, entries: 0, bytes: 0 }
    }

    /// One more entry.
    pub fn enter(&mut self) -> Result<(), Failure> {
        self.entries += 1;
        if self.entries > self.limits.entries {
            return Err(too_much(format!("the archive has more than {} entries", self.limits.entries)));
        }
        Ok(())
    }

    /// Copies one entry of `packed` bytes and counts what really comes out of it, whatever its header says.
    pub fn copy(&mut self, entry: &mut impl Read, packed: u64, to: &mut impl io::Write) -> Result<u64, Stop> {
        let left = self.limits.bytes.saturating_sub(self.bytes);
        let by_ratio = self.allowed_from(packed);
        // The whole may be worse than each part: archives in archives multiply.
        let by_total_ratio = self.allowed_from(self.packed).saturating_sub(self.bytes);
        let allowed = left.min(by_ratio).min(by_total_ratio);
        let copied = io::copy(&mut entry.take(allowed + 1), to);
        let produced = *copied.as_ref().unwrap_or(&0);
        self.bytes = self.bytes.saturating_add(produced);
        match copied {
            Ok(produced) if produced <= allowed => Ok(produced),
            Ok(_) if allowed == left => {
                Err(Stop::All(too_much(format!("the archive unpacks to more than {} MiB", self.limits.bytes >> 20))))
            }
            Ok(_) if allowed == by_ratio => {
                Err(Stop::This(too_much(format!("it unpacks to more than {} times its size", self.limits.ratio))))
            }
            Ok(_) => Err(Stop::All(too_much(format!(
                "the archive unpacks to more than {} times its size",
                self.limits.ratio
            )))),
            Err(error) => Err(Stop::This(unreadable(&error))),
        }
    }

    fn allowed_from(&self, packed: u64) -> u64 {
        packed.saturating_mul(self.limits.ratio).max(self.limits.ratio_floor)
    }
}

/// The failure for an archive beyond its limits.
pub fn too_much(message: String) -> Failure {
    Failure::new(FailureCode::ArchiveLimit, message)
}

fn unreadable(error: &io::Error) -> Failure {
    match error.kind() {
        // The archive lies in a file of ours, and so does what was unpacked.
        io::ErrorKind::StorageFull | io::ErrorKind::PermissionDenied => {
            Failure::new(FailureCode::Storage, format!("it could not be unpacked: {}", error.kind()))
        }
        _ => Failure::new(FailureCode::CorruptFile, "it is damaged and could not be unpacked"),
    }
}
