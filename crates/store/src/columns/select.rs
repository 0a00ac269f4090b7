//! Which documents a query lets through.

use sheaf_domain::{
    Around, ClusterFilter, ClusterId, ConfidenceLevel, Day, DocumentId, DocumentQuery, FamilyFilter, FamilyPlace,
};

use super::load::Line;
use super::{Columns, Place};

/// A query about some columns.
pub struct Selection<'a> {
    pub(super) columns: &'a Columns,
    pub(super) query: &'a DocumentQuery,
    /// Of each line whether the query's words and ids let it through; all when absent.
    let_through: Option<Vec<bool>>,
}

impl Columns {
    /// What a query lets through. `worded` are the documents whose texts have the words of its search, which the store knows.
    pub fn select<'a>(&'a self, query: &'a DocumentQuery, worded: &[DocumentId]) -> Selection<'a> {
        let search = query.search.as_deref().filter(|search| !search.is_empty());
        let mut let_through = None;
        if let Some(search) = search {
            let mut found = self.named(search);
            for line in worded.iter().filter_map(|&document| self.line_of(document)) {
                found[line as usize] = true;
            }
            let_through = Some(found);
        }
        if !query.documents.is_empty() {
            let mut listed = vec![false; self.len()];
            for line in query.documents.iter().filter_map(|&document| self.line_of(document)) {
                listed[line as usize] = let_through.as_ref().is_none_or(|found| found[line as usize]);
            }
            let_through = Some(listed);
        }
        Selection { columns: self, query, let_through }
    }

    /// Of each line whether its path has the part, whatever the case of ASCII letters.
    fn named(&self, part: &str) -> Vec<bool> {
        let part = part.to_ascii_lowercase();
        let mut start = 0;
        let has = |line: &Line| {
            let path = self.folded.get(start..line.path_end).unwrap_or_default();
            start = line.path_end;
            path.contains(&part)
        };
        self.lines.iter().map(has).collect()
    }
}

impl Selection<'_> {
    /// Lines that match, in their order.
    pub fn lines(&self) -> Vec<u32> {
        let matching = |(number, line): (usize, &Line)| {
            (self.is_let_through(number) && self.passes(line)).then(|| u32::try_from(number).unwrap_or(u32::MAX))
        };
        self.columns.lines.iter().enumerate().filter_map(matching).collect()
    }

    /// Lines that match and are placed, by position.
    pub fn placed(&self) -> Vec<u32> {
        let matches = |line: &&u32| {
            let number = **line as usize;
            self.is_let_through(number) && self.passes(&self.columns.lines[number])
        };
        self.columns.by_position.iter().filter(matches).copied().collect()
    }

    /// A page of the documents that match, in the query's order, and how many there are in all.
    pub fn page(&self) -> (Vec<DocumentId>, u64) {
        let lines = self.lines();
        let total = lines.len() as u64;
        let page = self.cut(lines);
        (page.into_iter().filter_map(|line| self.columns.id(line)).collect(), total)
    }

    /// What comes before and after a document in the query's order; absent when it does not match.
    pub fn around(&self, document: DocumentId) -> Option<Around> {
        let at = self.columns.line_of(document)?;
        let lines = self.lines();
        lines.binary_search(&at).ok()?;
        let (mut previous, mut next, mut before) = (None::<u32>, None::<u32>, 0_u64);
        for &line in &lines {
            if self.order(line, at).is_lt() {
                before += 1;
                if previous.is_none_or(|best| self.order(best, line).is_lt()) {
                    previous = Some(line);
                }
            } else if line != at && next.is_none_or(|best| self.order(line, best).is_lt()) {
                next = Some(line);
            }
        }
        let id = |line: Option<u32>| line.and_then(|line| self.columns.id(line));
        Some(Around { previous: id(previous), next: id(next), place: before + 1, total: lines.len() as u64 })
    }

    pub(super) fn is_let_through(&self, line: usize) -> bool {
        self.let_through.as_ref().is_none_or(|lines| lines[line])
    }

    /// Whether all but the query's words and ids let a document through.
    fn passes(&self, line: &Line) -> bool {
        // Exhaustive, so that a new filter cannot be forgotten here.
        let DocumentQuery {
            cluster: _,
            status,
            kind,
            confidence,
            failure,
            language,
            family: _,
            size,
            from: _,
            to: _,
            search: _,
            documents: _,
            sort: _,
            descending: _,
            offset: _,
            limit: _,
        } = self.query;
        status.is_none_or(|status| line.status == status)
            && (kind.is_none() || line.kind == *kind)
            && (confidence.is_none() || level(line.place) == *confidence)
            && (failure.is_none() || line.failure == *failure)
            && language.as_ref().is_none_or(|language| self.columns.language(line) == Some(language))
            && size.is_none_or(|size| size.bytes().contains(&line.bytes))
            && self.is_in_cluster(line)
            && self.is_in_family(line)
            && self.is_in_dates(line)
    }

    pub(super) fn is_in_cluster(&self, line: &Line) -> bool {
        match self.query.cluster {
            None => true,
            Some(ClusterFilter::Outliers) => line.place.is_some_and(|place| place.cluster.is_none()),
            Some(ClusterFilter::Cluster(id)) => {
                line.place.is_some_and(|place| place.cluster == Some(id) || self.columns.is_in_group(id, place))
            }
        }
    }

    pub(super) fn is_in_family(&self, line: &Line) -> bool {
        let spare = matches!(line.family, Some(FamilyPlace { principal: false, .. }));
        match self.query.family {
            None => true,
            Some(FamilyFilter::Any) => line.family.is_some(),
            Some(FamilyFilter::Spare) => spare,
            Some(FamilyFilter::Collapsed) => !spare,
            Some(FamilyFilter::Family(id)) => line.family.is_some_and(|family| family.id == id),
        }
    }

    pub(super) fn is_in_dates(&self, line: &Line) -> bool {
        let DocumentQuery { from, to, .. } = self.query;
        if from.is_none() && to.is_none() {
            return true;
        }
        let date = line.date.and_then(|date| self.columns.dates.get(date as usize));
        date.is_some_and(|date| {
            from.as_ref().is_none_or(|day| cut(date, day) >= day.as_str())
                && to.as_ref().is_none_or(|day| cut(date, day) <= day.as_str())
        })
    }
}

impl Columns {
    pub(super) fn language(&self, line: &Line) -> Option<&String> {
        line.language.and_then(|language| self.languages.get(usize::from(language)))
    }

    fn is_in_group(&self, id: ClusterId, place: Place) -> bool {
        let groups = self.clustering.as_ref().map_or(&[][..], |clustering| &clustering.groups);
        groups
            .iter()
            .any(|group| group.id == id && place.position >= group.start && place.position - group.start < group.size)
    }
}

pub(super) fn level(place: Option<Place>) -> Option<ConfidenceLevel> {
    place.map(|place| ConfidenceLevel::of(place.probability))
}

/// As many characters of a date as a day has.
fn cut<'a>(date: &'a str, day: &Day) -> &'a str {
    let end = date.char_indices().nth(day.as_str().len()).map_or(date.len(), |(at, _)| at);
    &date[..end]
}
