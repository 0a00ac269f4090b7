//! Paths as senders give them, made safe to show and unique. They never name a file on this machine.

use std::collections::HashSet;

use sheaf_domain::Numbered;

/// The longest path in bytes; the end is kept, for it holds the name.
const PATH_BYTES: usize = 1024;

/// A relative path with `/` between its parts: no `..`, no drive, no control characters, not empty.
pub fn clean_path(given: &str) -> String {
    let parts: Vec<String> = given
        .split(['/', '\\'])
        .map(|part| part.chars().filter(|c| !c.is_control()).collect::<String>())
        .filter(|part| !matches!(part.trim(), "" | "." | "..") && !is_drive(part))
        .collect();
    let path = parts.join("/");
    if path.is_empty() {
        return "unnamed".to_owned();
    }
    let mut start = path.len().saturating_sub(PATH_BYTES);
    while !path.is_char_boundary(start) {
        start += 1;
    }
    path[start..].to_owned()
}

fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':'] if letter.is_ascii_alphabetic())
}

/// The path, with ` (2)` and so on before its suffix when it was taken.
pub fn unique(path: String, taken: &mut HashSet<String>) -> String {
    if taken.insert(path.clone()) {
        return path;
    }
    let numbered = Numbered::of(&path);
    let mut number = 2;
    loop {
        let candidate = numbered.path(number);
        if taken.insert(candidate.clone()) {
            return candidate;
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_and_printable() {
        let check = |given: &str, expect: &str| assert_eq!(clean_path(given), expect, "{given:?}");
        check("a/b.txt", "a/b.txt");
        check("../../../../tmp/up-evil.txt", "tmp/up-evil.txt");
        check("/etc/passwd", "etc/passwd");
        check("C:\\Users\\x.doc", "Users/x.doc");
        check("a//./b", "a/b");
        check("line\nbreak.txt", "linebreak.txt");
        check("", "unnamed");
        check("..", "unnamed");
        check("<img src=x onerror=alert(1)>.txt", "<img src=x onerror=alert(1)>.txt");
        assert_eq!(clean_path(&"ä".repeat(2000)).len(), 1024);
    }

    #[test]
    fn no_path_is_given_twice() {
        let mut taken = HashSet::new();
        let mut check = |path: &str, expect: &str| assert_eq!(unique(path.to_owned(), &mut taken), expect);
        check("a/b.txt", "a/b.txt");
        check("a/b.txt", "a/b (2).txt");
        check("a/b.txt", "a/b (3).txt");
        check("a.b/c", "a.b/c");
        check("a.b/c", "a.b/c (2)");
        check(".env", ".env");
        check(".env", ".env (2)");
    }
}
