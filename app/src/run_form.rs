//! The form that begins a run: which flow, which documents, and how much it may cost. Documents are chosen one by one, as whole
//! batches, or as what a filter lets through; each choice is one field, so that nothing is lost from page to page.

use leptos_router::params::ParamsMap;
use sheaf_domain::flow::{RunDocuments, RunSelection};
use sheaf_domain::{BatchId, DocumentId, DocumentQuery, FlowId};

use crate::filters::Filters;
use crate::flow_form::Fields;

/// Filters that a choice can have.
const FILTERS: [&str; 9] = ["q", "kind", "language", "cluster", "confidence", "family", "size", "from", "to"];

/// One choice.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    Batch(BatchId),
    Document(DocumentId),
    /// What a filter lets through of a batch.
    Part(BatchId, Filters),
}

impl Pick {
    /// As it stands in its field.
    pub fn write(&self) -> String {
        match self {
            Self::Batch(batch) => format!("batch {batch}"),
            Self::Document(document) => format!("document {document}"),
            Self::Part(batch, filters) => {
                let filters = filters.pairs().into_iter().map(|(key, value)| format!("\n{key}={value}"));
                format!("part {batch}{}", filters.collect::<String>())
            }
        }
    }

    /// Absent when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let (kind, of) = text.split_once(' ')?;
        match kind {
            "batch" => of.parse().ok().map(Self::Batch),
            "document" => of.parse().ok().map(Self::Document),
            "part" => {
                let mut lines = of.lines();
                let batch = lines.next()?.parse().ok()?;
                let pairs = lines.filter_map(|line| line.split_once('='));
                let params: ParamsMap = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
                Some(Self::Part(batch, narrowing(&params)))
            }
            _ => None,
        }
    }
}

/// The filters of these parameters that narrow a choice.
fn narrowing(params: &ParamsMap) -> Filters {
    let only: ParamsMap = FILTERS.iter().filter_map(|key| Some((*key, params.get(key)?))).collect();
    Filters::read(&only)
}

/// What the button asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Act {
    /// Only look at it, with an estimate.
    #[default]
    Look,
    Start,
    /// Look for documents.
    Find,
    /// Choose everything that the filter lets through.
    AddAll,
    /// Take a choice back, by its place.
    Drop(usize),
}

/// What was filled in.
#[derive(Clone, Debug, Default)]
pub struct RunForm {
    pub flow: Option<FlowId>,
    pub name: String,
    pub picks: Vec<Pick>,
    pub budget_tokens: String,
    pub budget_money: String,
    /// What is looked for in the library.
    pub within: Option<BatchId>,
    pub filters: Filters,
    /// Whether it was looked for, and documents are listed rather than batches.
    pub is_finding: bool,
    pub act: Act,
}

impl RunForm {
    /// Reads the fields of the form.
    pub fn read(fields: &Fields) -> Self {
        let params: ParamsMap = FILTERS.iter().chain(&["page"]).map(|key| (*key, fields.text(key))).collect();
        let mut form = Self {
            flow: fields.text("flow").parse().ok(),
            name: fields.text("name"),
            picks: fields.values("pick").chain(fields.values("add")).filter_map(Pick::read).collect(),
            budget_tokens: fields.text("budget_tokens"),
            budget_money: fields.text("budget_money"),
            within: fields.text("in").parse().ok(),
            filters: Filters { page: Filters::read(&params).page, ..narrowing(&params) },
            is_finding: fields.has("finding"),
            act: act(&fields.text("act")),
        };
        form.apply();
        form
    }

    /// Reads an address: `flow`, and `batch` with the filters of its page, or `documents` with their ids.
    pub fn of_address(params: &ParamsMap) -> Self {
        let parsed = |key: &str| params.get(key).filter(|text| !text.is_empty());
        let batch: Option<BatchId> = parsed("batch").and_then(|text| text.parse().ok());
        let filters = narrowing(params);
        let pick = batch.map(|batch| match filters.is_narrowed() {
            true => Pick::Part(batch, filters),
            false => Pick::Batch(batch),
        });
        let ids = [parsed("document"), parsed("documents")].into_iter().flatten().collect::<Vec<_>>().join(",");
        let documents: Vec<Pick> = ids.split(',').filter_map(|id| id.parse().ok()).map(Pick::Document).collect();
        Self {
            flow: parsed("flow").and_then(|text| text.parse().ok()),
            picks: if documents.is_empty() { pick.into_iter().collect() } else { documents },
            ..Self::default()
        }
    }

