//! How far each stage is, and how fast it goes.

use leptos::prelude::*;
use sheaf_domain::{Progress, Stage, StageCounts};

use super::estimate::rate;
use crate::boxed::Boxed;
use crate::format::count;

/// Where there is no number.
const NOTHING: &str = "\u{2013}";

/// A row for each stage.
#[component]
pub fn Stages(progress: RwSignal<Progress>) -> impl IntoView {
    let row = move |stage: Stage| {
        let cell = move |read: fn(&StageCounts) -> String| {
            move || {
                let progress = progress.read();
                progress.stages.iter().find(|counts| counts.stage == stage).map_or_else(|| NOTHING.to_owned(), read)
            }
        };
        view! {
            <tr data-testid="stage" data-stage=stage.name()>
                <th scope="row">{stage.label()}</th>
                <td>{cell(|counts| number(counts, counts.pending))}</td>
                <td>{cell(|counts| number(counts, counts.processing))}</td>
                <td>{cell(|counts| number(counts, counts.done))}</td>
                <td>{cell(|counts| speed(counts, counts.rate))}</td>
                <td>{cell(|counts| speed(counts, counts.average_rate))}</td>
            </tr>
        }
    };
    view! {
        <table class="stages">
            <caption class="unseen">"Documents by stage, and documents finished at each"</caption>
            <thead>
                <tr>
                    <th scope="col">"Stage"</th>
                    <th scope="col">"Waiting"</th>
                    <th scope="col">"In work"</th>
                    <th scope="col">"Done"</th>
                    <th scope="col">"Now"</th>
                    <th scope="col">"Overall"</th>
                </tr>
            </thead>
            <tbody>{Stage::ALL.map(row)}</tbody>
        </table>
    }
    .boxed()
}

/// The grouping is one job, which is there only when all else is done.
fn number(counts: &StageCounts, documents: u64) -> String {
    let is_absent = counts.stage == Stage::Analyse && counts.pending + counts.processing + counts.done == 0;
    if is_absent { NOTHING.to_owned() } else { count(documents) }
}

fn speed(counts: &StageCounts, a_second: Option<f32>) -> String {
    match (counts.stage, a_second) {
        (Stage::Parse | Stage::Embed, Some(a_second)) => rate(a_second),
        (Stage::Parse | Stage::Embed, None) | (Stage::Analyse, _) => NOTHING.to_owned(),
    }
}
