//! One step of a flow: a closed set of actions, each with its own parameters. What a file holds beside them is refused.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::format::Format;
use super::labels::Classify;
use crate::kind::DocumentKind;
use crate::status::UnknownName;

/// One step of a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Step {
    /// How columns and other steps call it: letters, digits and `_`, beginning with a letter.
    pub name: String,
    /// What it is to do, in the words of whoever made it; a language model is told them.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub instructions: String,
    #[serde(flatten)]
    pub action: Action,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Which documents and which of their pages the steps after it see.
    Select(Select),
    /// Places in the text, by patterns, dictionaries or ready-made rules.
    Find(Find),
    /// One of several labels for the document.
    Classify(Classify),
    /// Answers of a language model.
    Ask(Ask),
    /// Identifiers of what an earlier step found.
    Resolve(Resolve),
    /// Words that set the document apart.
    Keywords(Keywords),
    /// Sentences that say most.
    Summary(Summary),
    /// How the result is written.
    Format(Format),
}

/// What a step does, without how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActionKind {
    Select,
    Find,
    Classify,
    Ask,
    Resolve,
    Keywords,
    Summary,
    Format,
}

impl ActionKind {
    /// Every kind, in the order in which they are offered.
    pub const ALL: [Self; 8] = [
        Self::Select,
        Self::Find,
        Self::Classify,
        Self::Ask,
        Self::Resolve,
        Self::Keywords,
        Self::Summary,
        Self::Format,
    ];

    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Select => "select",
            Self::Find => "find",
            Self::Classify => "classify",
            Self::Ask => "ask",
            Self::Resolve => "resolve",
            Self::Keywords => "keywords",
            Self::Summary => "summary",
            Self::Format => "format",
        }
    }

    /// What a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Select => "Select",
            Self::Find => "Find",
            Self::Classify => "Classify",
            Self::Ask => "Ask a model",
            Self::Resolve => "Resolve",
            Self::Keywords => "Keywords",
            Self::Summary => "Summary",
            Self::Format => "Format",
        }
    }

    /// What it is good for, in one sentence.
    pub const fn explained(self) -> &'static str {
        match self {
            Self::Select => "Which documents and which of their pages the steps after it see.",
            Self::Find => "Places in the text: dates, amounts, terms of a dictionary, or patterns.",
            Self::Classify => "One of several labels for each document.",
            Self::Ask => "Questions to a language model, answered in columns.",
            Self::Resolve => "Identifiers for what an earlier step found.",
            Self::Keywords => "The words that set a document apart.",
            Self::Summary => "The sentences of a document that say most.",
            Self::Format => "Which columns the result has, and as what file it is written.",
        }
    }

    /// An action of this kind with nothing filled in.
    pub fn new_action(self) -> Action {
        match self {
            Self::Select => Action::Select(Select::default()),
            Self::Find => Action::Find(Find::default()),
            Self::Classify => Action::Classify(Classify::default()),
            Self::Ask => Action::Ask(Ask::default()),
            Self::Resolve => Action::Resolve(Resolve::default()),
            Self::Keywords => Action::Keywords(Keywords::default()),
            Self::Summary => Action::Summary(Summary::default()),
            Self::Format => Action::Format(Format::default()),
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ActionKind {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|k| k.name() == text).ok_or_else(|| UnknownName::new("kind of step", text))
    }
}

impl Action {
    /// What it does, without how.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Self::Select(_) => ActionKind::Select,
            Self::Find(_) => ActionKind::Find,
            Self::Classify(_) => ActionKind::Classify,
            Self::Ask(_) => ActionKind::Ask,
            Self::Resolve(_) => ActionKind::Resolve,
            Self::Keywords(_) => ActionKind::Keywords,
            Self::Summary(_) => ActionKind::Summary,
            Self::Format(_) => ActionKind::Format,
        }
    }
}

/// Which documents and pages are worked on. What is empty excludes nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Select {
    /// Kinds of documents, such as `pdf`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    pub kinds: Vec<DocumentKind>,
    /// Languages as ISO 639-3 codes, such as `eng`.
    pub languages: Vec<String>,
    /// Numbers of clusters of the document's batch.
    pub clusters: Vec<u32>,
    /// Words or phrases of which one at least is in the text, whatever its case.
    pub words: Vec<String>,
    /// Pages that are seen, from 1.
    pub pages: Vec<PageRange>,
    /// Headings, whatever their case: only the text below one of them, up to the next heading, is seen.
    pub sections: Vec<String>,
}

