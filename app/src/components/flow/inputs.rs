//! Fields of a step: each with its label, what it is for, and what is wrong with it.

use std::fmt::Display;

use leptos::prelude::*;
use leptos::tachys::view::any_view::AnyView;
use sheaf_domain::flow::FlowProblem;

use super::choices::{Choice, options};
use crate::boxed::Boxed;
use crate::flow_form::{self, Typed};

/// The fields of one step.
#[derive(Clone, Debug)]
pub struct StepForm {
    pub place: usize,
    /// The step's own.
    pub problems: Vec<FlowProblem>,
    pub typed: Typed,
}

impl StepForm {
    /// The name of a field.
    pub fn name(&self, field: &str) -> String {
        flow_form::field(self.place, field)
    }

    /// What stands in a field: what was typed where it could not be read.
    fn value(&self, field: &str, value: impl Display) -> String {
        self.typed.get(&self.name(field)).cloned().unwrap_or_else(|| value.to_string())
    }

    fn has_problem(&self, field: &str) -> bool {
        self.problems.iter().any(|problem| problem.field == field)
    }

    /// The id of what is wrong with a field, for those who do not see it.
    fn described(&self, field: &str) -> Option<String> {
        self.has_problem(field).then(|| format!("p{}-{field}", self.place))
    }

    /// What is wrong with a field.
    pub fn problems(&self, field: &str) -> AnyView {
        let id = self.described(field);
        let messages: Vec<String> = self
            .problems
            .iter()
            .filter(|problem| problem.field == field)
            .map(|problem| problem.message.clone())
            .collect();
        id.map(|id| {
            view! {
                <p class="field-problem" id=id role="alert" data-testid="problem">
                    {messages.join("; ")}
                </p>
            }
        })
        .boxed()
    }

    /// One line of text.
    pub fn text(&self, field: &'static str, label: &'static str, hint: &'static str, value: impl Display) -> AnyView {
        let described = self.described(field);
        view! {
            <div class="step-field">
                <label class="field">
                    <span>{label}</span>
                    <input
                        name=self.name(field)
                        value=self.value(field, value)
                        aria-invalid=described.as_ref().map(|_| "true")
                        aria-describedby=described
                    />
                </label>
                {(!hint.is_empty()).then(|| view! { <p class="fine">{hint}</p> })}
                {self.problems(field)}
            </div>
        }
        .boxed()
    }

    /// A number, which is short.
    pub fn number(&self, field: &'static str, label: &'static str, value: impl Display) -> AnyView {
        let described = self.described(field);
        view! {
            <div class="step-field short">
                <label class="field">
                    <span>{label}</span>
                    <input
                        inputmode="decimal"
                        name=self.name(field)
                        value=self.value(field, value)
                        aria-invalid=described.as_ref().map(|_| "true")
                        aria-describedby=described
                    />
                </label>
                {self.problems(field)}
            </div>
        }
        .boxed()
    }

    /// Several lines of text.
    pub fn area(&self, field: &'static str, label: &'static str, hint: &'static str, value: &str) -> AnyView {
        let described = self.described(field);
        let rows = value.lines().count().clamp(2, 10).to_string();
        view! {
            <div class="step-field wide">
                <label class="field">
                    <span>{label}</span>
                    <textarea
                        name=self.name(field)
                        rows=rows
                        aria-invalid=described.as_ref().map(|_| "true")
                        aria-describedby=described
                    >
                        {value.to_owned()}
                    </textarea>
                </label>
                {(!hint.is_empty()).then(|| view! { <p class="fine">{hint}</p> })}
                {self.problems(field)}
            </div>
        }
        .boxed()
    }

    /// One of several.
    pub fn choice(&self, field: &'static str, label: &'static str, choices: Vec<Choice>) -> AnyView {
        let described = self.described(field);
        view! {
            <div class="step-field">
                <label class="field">
                    <span>{label}</span>
                    <select
                        name=self.name(field)
                        aria-invalid=described.as_ref().map(|_| "true")
                        aria-describedby=described
                    >
                        {options(choices)}
                    </select>
                </label>
                {self.problems(field)}
            </div>
        }
        .boxed()
    }

