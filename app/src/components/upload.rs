//! Adding documents. Without JavaScript it is a plain form; with it, files and folders can be dropped anywhere on the
//! page, looked over, and sent with a bar; a lost connection costs nothing, and an upload that was interrupted goes on.

mod add;
mod chooser;
mod unfinished;

mod entries;
mod pile;
mod sending;
mod settings;
mod transfer;

mod call;
mod compare;
mod group;
mod send;

use leptos::ev::SubmitEvent;
use leptos::html::Form;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use leptos_router::hooks::use_navigate;
use sheaf_domain::Failure;
use web_sys::{FormData, HtmlFormElement};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use chooser::{DropField, accept_drops};
use pile::{Picked, Pile, PileView};
use send::{Course, Ended, Goal};
use sending::Sending;
use settings::Settings;
use transfer::Transfer;

pub use add::AddDocuments;
pub use unfinished::Unfinished;

/// What the form is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Files are being chosen; there may be a failure from the last try.
    Choosing(Option<Failure>),
    /// Bytes are on their way.
    Sending(Transfer),
}

impl Phase {
    pub const fn is_sending(&self) -> bool {
        matches!(self, Self::Sending(_))
    }
}

/// Uploads of a page: at most one is under way, and it ends when the page is left.
#[derive(Clone, Copy)]
struct Uploads {
    phase: RwSignal<Phase>,
    course: StoredValue<Option<Course>>,
}

impl Uploads {
    fn new() -> Self {
        let uploads = Self { phase: RwSignal::new(Phase::Choosing(None)), course: StoredValue::new(None) };
        on_cleanup(move || uploads.end(Course::leave));
        uploads
    }

    /// Ends what is under way.
    fn end(&self, end: fn(&Course)) {
        if let Some(Some(course)) = self.course.try_update_value(Option::take) {
            end(&course);
        }
    }

    /// Sends files; `on_ended` is called unless there is a failure to show.
    fn start(self, goal: Goal, files: Vec<Picked>, on_ended: impl FnOnce(Ended) + 'static) {
        if self.phase.read_untracked().is_sending() {
            return;
        }
        let course = Course::new(self.phase);
        self.course.set_value(Some(course.clone()));
        spawn_local(async move {
            match course.run(goal, files).await {
                Ok(ended) => {
                    if !matches!(ended, Ended::All(_)) {
                        // The page may have been left in the meantime.
                        self.phase.try_set(Phase::Choosing(None));
                    }
                    on_ended(ended);
                }
                Err(failure) => drop(self.phase.try_set(Phase::Choosing(Some(failure)))),
            }
        });
    }

    /// The bar while something is sent, or the failure of the last try.
    fn state(self, stop: &'static str) -> impl Fn() -> Option<AnyView> {
        let cancel = Callback::new(move |()| self.end(Course::stop));
        move || match self.phase.get() {
            Phase::Sending(transfer) => Some(view! { <Sending transfer stop cancel /> }.into_any()),
            Phase::Choosing(Some(failure)) => Some(view! { <FailureView failure /> }.into_any()),
            Phase::Choosing(None) => None,
        }
    }
}

/// `form#upload`
#[component]
pub fn UploadForm() -> impl IntoView {
    let pile = RwSignal::new(Pile::default());
    let uploads = Uploads::new();
    let (over, set_over) = signal(false);
    let (alive, set_alive) = signal(false);
    let form = NodeRef::<Form>::new();
    Effect::new(move |_| set_alive.set(true));

    let add = Callback::new(move |picked: Vec<Picked>| pile.update(|pile| pile.add(picked)));
    accept_drops(set_over, add);
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = form.get_untracked() else { return };
        if pile.read_untracked().is_empty() {
            return;
        }
        let navigate = navigate.clone();
        let goal = Goal::NewBatch(fields(form.unchecked_ref::<HtmlFormElement>()));
        uploads.start(goal, pile.read_untracked().files().to_vec(), move |ended| {
            if let Ended::All(batch) = ended {
                navigate(&format!("/batches/{batch}"), leptos_router::NavigateOptions::default());
            }
        });
    };
    let sending = move || uploads.phase.read().is_sending();
    view! {
        <form
            id="upload"
            class="upload"
            class:over=over
            method="post"
            enctype="multipart/form-data"
            action="/batches"
            node_ref=form
            on:submit=on_submit
        >
            <Settings disabled=Signal::derive(sending) />
            <div class="upload-files">
                <DropField add hidden=Signal::derive(sending) />
                <PileView pile hidden=Signal::derive(sending) />
                {uploads.state("Stop the upload")}
                <div class="upload-go" hidden=sending>
                    <p class="fine">{move || pile.read().summary()}</p>
                    <button class="button primary" type="submit" disabled=move || alive.get() && pile.read().is_empty()>
                        "Analyse"
                    </button>
                </div>
            </div>
            <DropVeil />
        </form>
    }
    .boxed()
}

/// Covers the page while something is dragged over it.
#[component]
fn DropVeil() -> impl IntoView {
    view! {
        <div class="drop-veil" aria-hidden="true">
            "Drop to add"
        </div>
    }
    .boxed()
}

/// The fields of a form by their names, without its files.
fn fields(form: &HtmlFormElement) -> serde_json::Map<String, serde_json::Value> {
    let Ok(data) = FormData::new_with_form(form) else { return serde_json::Map::new() };
    let entries = js_sys::try_iter(&data).ok().flatten().into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let pair = js_sys::Array::from(&entry);
            Some((pair.get(0).as_string()?, pair.get(1).as_string()?.into()))
        })
        .collect()
}
