//! What is wrong with a flow, each problem at its step and field. Patterns and lists of terms are looked at where they are used.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::FlowSpec;
use super::ask::{Ask, FieldKind};
use super::columns::DOCUMENT;
use super::format::Format;
use super::labels::Classify;
use super::step::{Action, ActionKind, Find, Keywords, Resolve, Select, Step, Summary, What};

/// Something that has to change before a flow can be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowProblem {
    /// The place of the step from 0; absent for the flow as a whole.
    pub step: Option<u32>,
    /// The field it is about, as files call it.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// Collects problems of one step.
struct Found<'a> {
    step: Option<u32>,
    problems: &'a mut Vec<FlowProblem>,
}

impl Found<'_> {
    fn add(&mut self, field: &str, message: impl Into<String>) {
        self.problems.push(FlowProblem { step: self.step, field: field.to_owned(), message: message.into() });
    }

    fn unless(&mut self, is_right: bool, field: &str, message: &str) {
        if !is_right {
            self.add(field, message);
        }
    }
}

/// Letters, digits and `_`, beginning with a letter, at most 60.
fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && text.len() <= 60
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

const NAME_RULE: &str = "use letters, digits and _, beginning with a letter";

impl FlowSpec {
    /// All problems; a flow without any can be saved.
    pub fn check(&self) -> Vec<FlowProblem> {
        let mut problems = Vec::new();
        let mut found = Found { step: None, problems: &mut problems };
        found.unless(!self.name.trim().is_empty(), "name", "give the flow a name");
        found.unless(self.name.chars().count() <= Self::LONGEST_NAME, "name", "use at most 200 characters");
        found.unless(!self.steps.is_empty(), "steps", "add at least one step");
        found.unless(self.steps.len() <= Self::MAX_STEPS, "steps", "use at most 40 steps");
        let mut names = HashSet::new();
        let mut formats = 0;
        for (place, step) in self.steps.iter().enumerate() {
            let mut found = Found { step: u32::try_from(place).ok(), problems: &mut problems };
            if !is_name(&step.name) {
                found.add("name", NAME_RULE);
            } else if step.name == DOCUMENT {
                found.add("name", "the name `document` stands for the document itself");
            } else if !names.insert(step.name.as_str()) {
                found.add("name", format!("another step is called `{}` already", step.name));
            }
            if step.action.kind() == ActionKind::Format {
                formats += 1;
                found.unless(formats == 1, "do", "a flow has one step that formats its result");
                found.unless(place + 1 == self.steps.len(), "do", "put the step that formats the result last");
            }
            self.check_step(place, step, &mut found);
        }
        problems
    }

    fn check_step(&self, place: usize, step: &Step, found: &mut Found<'_>) {
        match &step.action {
            Action::Select(select) => check_select(select, found),
            Action::Find(find) => self.check_find(place, find, found),
            Action::Classify(classify) => check_classify(classify, found),
            Action::Ask(ask) => check_ask(step, ask, found),
            Action::Resolve(resolve) => self.check_resolve(place, resolve, found),
            Action::Keywords(Keywords { count }) => {
                found.unless((1..=100).contains(count), "count", "choose 1 to 100");
            }
            Action::Summary(Summary { sentences }) => {
                found.unless((1..=50).contains(sentences), "sentences", "choose 1 to 50");
            }
            Action::Format(format) => self.check_format(place, format, found),
        }
    }

    fn check_find(&self, place: usize, find: &Find, found: &mut Found<'_>) {
        let Find { what, pattern, terms, match_case: _, within, sentence: _, limit } = find;
        match what {
            What::Pattern => found.unless(!pattern.is_empty(), "pattern", "write the pattern to look for"),
            What::Terms => found.unless(!terms.trim().is_empty(), "terms", "give the list of terms"),
            What::Dates | What::Money | What::Emails | What::Dois | What::Genes => {}
        }
        found.unless((1..=100_000).contains(limit), "limit", "choose 1 to 100,000");
        if let Some(within) = within {
            let earlier = self.steps[..place].iter().find(|step| step.name == *within);
            let finds = earlier.is_some_and(|step| step.action.kind() == ActionKind::Find);
            found.unless(finds, "within", "name an earlier step that finds something");
        }
    }

