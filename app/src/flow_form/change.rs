//! What the button of a form asks for, as its value says.

use std::fmt;
use std::str::FromStr;

use sheaf_domain::flow::ActionKind;

/// What is to be done with what was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// Only look at it.
    #[default]
    Check,
    Save,
    /// Look for documents to try it on.
    Search,
    /// Try it, though a model would be asked.
    Try,
    Add(ActionKind),
    /// A step, by its key in the form, goes up.
    Up(String),
    Down(String),
    Remove(String),
    /// A row of a list of a step.
    Row(Row, RowChange),
}

/// A row of a list of a step, by the keys of the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub step: String,
    pub list: String,
    pub row: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowChange {
    Up,
    Down,
    Remove,
}

impl Change {
    /// Moves or removes the key of a step.
    pub fn move_steps(&self, keys: &mut Vec<String>) {
        match self {
            Self::Up(key) => shift(keys, key, RowChange::Up),
            Self::Down(key) => shift(keys, key, RowChange::Down),
            Self::Remove(key) => shift(keys, key, RowChange::Remove),
            Self::Check | Self::Save | Self::Search | Self::Try | Self::Add(_) | Self::Row(..) => {}
        }
    }

    /// Moves or removes the key of a row of this list.
    pub fn move_rows(&self, step: &str, list: &str, keys: &mut Vec<String>) {
        if let Self::Row(row, change) = self
            && row.step == step
            && row.list == list
        {
            shift(keys, &row.row, *change);
        }
    }
}

fn shift(keys: &mut Vec<String>, key: &str, change: RowChange) {
    let Some(at) = keys.iter().position(|found| found == key) else { return };
    match change {
        RowChange::Up if at > 0 => keys.swap(at, at - 1),
        RowChange::Down if at + 1 < keys.len() => keys.swap(at, at + 1),
        RowChange::Up | RowChange::Down => {}
        RowChange::Remove => {
            keys.remove(at);
        }
    }
}

/// The value of a button is not one of those that a form has.
#[derive(Debug, PartialEq, Eq)]
pub struct UnknownChange(pub String);

impl fmt::Display for UnknownChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`change`: `{}` is not understood", self.0)
    }
}

impl FromStr for Change {
    type Err = UnknownChange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown = || UnknownChange(text.to_owned());
        let parts: Vec<&str> = text.split(':').collect();
        Ok(match parts[..] {
            ["check" | ""] => Self::Check,
            ["save"] => Self::Save,
            ["search"] => Self::Search,
            ["try"] => Self::Try,
            ["add", kind] => Self::Add(kind.parse().map_err(|_| unknown())?),
            ["up", key] => Self::Up(key.to_owned()),
            ["down", key] => Self::Down(key.to_owned()),
            ["remove", key] => Self::Remove(key.to_owned()),
            [verb, step, list, row] => {
                let change = match verb {
                    "rowup" => RowChange::Up,
                    "rowdown" => RowChange::Down,
                    "drop" => RowChange::Remove,
                    _ => return Err(unknown()),
                };
                Self::Row(Row { step: step.to_owned(), list: list.to_owned(), row: row.to_owned() }, change)
            }
            _ => return Err(unknown()),
        })
    }
}
