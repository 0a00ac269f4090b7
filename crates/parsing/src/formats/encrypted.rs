//! Office files behind a password: the packages of Office 2007 and later, encrypted as [MS-OFFCRYPTO] has it, and the Word
//! files before them where their cipher is known.

use std::io::Cursor;

use sheaf_domain::{DocumentKind, Failure, Passwords};

use super::{corrupt, locked};
use crate::detect::detect_kind;

/// The document inside, opened with the first of `passwords` that fits.
pub fn open(bytes: &[u8], passwords: &Passwords) -> Result<Vec<u8>, Failure> {
    let opened = |password| office_crypto::decrypt_from_bytes(bytes.to_vec(), password).ok();
    // With a wrong password some ciphers give noise instead of an error.
    let makes_sense = |inside: &Vec<u8>| kind(inside).is_ok();
    passwords.iter().filter_map(opened).find(makes_sense).ok_or_else(|| locked(passwords, "this encrypted Office file"))
}

/// What kind the opened document is.
pub fn kind(opened: &[u8]) -> Result<DocumentKind, Failure> {
    // Reading from memory does not fail.
    match detect_kind(Cursor::new(opened), "").unwrap_or(DocumentKind::Unknown) {
        DocumentKind::Unknown | DocumentKind::EncryptedOffice | DocumentKind::Text => {
            Err(corrupt("what is inside of this encrypted Office file is no document"))
        }
        kind => Ok(kind),
    }
}
