//! Steps that hold lists: labels, the columns of an answer, the columns of the result. One empty row is always there to be
//! filled in.

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use sheaf_domain::flow::{Ask, AskField, ChosenColumn, Classify, FieldKind, FileFormat, FlowSpec, Format, Label, Rows};

use super::actions::{columns, models};
use super::choices::{Choice, options};
use super::inputs::StepForm;
use crate::boxed::Boxed;
use crate::flow_form::row_field;
use crate::format::count;

pub fn of_classify(form: &StepForm, classify: &Classify) -> AnyView {
    let Classify { labels, threshold, model } = classify;
    let number = labels.len();
    let empty = if number < 2 { 2 } else { number + 1 } - number;
    let rows = labels.iter().cloned().chain(std::iter::repeat_n(Label::default(), empty));
    let rows = rows.enumerate().map(|(row, label)| of_label(form, number, row, &label)).collect_view();
    view! {
        <fieldset class="step-rows" data-list="labels">
            <legend>"Labels"</legend>
            {form.problems("labels")}
            <ol>{rows}</ol>
            {form.another("Another label")}
        </fieldset>
        {form.number("threshold", "None of these below a probability of", threshold)}
        {form.choice("model", "Texts are compared by the model", models(*model))}
    }
    .boxed()
}

fn of_label(form: &StepForm, of: usize, row: usize, label: &Label) -> AnyView {
    let name = |field: &str| row_field(form.place, "labels", row, field);
    let examples = label.examples.len() as u64;
    view! {
        <li class="step-row label-row">
            <label class="field">
                <span>"Label"</span>
                <input name=name("name") value=label.name.clone() />
            </label>
            <label class="field grow">
                <span>"What belongs to it"</span>
                <input name=name("description") value=label.description.clone() />
            </label>
            {form.row_buttons("labels", row, of, &label.name)}
            <details open=false>
                <summary>
                    {if examples == 0 { "Examples".to_owned() } else { format!("Examples ({})", count(examples)) }}
                </summary>
                <label class="field">
                    <span>"Texts that belong to it, one in each line"</span>
                    <textarea name=name("examples") rows="3">
                        {label.examples.join("\n")}
                    </textarea>
                </label>
            </details>
        </li>
    }
    .boxed()
}

pub fn of_ask(form: &StepForm, ask: &Ask) -> AnyView {
    let Ask { fields, rows, max_tokens } = ask;
    let number = fields.len();
    let lines = fields.iter().cloned().chain([AskField::default()]);
    let lines = lines.enumerate().map(|(row, field)| of_ask_field(form, number, row, &field)).collect_view();
    let how_many = [
        ("many".to_owned(), "as many rows as there are".to_owned(), *rows == Rows::Many),
        ("one".to_owned(), "one row for each document".to_owned(), *rows == Rows::One),
    ];
    view! {
        <fieldset class="step-rows" data-list="fields">
            <legend>"Columns of the answer"</legend>
            {form.problems("fields")}
            <ol>{lines}</ol>
            {form.another("Another column")}
        </fieldset>
        {form.choice("rows", "Each document gives", how_many.to_vec())}
        {form.number("max_tokens", "The most tokens of one answer", max_tokens)}
    }
    .boxed()
}

fn of_ask_field(form: &StepForm, of: usize, row: usize, field: &AskField) -> AnyView {
    let name = |part: &str| row_field(form.place, "fields", row, part);
    let kinds: Vec<Choice> = FieldKind::ALL
        .into_iter()
        .map(|kind| (kind.name().to_owned(), kind_label(kind).to_owned(), kind == field.kind))
        .collect();
    view! {
        <li class="step-row ask-row">
            <label class="field">
                <span>"Name"</span>
                <input name=name("name") value=field.name.clone() />
            </label>
            <label class="field">
                <span>"Holds"</span>
                <select name=name("kind")>{options(kinds)}</select>
            </label>
            <label class="field grow">
                <span>"What it is, for the model"</span>
                <input name=name("description") value=field.description.clone() />
            </label>
            <label class="tick">
                <input type="checkbox" name=name("required") value="yes" checked=field.required />
                <span>"required"</span>
            </label>
            {form.row_buttons("fields", row, of, &field.name)}
            <label class="field only-choice">
                <span>"Its choices, separated by commas"</span>
                <input name=name("choices") value=field.choices.join(", ") />
            </label>
        </li>
    }
    .boxed()
}

const fn kind_label(kind: FieldKind) -> &'static str {
    match kind {
        FieldKind::Text => "text",
        FieldKind::Number => "a number",
        FieldKind::Boolean => "yes or no",
        FieldKind::Date => "a day",
        FieldKind::Choice => "one of several",
    }
}

pub fn of_format(form: &StepForm, spec: &FlowSpec, format: &Format) -> AnyView {
    let Format { file, columns: chosen, proof, each_document } = format;
    let number = chosen.len();
    let rows = chosen.iter().cloned().chain([ChosenColumn::default()]);
    let rows = rows.enumerate().map(|(row, column)| of_column(form, spec, number, row, &column)).collect_view();
    let files = FileFormat::ALL.into_iter().map(|f| (f.name().to_owned(), f.name().to_uppercase(), f == *file));
    view! {
        {form.choice("file", "Kind of file", files.collect())}
        <div class="step-field ticks-row">
            {form.tick("each_document", "One file for each document, too", *each_document)}
            {form.tick("proof", "With page, quote and whether the quote is verified", *proof)}
        </div>
        <fieldset class="step-rows" data-list="columns">
            <legend>"Columns, in their order"</legend>
            {form.problems("columns")}
            {(number == 0).then(|| view! { <p class="fine">"None chosen: the result has every column."</p> })}
            <ol>{rows}</ol>
            {form.another("Another column")}
        </fieldset>
    }
    .boxed()
}

fn of_column(form: &StepForm, spec: &FlowSpec, of: usize, row: usize, column: &ChosenColumn) -> AnyView {
    let name = |part: &str| row_field(form.place, "columns", row, part);
    view! {
        <li class="step-row column-row">
            <label class="field">
                <span>"Column"</span>
                <select name=name("from")>{options(columns(spec, form.place, &column.from))}</select>
            </label>
            <label class="field grow">
                <span>"Heading"</span>
                <input name=name("name") value=column.name.clone() placeholder=column.from.clone() />
            </label>
            {form.row_buttons("columns", row, of, column.heading())}
        </li>
    }
    .boxed()
}
