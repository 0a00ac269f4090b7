//! What a step gave for the document that the flow is tried on.

use leptos::prelude::*;
use sheaf_domain::flow::{ActionKind, FoundValue};
use sheaf_domain::{BatchId, DocumentId};
use sheaf_engine::{StepTrial, TrialTable};

use super::evidence::Proof;
use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use crate::components::run::table::ResultTable;
use crate::format::{count, counted};

/// Rows that are shown.
const SHOWN: usize = 6;

#[component]
pub fn Tried(trial: StepTrial, batch: BatchId, document: DocumentId) -> impl IntoView {
    let StepTrial {
        step: _,
        name: _,
        kind,
        values,
        tokens,
        seconds,
        characters,
        left_out,
        accuracy: _,
        failure,
        table,
    } = trial;
    let rows = rows(values);
    let total = rows.len();
    let said = match (left_out, kind) {
        (true, _) => "The document is left out here; the steps below do nothing to it.".to_owned(),
        (false, ActionKind::Select) => format!("{} of text are left.", counted(characters, "character", "characters")),
        (false, ActionKind::Format) => {
            let rows = table.as_ref().map_or(0, |table| table.rows.len());
            format!("{} of the result", counted(rows as u64, "row", "rows"))
        }
        (false, _) if failure.is_some() => String::new(),
        (false, _) if total == 0 => "It found nothing here.".to_owned(),
        (false, _) => counted(total as u64, "row", "rows"),
    };
    let cost = match (kind, tokens) {
        (ActionKind::Format, _) => String::new(),
        (_, 0) => format!("{seconds:.2} s"),
        (_, tokens) => format!("{seconds:.2} s, {} tokens", count(tokens)),
    };
    let row = |row: Vec<FoundValue>| {
        let first = row.first().cloned().unwrap_or_default();
        let cell = |value: FoundValue| {
            view! {
                <dt>{value.field}</dt>
                <dd>
                    <bdi>{value.value}</bdi>
                </dd>
            }
        };
        view! {
            <li>
                <dl>{row.into_iter().map(cell).collect_view()}</dl>
                <Proof batch document found=first stands=true />
            </li>
        }
    };
    view! {
        <div class="tried" data-testid="tried">
            <p class="tried-head">
                <span>{said}</span>
                <span class="fine tabular">{cost}</span>
            </p>
            {failure.map(|failure| view! { <FailureView failure /> })}
            <ol class="tried-rows">{rows.into_iter().take(SHOWN).map(row).collect_view()}</ol>
            {(total > SHOWN)
                .then(|| view! { <p class="fine">{format!("and {} more", count((total - SHOWN) as u64))}</p> })}
            {table.map(|table| view! { <Result table /> })}
        </div>
    }
    .boxed()
}

/// The document's rows of the result, as the file will have them.
#[component]
fn Result(table: TrialTable) -> impl IntoView {
    let TrialTable { columns, rows } = table;
    let more = rows.len().saturating_sub(SHOWN);
    let row = |cells: Vec<String>| view! { <tr>{cells.into_iter().map(|cell| view! { <td><bdi>{cell}</bdi></td> }).collect_view()}</tr> };
    view! {
        <ResultTable columns rows=rows.into_iter().take(SHOWN).map(row).collect_view().into_any() small=true />
        {(more > 0).then(|| view! { <p class="fine">{format!("and {} more", count(more as u64))}</p> })}
    }
    .boxed()
}

/// Values of one row belong together.
fn rows(values: Vec<FoundValue>) -> Vec<Vec<FoundValue>> {
    let mut rows: Vec<Vec<FoundValue>> = Vec::new();
    for value in values {
        match rows.last_mut() {
            Some(row) if row.first().is_some_and(|first| first.row == value.row) => row.push(value),
            Some(_) | None => rows.push(vec![value]),
        }
    }
    rows
}
