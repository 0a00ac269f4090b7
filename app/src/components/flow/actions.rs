//! What can be filled in for each kind of step.

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use sheaf_domain::flow::{Action, ActionKind, Find, FlowSpec, Keywords, Resolve, Select, Step, Summary, What};
use sheaf_domain::{DocumentKind, ModelName};

use super::choices::{Choice, LANGUAGES};
use super::inputs::StepForm;
use super::lists;
use crate::boxed::Boxed;
use crate::words;

/// The fields of a step.
pub fn fields(form: &StepForm, spec: &FlowSpec, step: &Step) -> AnyView {
    let earlier = spec.steps.get(..form.place).unwrap_or_default();
    match &step.action {
        Action::Select(select) => of_select(form, select),
        Action::Find(find) => of_find(form, earlier, find),
        Action::Classify(classify) => lists::of_classify(form, classify),
        Action::Ask(ask) => lists::of_ask(form, ask),
        Action::Resolve(resolve) => of_resolve(form, spec, resolve),
        Action::Keywords(Keywords { count }) => form.number("count", "How many words, 1 to 100", count),
        Action::Summary(Summary { sentences }) => form.number("sentences", "How many sentences, 1 to 50", sentences),
        Action::Format(format) => lists::of_format(form, spec, format),
    }
}

/// What the instructions of a step are for.
pub const fn instructions(kind: ActionKind) -> &'static str {
    match kind {
        ActionKind::Ask => "What the model is to look for",
        ActionKind::Select
        | ActionKind::Find
        | ActionKind::Classify
        | ActionKind::Resolve
        | ActionKind::Keywords
        | ActionKind::Summary
        | ActionKind::Format => "What it is for (a note for people)",
    }
}

fn of_select(form: &StepForm, select: &Select) -> AnyView {
    let Select { kinds, languages, clusters, words, pages, sections } = select;
    let kind = |kind: DocumentKind| (kind.to_string(), kind.label().to_owned(), kinds.contains(&kind));
    let language = |code: &str| {
        (code.to_owned(), words::language(code).to_owned(), languages.iter().any(|language| language == code))
    };
    let others: Vec<&str> = languages.iter().map(String::as_str).filter(|code| !LANGUAGES.contains(code)).collect();
    view! {
        {form.ticks("kinds", "Kinds of documents", DocumentKind::ALL.into_iter().map(kind).collect())}
        {form.ticks("languages", "Languages", LANGUAGES.into_iter().map(language).collect())}
        {form.text("other_languages", "Other languages", "Codes of three letters, separated by commas.", others.join(", "))}
        {form.text("clusters", "Numbers of clusters", "Such as 1, 3; empty for all.", joined(clusters))}
        {form.text("pages", "Pages", "Such as 1-3, 7, 10-; empty for all.", joined(pages))}
        {form.area("words", "Words, of which one must be there", "One in each line; empty for all documents.", &words.join("\n"))}
        {form
            .area(
                "sections",
                "Headings of sections",
                "One in each line: only the text below one of them is seen, up to the next heading.",
                &sections.join("\n"),
            )}
    }
    .boxed()
}

fn joined<T: std::fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn of_find(form: &StepForm, earlier: &[Step], find: &Find) -> AnyView {
    let Find { what, pattern, terms, match_case, within, sentence, limit } = find;
    let whats = What::ALL.into_iter().map(|w| (w.name().to_owned(), w.label().to_owned(), w == *what)).collect();
    let finds = earlier.iter().filter(|step| step.action.kind() == ActionKind::Find);
    let mut withins: Vec<Choice> = vec![(String::new(), "anywhere".to_owned(), within.is_none())];
    withins.extend(finds.map(|step| {
        let label = format!("only in sentences in which {} found something", step.name);
        (step.name.clone(), label, within.as_ref() == Some(&step.name))
    }));
    if let Some(unknown) = within.as_ref().filter(|name| !withins.iter().any(|(known, _, _)| known == *name)) {
        withins.push((unknown.clone(), format!("{unknown} (there is no such step before)"), true));
    }
    view! {
        {form.choice("what", "Look for", whats)}
        {form.choice("within", "Where", withins)}
        <div class="only-pattern">
            {form
                .text(
                    "pattern",
                    "Pattern",
                    "A regular expression; its first group, or the one called value, is the value.",
                    pattern,
                )}
        </div>
        <div class="only-terms">{form.table("terms", "List of terms", terms)}</div>
        {form.number("limit", "The most hits in a document", limit)}
        <div class="step-field wide ticks-row">
            {form.tick("sentence", "Quote the whole sentence", *sentence)}
            {form.tick("match_case", "Capital letters count", *match_case)}
        </div>
    }
    .boxed()
}

fn of_resolve(form: &StepForm, spec: &FlowSpec, resolve: &Resolve) -> AnyView {
    let Resolve { column, table, max_edits } = resolve;
    let edits = (0..=3_u32).map(|edits| {
        let label = match edits {
            0 => "none".to_owned(),
            number => number.to_string(),
        };
        (edits.to_string(), label, edits == *max_edits)
    });
    view! {
        {form.choice("column", "What is looked up", columns(spec, form.place, column))}
        {form.choice("max_edits", "Letters by which a name may differ", edits.collect())}
        {form.table("table", "Table of identifiers", table)}
    }
    .boxed()
}

/// The columns that a step can use, the chosen one marked even where there is none of this name.
pub fn columns(spec: &FlowSpec, place: usize, chosen: &str) -> Vec<Choice> {
    let mut choices: Vec<Choice> = vec![(String::new(), "choose a column".to_owned(), chosen.is_empty())];
    choices.extend(spec.columns_before(place).into_iter().map(|column| {
        let name = column.name.to_string();
        let is_chosen = name == chosen;
        (name.clone(), name, is_chosen)
    }));
    if !choices.iter().any(|(name, _, _)| name == chosen) {
        choices.push((chosen.to_owned(), format!("{chosen} (no step before gives it)"), true));
    }
    choices
}

/// Which model compares texts.
pub fn models(chosen: ModelName) -> Vec<Choice> {
    let label = |model: ModelName| match model {
        ModelName::Accurate => "accurate",
        ModelName::Fast => "fast",
    };
    ModelName::ALL.into_iter().map(|m| (m.name().to_owned(), label(m).to_owned(), m == chosen)).collect()
}
