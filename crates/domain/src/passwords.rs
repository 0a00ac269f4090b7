//! Passwords that were given with a batch, to be tried on what asks for one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A few passwords. Neither a log nor an export ever shows them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Passwords(Vec<String>);

impl Passwords {
    /// More than these are not tried: each costs time, and this is no tool for guessing.
    pub const MOST: usize = 20;

    /// One on each line; empty lines are none. Spaces belong to a password.
    pub fn from_lines(text: &str) -> Self {
        Self::new(text.lines().map(str::to_owned))
    }

    /// Those that are not empty, each once, in the order in which they are tried.
    pub fn new(passwords: impl IntoIterator<Item = String>) -> Self {
        let mut kept: Vec<String> = Vec::new();
        for password in passwords {
            if !password.is_empty() && !kept.contains(&password) && kept.len() < Self::MOST {
                kept.push(password);
            }
        }
        Self(kept)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order in which they are tried.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passwords", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_passwords_and_never_shown() {
        let passwords = Passwords::from_lines("hunter2\r\n\n a b \nhunter2\n");
        assert_eq!(passwords.iter().collect::<Vec<_>>(), ["hunter2", " a b "]);
        assert_eq!(format!("{passwords:?}"), "2 passwords");
        let many = (0..100).map(|n| n.to_string());
        assert_eq!(Passwords::new(many).iter().count(), Passwords::MOST);
    }
}
