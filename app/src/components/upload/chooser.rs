//! Where files are chosen or dropped.

use leptos::attr::custom::custom_attribute;
use leptos::ev;
use leptos::html::Input;
use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos::wasm_bindgen::JsCast;
use web_sys::{DragEvent, Event, FileList, HtmlInputElement};

use super::entries::dropped_files;
use super::pile::{self, Picked};
use crate::boxed::Boxed;

/// Two buttons that choose files and folders. `add` gets what was chosen, also before the page came alive. Without JavaScript
/// the first is the chooser of the form around it, under the name `files`.
#[component]
pub fn Choosers(add: Callback<Vec<Picked>>) -> impl IntoView {
    let (alive, set_alive) = signal(false);
    let native = NodeRef::<Input>::new();
    Effect::new(move |_| {
        set_alive.set(true);
        if let Some(files) = native.get_untracked().and_then(|input| input.files())
            && files.length() > 0
        {
            add.run(pile::from_list(&files));
        }
    });
    let on_choose = move |event: Event| {
        let Some(input) = event.target().and_then(|t| t.dyn_into::<HtmlInputElement>().ok()) else { return };
        add.run(input.files().as_ref().map(|files: &FileList| pile::from_list(files)).unwrap_or_default());
        // So that the same file can be chosen again after it was removed.
        input.set_value("");
    };
    let folders = custom_attribute("webkitdirectory", "");
    view! {
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
    }
    .boxed()
}

/// The dashed field with a sheet, an invitation and the choosers.
#[component]
pub fn DropField(add: Callback<Vec<Picked>>, hidden: Signal<bool>) -> impl IntoView {
    view! {
        <div class="drop" hidden=hidden>
            <svg class="drop-mark" viewBox="0 0 48 48" width="48" height="48" aria-hidden="true">
                <path d="M12 6h17l9 9v27H12z" />
                <path d="M29 6v9h9" />
                <path class="drop-arrow" d="M25 36V22M19 28l6-6 6 6" />
            </svg>
            <p class="drop-title">"Drop a folder, files or a ZIP anywhere on this page"</p>
            <p class="fine">"PDF, Word, Excel, PowerPoint, e-mail, pictures, web pages, text and more"</p>
            <Choosers add />
        </div>
    }
    .boxed()
}

/// Takes what is dropped anywhere on the page, while it is shown. Does nothing on the server.
pub fn accept_drops(set_over: WriteSignal<bool>, add: Callback<Vec<Picked>>) {
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
