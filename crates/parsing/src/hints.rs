//! What is known about a document beside its bytes.

use serde::{Deserialize, Serialize};
use sheaf_domain::Passwords;

/// Comes with a document to whoever reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hints {
    /// What the file was called: a weak hint at its kind.
    pub name: String,
    /// Tried when it asks for one.
    pub passwords: Passwords,
}

impl From<&str> for Hints {
    fn from(name: &str) -> Self {
        Self { name: name.to_owned(), passwords: Passwords::default() }
    }
}

impl From<&String> for Hints {
    fn from(name: &String) -> Self {
        name.as_str().into()
    }
}

impl Hints {
    /// The same with the end of the name only, for that is where its suffix is.
    pub fn short(&self) -> Self {
        let start = self.name.len().saturating_sub(255);
        Self {
            name: String::from_utf8_lossy(&self.name.as_bytes()[start..]).into_owned(),
            passwords: self.passwords.clone(),
        }
    }
}
