//! Adding documents. Without JavaScript it is a plain form; with it, files and folders can be dropped anywhere on the
//! page, looked over, and sent with a bar.

mod entries;
mod pile;
mod send;
mod sending;
mod settings;
mod transfer;

use leptos::attr::custom::custom_attribute;
use leptos::ev::{self, SubmitEvent};
use leptos::html::{Form, Input};
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use leptos_router::hooks::use_navigate;
use sheaf_domain::Failure;
use web_sys::{DragEvent, Event, FileList, HtmlFormElement, HtmlInputElement};

use crate::boxed::Boxed;
use crate::components::failure::FailureView;
use entries::dropped_files;
use pile::{Picked, Pile, PileView};
use send::{Request, send};
use sending::Sending;
use settings::Settings;
use transfer::Transfer;

/// What the form is doing.
#[derive(Clone, Debug, PartialEq)]
pub enum Phase {
    /// Files are being chosen; there may be a failure from the last try.
    Choosing(Option<Failure>),
    /// Bytes are on their way.
    Sending(Transfer),
}

/// `form#upload`
#[component]
pub fn UploadForm() -> impl IntoView {
    let pile = RwSignal::new(Pile::default());
    let phase = RwSignal::new(Phase::Choosing(None));
    let request = StoredValue::new(None::<Request>);
    let (over, set_over) = signal(false);
    let (alive, set_alive) = signal(false);
    let form = NodeRef::<Form>::new();
    let native = NodeRef::<Input>::new();

    let add = move |picked: Vec<Picked>| pile.update(|pile| pile.add(picked));
    Effect::new(move |_| {
        set_alive.set(true);
        // Files that were chosen before the page came alive.
        if let Some(files) = native.get_untracked().and_then(|input| input.files()) {
            add(pile::from_list(&files));
        }
    });
    accept_drops(set_over, Callback::new(add));

    let on_choose = move |event: Event| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else { return };
        add(input.files().as_ref().map(|files: &FileList| pile::from_list(files)).unwrap_or_default());
        // So that the same file can be chosen again after it was removed.
        input.set_value("");
    };
    let navigate = use_navigate();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = form.get_untracked() else { return };
        if pile.read_untracked().is_empty() || matches!(*phase.read_untracked(), Phase::Sending(_)) {
            return;
        }
        let navigate = navigate.clone();
        let started = pile.with_untracked(|pile| {
            send(form.unchecked_ref::<HtmlFormElement>(), pile, phase, move |id| {
                navigate(&format!("/batches/{id}"), leptos_router::NavigateOptions::default());
            })
        });
        match started {
            Ok(started) => request.set_value(Some(started)),
            Err(failure) => phase.set(Phase::Choosing(Some(failure))),
        }
    };
    let cancel = Callback::new(move |()| {
        if let Some(Some(request)) = request.try_update_value(Option::take) {
            request.abort();
        }
        phase.set(Phase::Choosing(None));
    });
    let folders = custom_attribute("webkitdirectory", "");
    let sending = move || matches!(*phase.read(), Phase::Sending(_));
    let failure = move || match phase.get() {
        Phase::Choosing(failure) => failure,
        Phase::Sending(_) => None,
    };
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
                <div class="drop" hidden=sending>
                    <svg class="drop-mark" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">
                        <path d="M12 6h17l9 9v27H12z" />
                        <path d="M29 6v9h9" />
                        <path class="drop-arrow" d="M25 36V22M19 28l6-6 6 6" />
                    </svg>
                    <p class="drop-title">"Drop a folder, files or a ZIP anywhere on this page"</p>
                    <p class="fine">"PDF, Word, e-mail, web pages, Markdown, CSV, JSON and plain text"</p>
                    <div class="drop-buttons">
                        <label class="button quiet pick">
                            <span>"Choose files"</span>
                            <input
                                type="file"
                                name="files"
                                multiple
                                node_ref=native
                                required=move || !alive.get()
                                on:change=on_choose
                            />
                        </label>
                        <label class="button quiet pick needs-script">
                            <span>"Choose a folder"</span>
                            <input type="file" multiple {..folders} on:change=on_choose />
                        </label>
                    </div>
                </div>
                <PileView pile hidden=Signal::derive(sending) />
                {move || match phase.get() {
                    Phase::Sending(transfer) => Some(view! { <Sending transfer cancel /> }),
                    Phase::Choosing(_) => None,
                }}
                {move || failure().map(|failure| view! { <FailureView failure /> })}
                <div class="upload-go" hidden=sending>
                    <p class="fine">{move || pile.read().summary()}</p>
                    <button class="button primary" type="submit" disabled=move || alive.get() && pile.read().is_empty()>
                        "Analyse"
                    </button>
                </div>
            </div>
            <div class="drop-veil" aria-hidden="true">
                "Drop to add"
            </div>
        </form>
    }
    .boxed()
}

/// Takes what is dropped anywhere on the page, while it is shown. Does nothing on the server.
fn accept_drops(set_over: WriteSignal<bool>, add: Callback<Vec<Picked>>) {
    Effect::new(move |_| {
        let over = window_event_listener(ev::dragover, move |event: DragEvent| {
            event.prevent_default();
            set_over.set(true);
        });
        let leave = window_event_listener(ev::dragleave, move |event: DragEvent| {
            // Only when the pointer leaves the window itself.
            if event.related_target().is_none() {
                set_over.set(false);
            }
        });
        let dropped = window_event_listener(ev::drop, move |event: DragEvent| {
            event.prevent_default();
            set_over.set(false);
            let found = dropped_files(&event);
            spawn_local(async move { add.run(found.await) });
        });
        on_cleanup(move || {
            over.remove();
            leave.remove();
            dropped.remove();
        });
    });
}
