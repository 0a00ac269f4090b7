//! What a walk may still produce.

use std::io::{self, Read};

use serde::{Deserialize, Serialize};
use sheaf_domain::{Failure, FailureCode};

use super::ArchiveLimits;

/// What was produced so far of an archive and all that is nested in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Bytes of the outermost archive.
    pub packed: u64,
    pub entries: u64,
    pub bytes: u64,
}

/// Counts entries and bytes against the limits.
pub struct Budget<'a> {
    pub limits: &'a ArchiveLimits,
    spent: Spent,
}

/// Why an entry or a nested archive was not unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// Only this entry is at fault, or the archive that it is; the walk goes on behind it.
    This(Failure),
    /// The walk has to end.
    All(Failure),
}

impl<'a> Budget<'a> {
    /// What is left of the limits.
    pub fn new(limits: &'a ArchiveLimits, spent: Spent) -> Self {
        Self { limits, spent }
    }

    /// One more entry.
    pub fn enter(&mut self) -> Result<(), Failure> {
        self.spent.entries += 1;
        self.check_entries(self.spent.entries)
    }

    /// Whether an archive may have so many entries.
    pub fn check_entries(&self, entries: u64) -> Result<(), Failure> {
        if entries > self.limits.entries {
            let message = format!("the archive has more than {} entries", self.limits.entries);
            return Err(Failure::new(FailureCode::ArchiveTooManyEntries, message));
        }
        Ok(())
    }

    /// Copies one entry and counts what really comes out of it, whatever its header says. `packed` is its size in the
    /// archive, where entries are packed one by one.
    pub fn copy(&mut self, entry: &mut dyn Read, packed: Option<u64>, to: &mut dyn io::Write) -> Result<(), Stop> {
        let left = self.limits.bytes.saturating_sub(self.spent.bytes);
        let by_ratio = packed.map_or(u64::MAX, |packed| self.allowed_from(packed));
        // The whole may be worse than each part: archives in archives multiply.
        let by_total_ratio = self.allowed_from(self.spent.packed).saturating_sub(self.spent.bytes);
        let allowed = left.min(by_ratio).min(by_total_ratio);
        let copied = io::copy(&mut entry.take(allowed.saturating_add(1)), to);
        let produced = *copied.as_ref().unwrap_or(&0);
        self.spent.bytes = self.spent.bytes.saturating_add(produced);
        let (mib, ratio) = (self.limits.bytes >> 20, self.limits.ratio);
        match copied {
            Ok(produced) if produced <= allowed => Ok(()),
            Ok(_) if allowed == left => {
                let message = format!("the archive unpacks to more than {mib} MiB");
                Err(Stop::All(Failure::new(FailureCode::ArchiveTooLarge, message)))
            }
            Ok(_) if allowed == by_ratio => {
                let message = format!("it unpacks to more than {ratio} times its size");
                Err(Stop::This(Failure::new(FailureCode::ArchiveRatio, message)))
            }
            Ok(_) => {
                let message = format!("the archive unpacks to more than {ratio} times its size");
                Err(Stop::All(Failure::new(FailureCode::ArchiveRatio, message)))
            }
            Err(error) => Err(Stop::This(unreadable(&error))),
        }
    }

    fn allowed_from(&self, packed: u64) -> u64 {
        packed.saturating_mul(self.limits.ratio).max(self.limits.ratio_floor)
    }
}

fn unreadable(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::Unsupported => super::unknown_packing(),
        _ => Failure::new(FailureCode::CorruptFile, "it is damaged and could not be unpacked"),
    }
}
