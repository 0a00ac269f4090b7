//! Counting what each value of each filter would leave.

use std::collections::{HashMap, HashSet};

use sheaf_domain::{FacetRow, Facets, SelectedFigures, SizeClass, Status};

use super::load::Line;
use super::select::{Selection, level};

/// What documents of a group have in common, packed, and a line of it with their number.
type Groups = HashMap<u128, (u32, u64)>;

impl Selection<'_> {
    /// The facets of what the query's words and ids let through.
    pub fn facets(&self) -> Facets {
        let mut groups = Groups::new();
        for (number, line) in self.columns.lines.iter().enumerate() {
            if self.is_let_through(number) {
                let first = u32::try_from(number).unwrap_or(u32::MAX);
                groups.entry(self.key(line)).or_insert((first, 0)).1 += 1;
            }
        }
        let mut groups: Vec<(u32, u64)> = groups.into_values().collect();
        groups.sort_unstable();
        let rows: Vec<FacetRow> = groups.into_iter().map(|(line, documents)| self.row(line, documents)).collect();
        Facets::of(&rows, self.query)
    }

    /// The cards of the documents that match.
    pub fn figures(&self) -> SelectedFigures {
        let mut figures = SelectedFigures::default();
        let (mut clusters, mut families) = (HashSet::new(), HashSet::new());
        let (mut probability, mut clustered) = (0.0_f64, 0_u64);
        for line in self.lines() {
            let line = &self.columns.lines[line as usize];
            figures.documents += 1;
            figures.completed += u64::from(line.status == Status::Completed);
            figures.failed += u64::from(line.status == Status::Failed);
            figures.pages += line.pages.map_or(0, u64::from);
            figures.words += line.words.unwrap_or_default();
            if let Some(family) = line.family {
                families.insert(family.id);
                figures.spare += u64::from(!family.principal);
            }
            match line.place {
                Some(place) if place.cluster.is_some() => {
                    clusters.insert(place.cluster);
                    probability += f64::from(place.probability);
                    clustered += 1;
                }
                Some(_) => figures.outliers += 1,
                None => {}
            }
        }
        figures.clusters = clusters.len() as u64;
        figures.families = families.len() as u64;
        figures.average_probability = (clustered > 0).then(|| (probability / clustered as f64) as f32);
        figures
    }

    /// All that facets look at in one number.
    fn key(&self, line: &Line) -> u128 {
        let size = SizeClass::ALL.iter().position(|class| class.bytes().contains(&line.bytes)).unwrap_or_default();
        let cluster = line.place.and_then(|place| place.cluster).map_or(u32::MAX, |cluster| cluster.0);
        let flags = [
            line.place.is_some(),
            line.family.is_some(),
            line.family.is_some_and(|family| family.principal),
            self.is_in_cluster(line),
            self.is_in_family(line),
            self.is_in_dates(line),
        ];
        let number = |value: Option<u16>| u128::from(value.map_or(u16::MAX, |value| value));
        let small = |value: Option<u8>| u128::from(value.map_or(u8::MAX, |value| value));
        let parts = [
            (u128::from(cluster), 32),
            (number(line.language), 16),
            (number(line.year), 16),
            (small(line.kind.map(|kind| kind as u8)), 8),
            (small(line.failure.map(|failure| failure as u8)), 8),
            (small(level(line.place).map(|level| level as u8)), 8),
            (line.status as u128, 8),
            (size as u128, 8),
        ];
        let packed = parts.into_iter().fold(0, |key, (value, bits)| key << bits | value);
        flags.into_iter().fold(packed, |key, flag| key << 1 | u128::from(flag))
    }

    fn row(&self, line: u32, documents: u64) -> FacetRow {
        let line = &self.columns.lines[line as usize];
        let size = SizeClass::ALL.into_iter().find(|class| class.bytes().contains(&line.bytes));
        let year = line.year.and_then(|year| self.columns.years.get(usize::from(year)));
        let cluster = line.place.and_then(|place| place.cluster);
        FacetRow {
            kind: line.kind,
            language: self.columns.language(line).cloned(),
            status: line.status,
            failure: line.failure,
            confidence: level(line.place),
            size: size.unwrap_or(SizeClass::Huge),
            year: year.cloned(),
            principal: line.family.map(|family| family.principal),
            cluster,
            outlier: line.place.is_some() && cluster.is_none(),
            in_cluster: self.is_in_cluster(line),
            in_family: self.is_in_family(line),
            in_dates: self.is_in_dates(line),
            documents,
        }
    }
}