    fn check_resolve(&self, place: usize, resolve: &Resolve, found: &mut Found<'_>) {
        let Resolve { column, table, max_edits } = resolve;
        self.check_column(place, column, "column", found);
        found.unless(!table.trim().is_empty(), "table", "give the table of identifiers");
        found.unless(*max_edits <= 3, "max_edits", "choose 0 to 3");
    }

    fn check_format(&self, place: usize, format: &Format, found: &mut Found<'_>) {
        let Format { file: _, columns, proof: _, each_document: _ } = format;
        let mut headings = HashSet::new();
        for column in columns {
            self.check_column(place, &column.from, "columns", found);
            if !headings.insert(column.heading()) {
                found.add("columns", format!("two columns are called `{}`", column.heading()));
            }
        }
    }

    fn check_column(&self, place: usize, column: &str, field: &str, found: &mut Found<'_>) {
        let known = self.columns_before(place);
        if known.iter().any(|known| known.name.to_string() == column) {
            return;
        }
        let known: Vec<String> = known.iter().map(|known| known.name.to_string()).collect();
        let known = known.join(", ");
        found.add(
            field,
            match column.trim().is_empty() {
                true => format!("choose one of the columns before this step: {known}"),
                false => format!("no step before this one gives `{column}`; there are {known}"),
            },
        );
    }
}

fn check_select(select: &Select, found: &mut Found<'_>) {
    let Select { kinds: _, languages, clusters: _, words, pages, sections } = select;
    let is_code = |code: &String| code.len() == 3 && code.chars().all(|c| c.is_ascii_lowercase());
    found.unless(languages.iter().all(is_code), "languages", "use codes of three letters, such as eng");
    found.unless(words.iter().all(|w| !w.trim().is_empty()), "words", "remove the empty line");
    found.unless(sections.iter().all(|s| !s.trim().is_empty()), "sections", "remove the empty line");
    let is_range = |range: &super::PageRange| range.from >= 1 && range.to.is_none_or(|to| to >= range.from);
    found.unless(pages.iter().all(is_range), "pages", "count pages from 1, the lower number first");
}

fn check_classify(classify: &Classify, found: &mut Found<'_>) {
    let Classify { labels, threshold, model: _ } = classify;
    found.unless(labels.len() >= 2, "labels", "give at least two labels");
    found.unless(labels.len() <= 1000, "labels", "give at most 1,000 labels");
    found.unless(labels.iter().all(|l| !l.name.trim().is_empty()), "labels", "each label needs a name");
    let mut names = HashSet::new();
    if let Some(twice) = labels.iter().find(|label| !names.insert(label.name.trim())) {
        found.add("labels", format!("the label `{}` is there twice", twice.name));
    }
    found.unless((0.0..1.0).contains(threshold), "threshold", "choose a number from 0 to below 1");
}

fn check_ask(step: &Step, ask: &Ask, found: &mut Found<'_>) {
    let Ask { fields, rows: _, max_tokens } = ask;
    found.unless(!step.instructions.trim().is_empty(), "instructions", "write what the model is to look for");
    found.unless(!fields.is_empty(), "fields", "name at least one column of the answer");
    found.unless(fields.len() <= 50, "fields", "use at most 50 columns");
    found.unless((16..=32_000).contains(max_tokens), "max_tokens", "choose 16 to 32,000");
    let mut names = HashSet::new();
    for field in fields {
        if !is_name(&field.name) {
            found.add("fields", format!("the column `{}`: {NAME_RULE}", field.name));
        } else if field.name == "lines" {
            found.add("fields", "the name `lines` is taken: by it a model says where a row stands");
        } else if !names.insert(field.name.as_str()) {
            found.add("fields", format!("the column `{}` is there twice", field.name));
        }
        let chooses = field.kind == FieldKind::Choice;
        found.unless(
            !chooses || field.choices.len() >= 2,
            "fields",
            "a column that is a choice needs two choices or more",
        );
    }
}
