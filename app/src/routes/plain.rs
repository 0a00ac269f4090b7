//! Which pages need no script. The server alone makes them, and the shell leaves the scripts out: there is less to fetch,
//! and the WebAssembly of the other pages stays small.

/// Segments of the addresses of plain pages; `*` stands for any one segment.
const PLAIN: &[&[&str]] = &[
    &["webhooks"],
    &["flows"],
    &["flows", "*"],
    // A form that failed.
    &["failed"],
    &["runs"],
    &["runs", "*"],
    &["runs", "*", "table"],
    &["runs", "*", "cancel"],
    &["runs", "*", "delete"],
    &["runs", "*", "documents", "*"],
    &["compare"],
    &["search"],
    &["batches", "*", "cancel"],
    &["batches", "*", "delete"],
    &["batches", "*", "families"],
    &["batches", "*", "clusters", "*"],
    &["batches", "*", "move"],
    &["batches", "*", "remove"],
    // It has a script of its own.
    &["batches", "*", "map"],
    &["batches", "*", "outliers"],
    &["batches", "*", "clusterings"],
    &["batches", "*", "documents", "*"],
    &["batches", "*", "diff"],
];

/// Whether nothing on the page at this path needs a script.
pub fn is_plain(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    PLAIN.iter().any(|plain| {
        plain.len() == segments.len()
            && plain.iter().zip(&segments).all(|(plain, segment)| *plain == "*" || plain == segment)
    })
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn plain_pages_are_told_by_their_path() {
        let check = |path: &str, expect: bool| assert_eq!(is_plain(path), expect, "{path}");
        check("/webhooks", true);
        check("/webhooks/", true);
        check("/batches/12/delete", true);
        check("/batches/12", false);
        check("/batches/12/documents/7", true);
        check("/batches/12/diff", true);
        check("/batches/12/families", true);
        check("/batches/12/clusters/3", true);
        check("/batches/12/move", true);
        check("/batches/12/remove", true);
        check("/batches/12/map", true);
        check("/batches/12/clusterings", true);
        check("/batches/12/add", false);
        check("/", false);
    }
}
