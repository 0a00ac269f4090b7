//! What was dropped, folders walked to their last file.

use std::future::Future;

use js_sys::{Array, Function, Promise};
use leptos::wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{DragEvent, File, FileSystemDirectoryEntry, FileSystemEntry, FileSystemFileEntry};

use super::pile::{Picked, from_list};

/// The files behind a drop. What was dropped is read at once, for it is gone after the event; the folders are walked by
/// the future. Files that cannot be read are left out.
pub fn dropped_files(event: &DragEvent) -> impl Future<Output = Vec<Picked>> + use<> {
    let transfer = event.data_transfer();
    let mut waiting: Vec<FileSystemEntry> = Vec::new();
    let mut plain = Vec::new();
    if let Some(transfer) = transfer {
        let items = transfer.items();
        waiting.extend(
            (0..items.length())
                .filter_map(|index| items.get(index))
                .filter_map(|item| item.webkit_get_as_entry().ok().flatten()),
        );
        if waiting.is_empty() {
            plain = transfer.files().map(|files| from_list(&files)).unwrap_or_default();
        }
    }
    async move {
        let mut found = plain;
        while let Some(entry) = waiting.pop() {
            if entry.is_directory() {
                waiting.extend(children(entry.unchecked_ref()).await);
            } else if let Some(file) = file(entry.unchecked_ref()).await {
                found.push(Picked::new(entry.full_path().trim_start_matches('/').to_owned(), file));
            }
        }
        found.sort_by(|a, b| a.path.cmp(&b.path));
        found
    }
}

/// The entries of a folder. A browser hands them out a hundred at a time, and then none.
async fn children(folder: &FileSystemDirectoryEntry) -> Vec<FileSystemEntry> {
    let reader = folder.create_reader();
    let mut entries = Vec::new();
    loop {
        let some = promised(|resolve, reject| reader.read_entries_with_callback_and_callback(resolve, reject))
            .await
            .map(|some| some.unchecked_into::<Array>())
            .unwrap_or_default();
        if some.length() == 0 {
            return entries;
        }
        entries.extend(some.iter().map(JsCast::unchecked_into::<FileSystemEntry>));
    }
}

async fn file(entry: &FileSystemFileEntry) -> Option<File> {
    let file = promised(|resolve, reject| {
        entry.file_with_callback_and_callback(resolve, reject);
        Ok(())
    });
    file.await.ok().map(JsCast::unchecked_into)
}

/// A call with two callbacks as one future.
async fn promised(call: impl Fn(&Function, &Function) -> Result<(), JsValue>) -> Result<JsValue, JsValue> {
    let promise = Promise::new(&mut |resolve, reject| {
        if let Err(error) = call(&resolve, &reject) {
            // The promise is rejected by the very call that reports it; there is nobody else to tell.
            drop(reject.call1(&JsValue::UNDEFINED, &error));
        }
    });
    JsFuture::from(promise).await
}