/// Pages from one to another, both included; without an end up to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PageRange {
    /// From 1.
    pub from: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u32>,
}

impl PageRange {
    /// Whether a page (from 1) is among them.
    pub fn contains(&self, page: u32) -> bool {
        page >= self.from && self.to.is_none_or(|to| page <= to)
    }
}

impl fmt::Display for PageRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to {
            Some(to) if to == self.from => write!(f, "{to}"),
            Some(to) => write!(f, "{}-{to}", self.from),
            None => write!(f, "{}-", self.from),
        }
    }
}

impl FromStr for PageRange {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |_| UnknownName::new("range of pages", text);
        match text.trim().split_once('-') {
            None => text.trim().parse().map(|page| Self { from: page, to: Some(page) }).map_err(wrong),
            Some((from, to)) => {
                let to = Some(to.trim()).filter(|to| !to.is_empty()).map(str::parse).transpose().map_err(wrong)?;
                Ok(Self { from: from.trim().parse().map_err(wrong)?, to })
            }
        }
    }
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A regular expression.
    Pattern,
    /// The terms of a dictionary.
    Terms,
    #[default]
    Dates,
    Money,
    Emails,
    Dois,
    /// Names of human genes, by a small dictionary of Sheaf's own.
    Genes,
}

impl What {
    /// Everything that can be looked for.
    pub const ALL: [Self; 7] =
        [Self::Dates, Self::Money, Self::Emails, Self::Dois, Self::Genes, Self::Terms, Self::Pattern];

    /// The name in files and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pattern => "pattern",
            Self::Terms => "terms",
            Self::Dates => "dates",
            Self::Money => "money",
            Self::Emails => "emails",
            Self::Dois => "dois",
            Self::Genes => "genes",
        }
    }

    /// What a person reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Pattern => "a pattern (regular expression)",
            Self::Terms => "terms of a list",
            Self::Dates => "dates",
            Self::Money => "amounts of money",
            Self::Emails => "e-mail addresses",
            Self::Dois => "DOIs",
            Self::Genes => "names of genes",
        }
    }
}

impl FromStr for What {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|w| w.name() == text).ok_or_else(|| UnknownName::new("thing to find", text))
    }
}

/// Places in the text; each hit is a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Find {
    pub what: What,
    /// For `pattern`: the regular expression. Its group `value`, or its first one, is the value; otherwise the whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pattern: String,
    /// For `terms`: CSV of `id,term,synonyms` with a heading; several synonyms are separated by `|`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub terms: String,
    /// Whether capital letters have to be the same.
    pub match_case: bool,
    /// The name of an earlier step of this kind: only hits in a sentence in which that step found something count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// Whether the quote is the sentence around the hit rather than the hit alone.
    pub sentence: bool,
    /// The most hits in one document.
    pub limit: u32,
}

impl Default for Find {
    fn default() -> Self {
        Self {
            what: What::default(),
            pattern: String::new(),
            terms: String::new(),
            match_case: false,
            within: None,
            sentence: false,
            limit: 1000,
        }
    }
}

/// Identifiers of what an earlier step found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Resolve {
    /// The column of an earlier step, such as `genes.value`.
    pub column: String,
    /// CSV of `id,term,synonyms` with a heading; several synonyms are separated by `|`.
    pub table: String,
    /// The most letters by which a name may differ (0 to 3).
    pub max_edits: u32,
}

impl Default for Resolve {
    fn default() -> Self {
        Self { column: String::new(), table: String::new(), max_edits: 1 }
    }
}

/// Words that set the document apart.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Keywords {
    /// How many.
    pub count: u32,
}

impl Default for Keywords {
    fn default() -> Self {
        Self { count: 10 }
    }
}

/// Sentences that say most, as they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Summary {
    /// How many.
    pub sentences: u32,
}

impl Default for Summary {
    fn default() -> Self {
        Self { sentences: 3 }
    }
}