    fn apply(&mut self) {
        match self.act {
            Act::Find => {
                self.is_finding = true;
                self.filters.page = 0;
            }
            Act::AddAll => {
                if let Some(batch) = self.within {
                    let filters = Filters { page: 0, ..self.filters.clone() };
                    let pick = if filters.is_narrowed() { Pick::Part(batch, filters) } else { Pick::Batch(batch) };
                    self.picks.push(pick);
                }
            }
            Act::Drop(place) if place < self.picks.len() => {
                self.picks.remove(place);
            }
            Act::Look | Act::Start | Act::Drop(_) => {}
        }
        let mut once = Vec::new();
        for pick in self.picks.drain(..) {
            if !once.contains(&pick) {
                once.push(pick);
            }
        }
        self.picks = once;
    }

    /// The documents of a request.
    pub fn documents(&self) -> RunDocuments {
        let mut wanted = RunDocuments::default();
        for pick in &self.picks {
            match pick {
                Pick::Batch(batch) => wanted.batches.push(*batch),
                Pick::Document(document) => wanted.documents.push(*document),
                Pick::Part(batch, filters) => {
                    let filter = DocumentQuery { offset: 0, limit: 0, ..filters.document_query() };
                    wanted.selections.push(RunSelection { batch: *batch, filter });
                }
            }
        }
        wanted
    }

    /// Whether a document was chosen by itself.
    pub fn has(&self, document: DocumentId) -> bool {
        self.picks.contains(&Pick::Document(document))
    }
}

fn act(text: &str) -> Act {
    match text.split_once(' ') {
        Some(("drop", place)) => place.parse().map_or(Act::Look, Act::Drop),
        Some(_) => Act::Look,
        None if text == "start" => Act::Start,
        None if text == "find" => Act::Find,
        None if text == "all" => Act::AddAll,
        None => Act::Look,
    }
}

#[cfg(test)]
mod tests {
    use sheaf_domain::DocumentKind;

    use super::*;

    const BATCH: &str = "018f0000-0000-7000-8000-000000000001";
    const DOCUMENT: &str = "018f0000-0000-7000-8000-000000000002";

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn choices_come_back_as_they_were_written() {
        let batch = BATCH.parse().expect("an id");
        let filters =
            Filters { kind: Some(DocumentKind::Pdf), search: Some("a=b & c".to_owned()), ..Filters::default() };
        for pick in [Pick::Batch(batch), Pick::Document(DOCUMENT.parse().expect("an id")), Pick::Part(batch, filters)] {
            assert_eq!(Pick::read(&pick.write()), Some(pick));
        }
        for wrong in ["", "batch", "batch x", "other 1"] {
            assert_eq!(Pick::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn choices_are_added_once_and_taken_back() {
        let (batch, document) = (format!("batch {BATCH}"), format!("document {DOCUMENT}"));
        let check = |more: &[(&str, &str)], expect: usize| {
            let mut pairs = vec![("pick", batch.as_str()), ("add", document.as_str()), ("add", document.as_str())];
            pairs.extend(more);
            assert_eq!(RunForm::read(&fields(&pairs)).picks.len(), expect, "{more:?}");
        };
        check(&[], 2);
        check(&[("act", "drop 0")], 1);
        check(&[("act", "drop 7")], 2);
        check(&[("act", "all"), ("in", BATCH)], 2);
        check(&[("act", "all"), ("in", BATCH), ("kind", "pdf")], 3);
    }

    #[test]
    fn a_batch_comes_with_the_filters_of_its_page() {
        let params: ParamsMap = [("batch", BATCH), ("kind", "pdf"), ("page", "3")].into_iter().collect();
        let form = RunForm::of_address(&params);
        let wanted = form.documents();
        assert_eq!((wanted.batches.len(), wanted.selections.len()), (0, 1));
        assert_eq!(wanted.selections[0].filter.kind, Some(DocumentKind::Pdf));
        assert_eq!(wanted.selections[0].filter.offset, 0);
    }
}
