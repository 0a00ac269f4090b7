//! The progress grid: a small field for each document, or for some that arrived one after the other; the fuller, the more of
//! their steps are done. It is one string of HTML, as the heatmap's cells are.

use std::fmt::Write;

use leptos::prelude::*;
use sheaf_domain::{Counts, Progress};

use crate::boxed::Boxed;
use crate::format::count;
use crate::views::GridPicture;

/// Steps in which a field is filled; `style/components/grid.css` has a class for each.
const STEPS: u32 = 8;

/// Fewer documents are seen at a glance in the list.
const FEWEST: u64 = 9;

/// The fields and what they mean. Nothing for a few documents.
#[component]
pub fn Grid(progress: RwSignal<Progress>, grid: RwSignal<GridPicture>) -> impl IntoView {
    let is_shown = Memo::new(move |_| progress.read().counts.total >= FEWEST);
    let per_field = Memo::new(move |_| grid.read().per_field);
    let label = move || summary(progress.read().counts, per_field.get());
    move || {
        is_shown.get().then(|| {
            view! {
                <section class="section" aria-labelledby="grid-title">
                    <h2 id="grid-title">"Progress"</h2>
                    <div
                        class="progress-grid"
                        role="img"
                        aria-label=label
                        data-testid="grid"
                        inner_html=move || fields(&grid.read())
                    ></div>
                    {move || view! { <Legend per_field=per_field.get() /> }}
                </section>
            }
            .boxed()
        })
    }
}

#[component]
fn Legend(per_field: u32) -> impl IntoView {
    let sample = |class: &'static str, text: &'static str| {
        view! {
            <li>
                <i class=class></i>
                {text}
            </li>
        }
    };
    let many = (per_field > 1).then(|| {
        view! {
            <p class="fine">
                {format!(
                    "A field stands for {} documents that arrived one after the other; the fuller it is, the more of them are done.",
                    count(per_field.into()),
                )}
            </p>
        }
    });
    view! {
        <div class="progress-legend">
            {many}
            <ul aria-label="What the fields mean">
                {sample("f0", "waiting")} {sample("f0 w", "in work")} {sample("f4", if per_field > 1 { "half done" } else { "read" })}
                {sample("f8", "done")} {sample("f0 x", if per_field > 1 { "some failed" } else { "failed" })}
                {sample("f0 c", "cancelled")}
            </ul>
        </div>
    }
    .boxed()
}

/// A field for each entry, in the order of arrival.
fn fields(grid: &GridPicture) -> String {
    let mut html = String::with_capacity(grid.fields.len() * 24);
    for &[documents, parsed, completed, processing, failed, cancelled] in &grid.fields {
        // Something done is seen, and something left as well.
        let (done, all) = (u64::from(parsed) + u64::from(completed), u64::from(documents) * 2);
        let fill = match u32::try_from(done * u64::from(STEPS) / all.max(1)).unwrap_or(STEPS) {
            0 if done > 0 => 1,
            fill => fill,
        };
        let in_work = if processing > 0 { " w" } else { "" };
        let mark = match (failed, cancelled) {
            (0, 0) => "",
            (0, _) if cancelled == documents => " c",
            (0, _) => "",
            (_, _) => " x",
        };
        // Writing to a string cannot fail.
        let _ = write!(html, "<i class=\"f{fill}{in_work}{mark}\"></i>");
    }
    html
}

/// The same in words.
fn summary(counts: Counts, per_field: u32) -> String {
    let Counts { total, pending, processing, completed, failed, cancelled } = counts;
    let parts = [
        (completed, "done"),
        (processing, "in work"),
        (pending, "waiting"),
        (failed, "failed"),
        (cancelled, "cancelled"),
    ];
    let parts: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{} {word}", count(*number)))
        .collect();
    let each = match per_field {
        0 | 1 => "a field for each document".to_owned(),
        many => format!("a field for every {} documents", count(many.into())),
    };
    format!("{} documents, {each}: {}", count(total), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_shows_the_steps_and_what_went_wrong() {
        let check = |field: [u32; 6], expect: &str| {
            let grid = GridPicture { per_field: field[0], fields: vec![field] };
            assert_eq!(fields(&grid), format!("<i class=\"{expect}\"></i>"), "{field:?}");
        };
        check([1, 0, 0, 0, 0, 0], "f0");
        check([1, 0, 0, 1, 0, 0], "f0 w");
        check([1, 1, 0, 0, 0, 0], "f4");
        check([1, 1, 1, 0, 0, 0], "f8");
        check([1, 0, 0, 0, 1, 0], "f0 x");
        check([1, 1, 0, 0, 0, 1], "f4 c");
        check([100, 1, 0, 0, 0, 0], "f1");
        check([100, 100, 99, 1, 0, 0], "f7 w");
        check([100, 90, 90, 0, 3, 7], "f7 x");
        check([100, 90, 90, 0, 0, 7], "f7");
    }

    #[test]
    fn the_grid_is_told_in_words() {
        let counts = Counts { total: 2000, pending: 1500, completed: 499, failed: 1, ..Counts::default() };
        assert_eq!(
            summary(counts, 5),
            "2,000 documents, a field for every 5 documents: 499 done, 1,500 waiting, 1 failed"
        );
        let counts = Counts { total: 9, completed: 9, ..Counts::default() };
        assert_eq!(summary(counts, 1), "9 documents, a field for each document: 9 done");
    }
}
