//! The files that were picked but not yet sent.

use leptos::prelude::*;
use send_wrapper::SendWrapper;
use sheaf_domain::DocumentKind;
use web_sys::{File, FileList};

use crate::boxed::Boxed;
use crate::format::{bytes, count, counted};

/// Files that are listed; of more, only the number is told.
const LISTED: usize = 200;

/// Files that systems leave in folders and nobody wants analysed.
const LEFT_OUT: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// One file with the path under which it will be known.
#[derive(Clone, Debug)]
pub struct Picked {
    pub path: String,
    pub bytes: u64,
    /// Exists in the browser only, and stays on its one thread.
    pub file: SendWrapper<File>,
}

impl Picked {
    /// `path` is relative to what was picked.
    pub fn new(path: String, file: File) -> Self {
        Self { path, bytes: size_of_file(&file), file: SendWrapper::new(file) }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a file's size is a whole number below 2^53"
)]
fn size_of_file(file: &File) -> u64 {
    file.size() as u64
}

/// All files that were picked, each path once.
#[derive(Clone, Debug, Default)]
pub struct Pile {
    files: Vec<Picked>,
}

impl Pile {
    /// Adds what is not yet there.
    pub fn add(&mut self, picked: Vec<Picked>) {
        let known: std::collections::HashSet<String> = self.files.iter().map(|file| file.path.clone()).collect();
        let wanted = |file: &Picked| !LEFT_OUT.contains(&name_of(&file.path)) && !known.contains(&file.path);
        self.files.extend(picked.into_iter().filter(wanted));
    }

    /// Takes one out.
    pub fn remove(&mut self, path: &str) {
        self.files.retain(|file| file.path != path);
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// In the order in which they were picked.
    pub fn files(&self) -> &[Picked] {
        &self.files
    }

    /// Number and size.
    pub fn summary(&self) -> String {
        if self.is_empty() {
            return String::new();
        }
        let size = self.files.iter().map(|file| file.bytes).sum();
        format!("{}, {}", counted(self.files.len() as u64, "file", "files"), bytes(size))
    }
}

/// The files of a chooser; a folder chooser knows each one's path.
pub fn from_list(files: &FileList) -> Vec<Picked> {
    (0..files.length())
        .filter_map(|index| files.get(index))
        .map(|file| {
            let relative = js_sys::Reflect::get(&file, &"webkitRelativePath".into());
            let path = relative.ok().and_then(|path| path.as_string()).filter(|path| !path.is_empty());
            Picked::new(path.unwrap_or_else(|| file.name()), file)
        })
        .collect()
}

/// The list with a button to take each one out again.
#[component]
pub fn PileView(pile: RwSignal<Pile>, hidden: Signal<bool>) -> impl IntoView {
    let listed = move || pile.read().files.iter().take(LISTED).cloned().collect::<Vec<_>>();
    let more = move || pile.read().files.len().saturating_sub(LISTED);
    let row = move |picked: Picked| {
        let path = picked.path.clone();
        let label = format!("Remove {path}");
        view! {
            <li class="pile-row" data-testid="picked-file">
                <bdi class="path">{picked.path.clone()}</bdi>
                <span class="pile-kind">{kind_of(&picked.path)}</span>
                <span class="pile-size tabular">{bytes(picked.bytes)}</span>
                <button
                    class="pile-remove"
                    type="button"
                    aria-label=label
                    on:click=move |_| pile.update(|pile| pile.remove(&path))
                >
                    <svg viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
                        <path class="line" d="M2.500 2.500l7 7M9.500 2.500l-7 7" />
                    </svg>
                </button>
            </li>
        }
    };
    view! {
        <div class="pile" hidden=move || hidden.get() || pile.read().is_empty()>
            <ul aria-label="Files to analyse">
                <For each=listed key=|picked| picked.path.clone() children=row />
            </ul>
            <p class="fine" hidden=move || more() == 0>
                {move || format!("and {} more", count(more() as u64))}
            </p>
            <p>
                <button class="link" type="button" on:click=move |_| pile.set(Pile::default())>
                    "Remove all"
                </button>
            </p>
        </div>
    }
    .boxed()
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// What a file seems to be by the end of its name. The server looks at the content.
fn kind_of(path: &str) -> &'static str {
    let extension = name_of(path).rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    let kind = match extension.as_str() {
        "htm" => DocumentKind::Html,
        "eml" => DocumentKind::Email,
        "md" => DocumentKind::Markdown,
        "txt" | "log" => DocumentKind::Text,
        "ndjson" => DocumentKind::Jsonl,
        "ipynb" => DocumentKind::Notebook,
        "jpg" => DocumentKind::Jpeg,
        "tif" => DocumentKind::Tiff,
        "gz" | "tgz" => DocumentKind::Gzip,
        "7z" => DocumentKind::SevenZip,
        other => other.parse().unwrap_or(DocumentKind::Unknown),
    };
    kind.label()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_follow_the_end_of_the_name() {
        let check = |path: &str, expect: &str| assert_eq!(kind_of(path), expect);
        check("a/b/report.PDF", "PDF");
        check("mail.eml", "E-mail");
        check("README", "Unknown");
        check("x.tar.gz", "GZIP archive");
        check("folder.pdf/notes.md", "Markdown");
    }
}
