//! The questions before a run is stopped or deleted. Their answers are plain forms.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use sheaf_domain::RunId;
use sheaf_domain::flow::FlowRun;

use crate::boxed::Boxed;
use crate::components::failure::FailurePage;
use crate::components::run::question::Question;
use crate::errors::AppError;
use crate::format::{count, counted};
use crate::routes::path_param;
use crate::server_fns::front_door::{engine, respond};

async fn read(id: Option<RunId>) -> Result<FlowRun, AppError> {
    let id = id.ok_or_else(|| AppError::not_found("run"))?;
    respond(engine()?.run(id).await)
}

/// `/runs/:id/cancel`
#[component]
pub fn CancelRun() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    view! {
        <Title text="Stop a run" />
        <Suspense>
            {Suspend::new(async move {
                match read(id).await {
                    Ok(run) => {
                        let left = run.counts.pending + run.counts.processing;
                        let said = format!(
                            "{} and what was found in them stay. {} will be cancelled; you can go on later.",
                            counted(run.counts.completed, "document that is done", "documents that are done"),
                            count(left),
                        );
                        Either::Left(
                            view! {
                                <Question run=run.id name=run.name title="Stop this run?" said act="cancel" yes="Stop the run" no="Let it go on" />
                            },
                        )
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}

/// `/runs/:id/delete`
#[component]
pub fn DeleteRun() -> impl IntoView {
    let id = path_param::<RunId>("id").get_untracked();
    view! {
        <Title text="Delete a run" />
        <Suspense>
            {Suspend::new(async move {
                match read(id).await {
                    Ok(run) => {
                        let said = format!(
                            "{} and every review of them are deleted with it. The documents and the flow stay.",
                            counted(run.values, "value", "values"),
                        );
                        Either::Left(
                            view! {
                                <Question run=run.id name=run.name title="Delete this run?" said act="delete" yes="Delete the run" no="Keep it" />
                            },
                        )
                    }
                    Err(error) => Either::Right(view! { <FailurePage failure=error.0 /> }),
                }
            })}
        </Suspense>
    }
    .boxed()
}
