//! Landlock: no file system but fonts, no TCP, no sockets or signals beyond this process.

use landlock::{
    ABI, Access, AccessFs, AccessNet, LandlockStatus, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    RulesetStatus, Scope, path_beneath_rules,
};

/// The newest that this knows; an older kernel enforces what it has, and the oldest has files already.
const NEWEST: ABI = ABI::V7;

/// PDFium looks here for fonts that a document does not bring, when pages are rendered. What is absent is left out.
const FONTS: &[&str] = &["/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts"];

/// Closes the file system to this thread; the version of Landlock that does it, none where there is no Landlock.
pub fn close() -> Result<Option<u8>, RulesetError> {
    let status = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(FONTS, AccessFs::ReadFile | AccessFs::ReadDir))?
        .restrict_self()?;
    Ok(match (status.ruleset, status.landlock) {
        (RulesetStatus::NotEnforced, _) => None,
        (_, LandlockStatus::Available { effective_abi, .. }) => Some(effective_abi as u8),
        (_, LandlockStatus::NotEnabled | LandlockStatus::NotImplemented) => None,
    })
}
