//! What an analysis goes on from: the numbers and names of the one before, and what people changed since.

use std::collections::{BTreeMap, BTreeSet};

use sheaf_domain::{EXACT_UP_TO, Method, NamedBy};

use crate::clustering::assignment::{Assignment, numbered};
use crate::clustering::membership::{self, is_outlier};
use crate::clustering::neighbours::Neighbours;
use crate::clustering::vectors::Vectors;
use crate::clustering::{self, GroupError, Groups, NEIGHBOURS};
use crate::edits::{self, Edit, Place};
use crate::identity;
use crate::layout::{self, lay_out};
use crate::params::AnalyseParams;

/// Neighbours of each row that all but the search for groups makes do with: what outliers and probabilities are told from,
/// the map, and the lists of similar documents.
pub const NEAR: usize = 15;
const _: () = assert!(NEAR >= membership::VOTERS && NEAR >= layout::NEIGHBOURS && NEAR >= crate::NEIGHBOURS);

/// What was there before; nothing for a first analysis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// For each input the number of the group that was found for it; absent for a new one.
    pub earlier: Vec<Option<u32>>,
    /// The names of these groups, by number.
    pub names: BTreeMap<u32, String>,
    /// The first number that was never given.
    pub next: u32,
    /// Numbers in place of matched ones, of groups as they are found, the largest first: for a replay.
    pub given: Option<Vec<u32>>,
    /// In the order in which they were made.
    pub edits: Vec<Edit>,
    /// Nothing is grouped anew: `earlier` says it all. Without effect when it does not name a group for each input.
    pub keep_groups: bool,
    pub known: Known,
}

/// What was found for the very same inputs before, and depends neither on groups nor on what people changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// [`Analysis::near`](crate::Analysis::near). Without effect where groups are searched for.
    pub near: Option<Neighbours>,
    /// Of each input its place on the map.
    pub places: Option<Vec<[f32; 2]>>,
}

/// The nearest rows: by all pairs, or above [`EXACT_UP_TO`] documents by those around.
pub fn neighbours_of(vectors: &Vectors, documents: usize) -> Neighbours {
    let all_pairs = documents as u64 <= EXACT_UP_TO;
    let find = if all_pairs { Neighbours::exact } else { Neighbours::approximate };
    find(vectors, NEIGHBOURS)
}

/// What finding groups begins with.
pub struct Beginning {
    /// Of each row; absent when groups have to be searched for.
    kept: Option<Vec<u32>>,
    pub neighbours: Neighbours,
}

impl Beginning {
    /// Looks for neighbours, unless they are known and groups are not searched for.
    pub fn new(vectors: &Vectors, params: &AnalyseParams, history: &History, canonical: &[usize]) -> Self {
        let kept = if history.keep_groups && leaves_outliers_to_neighbours(params.method) {
            kept(vectors, &earlier(history, canonical))
        } else {
            None
        };
        let near = history.known.near.as_ref().filter(|near| kept.is_some() && near.are_of(vectors.len(), NEAR));
        let neighbours = near.cloned().unwrap_or_else(|| neighbours_of(vectors, canonical.len()));
        Self { kept, neighbours }
    }

    /// Where documents stand on the map: where they stood, or as they are laid out.
    pub fn places(
        &self,
        vectors: &Vectors,
        params: &AnalyseParams,
        known: Option<&[[f32; 2]]>,
        canonical: &[usize],
    ) -> Vec<[f32; 2]> {
        if !params.map {
            return vec![[0.0; 2]; canonical.len()];
        }
        match known.filter(|known| known.len() == canonical.len()) {
            Some(known) => canonical.iter().map(|&input| known[input]).collect(),
            None => lay_out(vectors, &self.neighbours, params.seed),
        }
    }
}

fn earlier(history: &History, canonical: &[usize]) -> Vec<Option<u32>> {
    canonical.iter().map(|&i| history.earlier.get(i).copied().flatten()).collect()
}

/// What the analysis alone found, before what people changed.
pub struct Found {
    /// For each row, numbered without gaps, the largest first.
    groups: Vec<u32>,
    outlier: Vec<bool>,
    /// Of each group.
    pub numbers: Vec<u32>,
    pub next: u32,
}

/// Groups rows, or takes the groups that are there, and says which is which of the earlier ones. `canonical` are the inputs in
/// the order of documents.
///
/// # Errors
/// As [`clustering::group`].
pub fn find(
    vectors: &Vectors,
    beginning: &Beginning,
    params: &AnalyseParams,
    history: &History,
    canonical: &[usize],
) -> Result<Found, GroupError> {
    let Beginning { kept, neighbours } = beginning;
    let Groups { of, outlier } = match kept {
        Some(of) => Groups { outlier: is_outlier(vectors, neighbours, of), of: of.clone() },
        None => clustering::group(vectors, neighbours, params)?,
    };
    let groups = numbered(vectors, &of, &outlier);
    let count = groups.iter().max().map_or(0, |&most| most as usize + 1);
    let (numbers, next) = match &history.given {
        Some(given) => {
            let mut next = history.next.max(given.iter().max().map_or(0, |most| most + 1));
            let mut numbers: Vec<u32> = given.iter().copied().take(count).collect();
            while numbers.len() < count {
                numbers.push(next);
                next += 1;
            }
            (numbers, next)
        }
        None => {
            let now: Vec<u32> = vectors.rows().iter().map(|&row| groups[row]).collect();
            identity::numbers(&earlier(history, canonical), &now, count, history.next)
        }
    };
    Ok(Found { groups, outlier, numbers, next })
}