    /// Yes or no.
    pub fn tick(&self, field: &str, label: &'static str, is_on: bool) -> AnyView {
        view! {
            <label class="tick">
                <input type="checkbox" name=self.name(field) value="yes" checked=is_on />
                <span>{label}</span>
            </label>
        }
        .boxed()
    }

    /// Any of several; shown behind a heading, with what is chosen in it.
    pub fn ticks(&self, field: &str, legend: &'static str, choices: Vec<Choice>) -> AnyView {
        let chosen: Vec<&str> =
            choices.iter().filter(|(_, _, is_on)| *is_on).map(|(_, label, _)| label.as_str()).collect();
        let chosen = if chosen.is_empty() { "any".to_owned() } else { chosen.join(", ") };
        let name = self.name(field);
        view! {
            <details class="step-field ticks">
                <summary>{legend}": "<span class="fine">{chosen}</span></summary>
                <fieldset>
                    <legend class="hidden">{legend}</legend>
                    {choices
                        .into_iter()
                        .map(|(value, label, is_on)| {
                            view! {
                                <label class="tick">
                                    <input type="checkbox" name=name.clone() value=value checked=is_on />
                                    <span>{label}</span>
                                </label>
                            }
                        })
                        .collect_view()}
                </fieldset>
                {self.problems(field)}
            </details>
        }
        .boxed()
    }

    /// A table of `id,term,synonyms`: pasted, or a file in its place.
    pub fn table(&self, field: &'static str, label: &'static str, value: &str) -> AnyView {
        let lines = value.lines().count().saturating_sub(1) as u64;
        let described = self.described(field);
        let name = self.name(field);
        view! {
            <div class="step-field wide">
                <label class="field">
                    <span>{label}</span>
                    <input type="file" name=name.clone() accept=".csv,.tsv,.txt,text/csv,text/plain" aria-describedby=described />
                </label>
                <p class="fine">
                    "A CSV with the heading id,term,synonyms; several synonyms are separated by |. A chosen file takes the place of what is there."
                </p>
                {self.problems(field)}
                <details open=lines == 0>
                    <summary>
                        {if lines == 0 {
                            "Or write it here".to_owned()
                        } else {
                            crate::format::counted(lines, "entry", "entries")
                        }}
                    </summary>
                    <label class="field">
                        <span>"Its text"</span>
                        <textarea name=name rows="6" spellcheck="false" class="code" placeholder="id,term,synonyms">
                            {value.to_owned()}
                        </textarea>
                    </label>
                </details>
            </div>
        }
        .boxed()
    }

    /// Buttons for a row of a list: up, down, away.
    pub fn row_buttons(&self, list: &'static str, row: usize, of: usize, what: &str) -> AnyView {
        let button = |verb: &str, sign: &'static str, label: String, is_off: bool| {
            view! {
                <button
                    class="button quiet small"
                    type="submit"
                    name="change"
                    value=format!("{verb}:{}:{list}:{row}", self.place)
                    formaction=format!("/flows/draft#s{}", self.place)
                    aria-label=label.clone()
                    title=label
                    disabled=is_off
                >
                    {sign}
                </button>
            }
        };
        let name = if what.is_empty() { format!("row {}", row + 1) } else { what.to_owned() };
        view! {
            <span class="row-buttons">
                {button("rowup", "\u{2191}", format!("Move {name} up"), row == 0)}
                {button("rowdown", "\u{2193}", format!("Move {name} down"), row + 1 >= of)}
                {button("drop", "\u{00d7}", format!("Remove {name}"), row >= of)}
            </span>
        }
        .boxed()
    }

    /// The button that makes room for another row.
    pub fn another(&self, text: &'static str) -> AnyView {
        view! {
            <button
                class="button quiet small"
                type="submit"
                name="change"
                value="check"
                formaction=format!("/flows/draft#s{}", self.place)
            >
                {text}
            </button>
        }
        .boxed()
    }
}
