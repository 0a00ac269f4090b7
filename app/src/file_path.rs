//! The parts of a document's path within its batch.

/// The folders of a path, with the last `/`, and the file's name.
pub fn split_path(path: &str) -> (&str, &str) {
    path.rfind('/').map_or(("", path), |slash| path.split_at(slash + 1))
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    split_path(path).1
}
