//! `families.json`, the same with a server and without.

use serde::Serialize;

/// One family.
#[derive(Serialize)]
pub struct FamilyEntry<'a> {
    /// From 1, in the order of the file.
    pub id: usize,
    /// The path of the document that all others are like.
    pub principal: &'a str,
    pub size: usize,
    pub members: Vec<MemberEntry<'a>>,
}

/// A document of it, the principal first.
#[derive(Serialize)]
pub struct MemberEntry<'a> {
    pub path: &'a str,
    pub kind: &'static str,
    pub jaccard: f32,
}

impl<'a> FamilyEntry<'a> {
    pub fn new(id: usize, members: Vec<MemberEntry<'a>>) -> Self {
        Self { id, principal: members.first().map_or("", |principal| principal.path), size: members.len(), members }
    }
}
