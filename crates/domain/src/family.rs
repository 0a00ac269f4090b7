//! Families of near-duplicates: documents of which one is enough to look at.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::DocumentId;
use crate::query::Page;
use crate::status::UnknownName;

/// How a member is like its principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// The same bytes.
    Exact,
    /// The same words in the same order, but for case, line breaks, marks and format.
    SameText,
    /// The same but for some words.
    Near,
}

impl Likeness {
    /// As files of results say it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::SameText => "same-text",
            Self::Near => "near",
        }
    }
}

impl FromStr for Likeness {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Exact, Self::SameText, Self::Near];
        all.into_iter().find(|likeness| likeness.name() == text).ok_or_else(|| UnknownName::new("likeness", text))
    }
}

/// A document of a family.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyMember {
    pub id: DocumentId,
    pub path: String,
    /// How it is like the principal; the principal is exactly like itself.
    pub kind: Likeness,
    /// Jaccard similarity of its shingles to those of the principal, 0 to 1.
    pub jaccard: f32,
}

/// Two or more documents that are alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Family {
    /// From 1, in the order in which families are listed.
    pub id: u32,
    pub size: u64,
    /// The principal first, then the most alike; at most [`Self::SHOWN_MEMBERS`] where many families are listed.
    pub members: Vec<FamilyMember>,
}

impl Family {
    /// The most members that are listed of each family in a list of many.
    pub const SHOWN_MEMBERS: u32 = 200;

    /// The document that stands for all.
    pub fn principal(&self) -> Option<&FamilyMember> {
        self.members.first()
    }

    /// Of rows (number, size, member) in the order of families and places.
    ///
    /// # Errors
    /// That of the first row that has one.
    pub fn gather<E>(rows: impl Iterator<Item = Result<(u32, u64, FamilyMember), E>>) -> Result<Vec<Self>, E> {
        let mut families: Vec<Self> = Vec::new();
        for row in rows {
            let (id, size, member) = row?;
            match families.last_mut() {
                Some(family) if family.id == id => family.members.push(member),
                Some(_) | None => families.push(Self { id, size, members: vec![member] }),
            }
        }
        Ok(families)
    }
}

/// The place of a document in its family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilyPlace {
    /// The family's number within the batch.
    pub id: u32,
    /// Whether it stands for all.
    pub principal: bool,
}

/// The families of a batch in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FamilySummary {
    pub families: u64,
    /// Documents in families.
    pub documents: u64,
    /// From which Jaccard similarity on two texts count as nearly the same.
    pub least: f32,
    /// The lowest that other families can be asked for: less similar pairs were not kept.
    pub lowest: f32,
}

impl FamilySummary {
    /// Documents that could be dropped: all but the principals.
    pub const fn spare(&self) -> u64 {
        self.documents.saturating_sub(self.families)
    }
}

/// Families that come out at some threshold, and the pair that only just counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FamilyDial {
    pub summary: FamilySummary,
    /// A page of the families.
    pub families: Vec<Family>,
    /// Of all near members the one least like its principal, after that principal.
    pub weakest: Option<(FamilyMember, FamilyMember)>,
    /// Where the next page starts.
    pub next_offset: Option<u32>,
}

/// Which page of the families of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FamilyQuery {
    /// Families to pass over.
    pub offset: u32,
    /// At most [`Self::MAX_LIMIT`]; 0 stands for [`Self::DEFAULT_LIMIT`].
    pub limit: u32,
}

impl FamilyQuery {
    /// Families of a page when nothing was said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// The most families of a page.
    pub const MAX_LIMIT: u32 = 200;

    /// The number of families to return, within bounds.
    pub fn effective_limit(&self) -> u32 {
        match self.limit {
            0 => Self::DEFAULT_LIMIT,
            limit => limit.min(Self::MAX_LIMIT),
        }
    }

    /// The page of these families, of so many in all.
    pub fn page(&self, items: Vec<Family>, total: u64) -> Page<Family> {
        let next = u64::from(self.offset) + items.len() as u64;
        let next_cursor = (next < total && !items.is_empty()).then(|| next.to_string());
        Page { items, total, next_cursor }
    }
}

/// Which documents are looked at, by their families: `any`, `spare`, `collapsed` or a family's number in a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FamilyFilter {
    /// Those that are in a family.
    Any,
    /// Those that could be dropped: in a family, but not its principal.
    Spare,
    /// One of each: principals, and what is in no family.
    Collapsed,
    /// The members of one family.
    Family(u32),
}

impl fmt::Display for FamilyFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Spare => f.write_str("spare"),
            Self::Collapsed => f.write_str("collapsed"),
            Self::Family(id) => id.fmt(f),
        }
    }
}

impl FromStr for FamilyFilter {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "any" => Ok(Self::Any),
            "spare" => Ok(Self::Spare),
            "collapsed" => Ok(Self::Collapsed),
            number => number.parse().map(Self::Family).map_err(|_| UnknownName::new("family", number)),
        }
    }
}
