//! The stream of a batch's events, by the browser's `EventSource`.

use leptos::wasm_bindgen::JsCast;
use leptos::wasm_bindgen::closure::Closure;
use sheaf_domain::{BatchId, Progress, Status};
use web_sys::{EventSource, MessageEvent};

/// What the stream brings.
pub enum Heard {
    Progress(Box<Progress>),
    /// The batch has ended so, or is gone; nothing more comes.
    End(Option<Status>),
    /// The stream broke, or could not be opened.
    Broke,
}

/// A stream that is open; it ends when this is dropped.
pub struct Stream {
    source: EventSource,
    /// Live as long as the browser may call them.
    _callbacks: [Closure<dyn FnMut(MessageEvent)>; 4],
}

impl Stream {
    /// Opens it; absent where the browser has no such thing.
    pub fn open(batch: BatchId, on: impl Fn(Heard) + Clone + 'static) -> Option<Self> {
        let source = EventSource::new(&format!("/api/batches/{batch}/events")).ok()?;
        let callback = |name: &str, read: fn(&str) -> Option<Heard>| {
            let on = on.clone();
            let closure = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                // What cannot be read was written by another version; asking will tell.
                on(event.data().as_string().as_deref().and_then(read).unwrap_or(Heard::Broke));
            });
            drop(source.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref()));
            closure
        };
        let callbacks = [
            callback("progress", |data| serde_json::from_str(data).ok().map(|p| Heard::Progress(Box::new(p)))),
            callback("end", |data| serde_json::from_str(data).ok().map(|status| Heard::End(Some(status)))),
            callback("gone", |_| Some(Heard::End(None))),
            // It has no data.
            callback("error", |_| None),
        ];
        Some(Self { source, _callbacks: callbacks })
    }

    /// Ends it before it is dropped, for one of its callbacks may be running.
    pub fn close(&self) {
        self.source.close();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.close();
    }
}
