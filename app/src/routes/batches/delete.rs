//! The question before a batch is deleted: what goes with it and what stays. The answer is a plain form.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::flow::BatchUse;
use sheaf_domain::{Batch, BatchId};

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::errors::AppError;
use crate::format::{counted, date_time};
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

/// `/batches/{id}/delete`
#[component]
pub fn DeleteBatch() -> impl IntoView {
    let id = path_param::<BatchId>("id").get_untracked();
    let read = async move {
        let engine = engine()?;
        let batch = respond(engine.batch(id.ok_or_else(|| AppError::not_found("batch"))?).await)?;
        let used = respond(engine.use_of_batch(batch.id).await)?;
        Ok::<_, AppError>((batch, used))
    };
    view! {
        <Title text="Delete a batch" />
        <Suspense>
            {Suspend::new(async move {
                match read.await {
                    Ok((batch, used)) => Either::Left(view! { <Question batch used /> }),
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

#[component]
fn Question(batch: Batch, used: BatchUse) -> impl IntoView {
    let documents = counted(batch.counts.total, "document", "documents");
    let running = !batch.status.is_final();
    view! {
        <div class="page narrow">
            <p class="crumbs">
                <a href="/">"Batches"</a>
            </p>
            <h1>"Delete this batch?"</h1>
            <p class="lede">
                <bdi>{batch.name}</bdi>
                {format!(", {documents}, added on {}.", date_time(batch.created_at))}
            </p>
            <p>
                "Its documents, their text and the results are removed from this machine. Your own copies of the files \
                are not touched. This cannot be undone."
            </p>
            {running.then(|| view! { <p>"It is still being analysed; deleting it stops that."</p> })}
            {of_runs(used, "its documents").map(|said| view! { <p data-testid="used-by-runs">{said}</p> })}
            <form class="actions" method="post" action=format!("/batches/{}/delete", batch.id)>
                <button class="button danger" type="submit" data-testid="confirm-delete">
                    {format!("Delete {documents}")}
                </button>
                <a class="button quiet" href=format!("/batches/{}", batch.id)>
                    "Keep it"
                </a>
            </form>
        </div>
    }
    .boxed()
}

/// What becomes of what runs have to do with it, or with some of its documents.
pub(super) fn of_runs(BatchUse { runs, values, waiting }: BatchUse, whose: &str) -> Option<String> {
    if runs == 0 {
        return None;
    }
    let mut said = format!(
        "{} used {whose}. What they found stays, with quotes and the names of the documents ({}); delete a run to remove \
         that too. What a model was sent about these documents is removed.",
        counted(runs, "run", "runs"),
        counted(values, "value", "values"),
    );
    if waiting > 0 {
        let documents = counted(waiting, "document that waits in a run", "documents that wait in runs");
        said.push_str(&format!(" {documents} will be cancelled."));
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_and_what_goes_is_said() {
        assert_eq!(of_runs(BatchUse::default(), "its documents"), None);
        let said = of_runs(BatchUse { runs: 2, values: 1, waiting: 3 }, "its documents").expect("it is used");
        assert!(said.starts_with("2 runs used its documents.") && said.contains("(1 value)"), "{said}");
        assert!(said.ends_with("3 documents that wait in runs will be cancelled."), "{said}");
    }
}