/// Whether the outliers of groups are told from neighbours. Other methods say themselves what fits nowhere, which is not noted:
/// they have to group anew.
const fn leaves_outliers_to_neighbours(method: Method) -> bool {
    match method {
        Method::Graph | Method::KMeans { .. } | Method::Mixture { .. } => true,
        Method::Dbscan { .. } | Method::Hierarchical { .. } => false,
    }
}

/// The groups that were found before, numbered without gaps; absent when they are not known of each row.
fn kept(vectors: &Vectors, earlier: &[Option<u32>]) -> Option<Vec<u32>> {
    let of_row = |row: usize| earlier.get(*vectors.documents(row).first()? as usize).copied().flatten();
    let numbers: Vec<u32> = (0..vectors.len()).map(of_row).collect::<Option<_>>()?;
    Some(without_gaps(&numbers))
}

/// The same groups with numbers from 0, without gaps.
fn without_gaps(numbers: &[u32]) -> Vec<u32> {
    let distinct: BTreeSet<u32> = numbers.iter().copied().collect();
    let index: BTreeMap<u32, u32> = distinct.into_iter().zip(0..).collect();
    numbers.iter().map(|number| index[number]).collect()
}

/// A clustering with what people changed.
pub struct Settled {
    pub assignment: Assignment,
    /// Of each cluster.
    pub numbers: Vec<u32>,
    /// Those that people gave, by number.
    names: BTreeMap<u32, String>,
    /// Clusters of which people changed what is in them, by number.
    touched: BTreeSet<u32>,
    /// Where documents stood before that.
    pub base: Vec<Place>,
}

impl Settled {
    /// Applies what people changed. Documents with the same vector are one row as long as they stand in one place; otherwise there
    /// are more rows.
    pub fn new(
        vectors: &mut Vectors,
        neighbours: &mut Neighbours,
        found: &Found,
        history: &History,
        canonical: &[usize],
    ) -> Self {
        let rows = vectors.rows();
        let place =
            |row: usize| Place { cluster: found.numbers[found.groups[row] as usize], is_outlier: found.outlier[row] };
        let base: Vec<Place> = rows.iter().map(|&row| place(row)).collect();
        let mut places = base.clone();
        let edits = in_canonical_order(&history.edits, canonical);
        let names = edits::apply(&mut places, &edits, |document| vectors.row(rows[document]));
        let mut touched = BTreeSet::new();
        for (before, after) in base.iter().zip(&places).filter(|(before, after)| before != after) {
            touched.extend([before, after].into_iter().filter(|place| !place.is_outlier).map(|place| place.cluster));
        }
        let of_row = |vectors: &Vectors, row: usize| places[vectors.documents(row)[0] as usize];
        let is_torn = rows.iter().zip(&places).any(|(&row, place)| of_row(vectors, row) != *place);
        if is_torn {
            let apart = Vectors::distinct_by(rows.iter().zip(&places).map(|(&row, place)| (vectors.row(row), *place)));
            let before: Vec<usize> = (0..apart.len()).map(|row| rows[apart.documents(row)[0] as usize]).collect();
            *neighbours = neighbours.apart(&before);
            *vectors = apart;
        }
        let of_rows: Vec<Place> = (0..vectors.len()).map(|row| of_row(vectors, row)).collect();
        let outlier: Vec<bool> = of_rows.iter().map(|place| place.is_outlier).collect();
        let groups = without_gaps(&of_rows.iter().map(|place| place.cluster).collect::<Vec<_>>());
        let groups = numbered(vectors, &groups, &outlier);
        let assignment = Assignment::of(vectors, neighbours, &groups, &outlier);
        let mut numbers = vec![0; assignment.clusters.len()];
        groups.iter().zip(&of_rows).for_each(|(&group, place)| numbers[group as usize] = place.cluster);
        Self { assignment, numbers, names, touched, base }
    }

    /// The name that a cluster has whatever its words: a person's, or the one that it was found with, as long as nobody changed what
    /// is in it. No two are the same.
    pub fn given_names(&self, found: &BTreeMap<u32, String>) -> Vec<Option<String>> {
        let mut taken = BTreeSet::new();
        let mut given: Vec<Option<String>> = self
            .numbers
            .iter()
            .map(|number| self.names.get(number).map(|name| unique(name, *number, &mut taken)))
            .collect();
        for (given, number) in given.iter_mut().zip(&self.numbers) {
            if given.is_none() && !self.touched.contains(number) {
                *given = found.get(number).map(|name| unique(name, *number, &mut taken));
            }
        }
        given
    }

    /// Whose name a cluster has.
    pub fn named_by(&self, number: u32) -> NamedBy {
        if self.names.contains_key(&number) { NamedBy::Person } else { NamedBy::Words }
    }

    /// Whether people changed what is in a cluster.
    pub fn is_edited(&self, number: u32) -> bool {
        self.touched.contains(&number)
    }
}

fn unique(name: &str, number: u32, taken: &mut BTreeSet<String>) -> String {
    let name = if taken.contains(name) { format!("{name} ({number})") } else { name.to_owned() };
    taken.insert(name.clone());
    name
}

/// Edits of inputs as edits of documents.
fn in_canonical_order(edits: &[Edit], canonical: &[usize]) -> Vec<Edit> {
    let mut documents = vec![usize::MAX; canonical.len()];
    canonical.iter().enumerate().for_each(|(document, &input)| documents[input] = document);
    let edit = |Edit { change, stay }: &Edit| {
        let stay = stay.iter().filter_map(|&(input, to)| Some((*documents.get(input)?, to)));
        Edit { change: change.clone(), stay: stay.collect() }
    };
    edits.iter().map(edit).collect()
}
