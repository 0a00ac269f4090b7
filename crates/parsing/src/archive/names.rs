//! From the name that an archive gives to a path that is safe to keep and to show.

use std::collections::HashSet;

/// The longest path of an entry, in characters; longer ones lose their beginning.
const LONGEST: usize = 512;

/// What an entry's name comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name {
    /// A relative path with `/` between its parts.
    Safe(String),
    /// It points outside of the archive; the text is only for showing.
    Unsafe(String),
    /// What systems leave behind: no document.
    Clutter,
}

/// Decodes and checks a name, as the bytes that the archive has.
pub fn check(raw: &[u8]) -> Name {
    let name = decode(raw);
    let outside = name.starts_with(['/', '\\'])
        || name.split(['/', '\\']).any(|part| part == "..")
        || name.as_bytes().get(1) == Some(&b':') && name.as_bytes()[0].is_ascii_alphabetic();
    if outside {
        return Name::Unsafe(printable(&name));
    }
    let parts: Vec<&str> = name.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.first() == Some(&"__MACOSX") || matches!(parts.last(), Some(&(".DS_Store" | "Thumbs.db" | "desktop.ini")))
    {
        return Name::Clutter;
    }
    match printable(&parts.join("/")) {
        name if name.is_empty() => Name::Safe("unnamed".to_owned()),
        name => Name::Safe(name),
    }
}

/// UTF-8 when it is that; else the encoding that it looks like, for the standard's CP437 is what hardly any
/// program means.
fn decode(raw: &[u8]) -> String {
    match str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) => crate::charset::guess(raw).decode_without_bom_handling(raw).0.into_owned(),
    }
}

/// Without control characters, and not longer than can be borne. What turns the direction of writing stays: pages
/// isolate it.
fn printable(name: &str) -> String {
    let excess = name.chars().count().saturating_sub(LONGEST);
    name.chars()
        .skip(excess)
        .map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { '\u{fffd}' } else { c })
        .collect()
}

/// Gives each path of a walk only once: a second `a.txt` is `a (2).txt`.
#[derive(Default)]
pub struct Taken(HashSet<String>);

impl Taken {
    /// The path itself when it is free, else with the lowest number that is.
    pub fn claim(&mut self, path: String) -> String {
        if self.0.insert(path.clone()) {
            return path;
        }
        let file = path.rfind('/').map_or(0, |slash| slash + 1);
        let dot = path[file..].rfind('.').filter(|&dot| dot > 0).map_or(path.len(), |dot| file + dot);
        let (stem, suffix) = path.split_at(dot);
        let mut number = 2_u64;
        loop {
            let next = format!("{stem} ({number}){suffix}");
            if self.0.insert(next.clone()) {
                return next;
            }
            number += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Component, Path};

    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn names() {
        #[track_caller]
        fn check_safe(raw: &[u8], expect: &str) {
            assert_eq!(check(raw), Name::Safe(expect.to_owned()));
        }
        check_safe(b"a/b.txt", "a/b.txt");
        check_safe(b"a\\b.txt", "a/b.txt");
        check_safe(b"./a//b.txt", "a/b.txt");
        check_safe(b"a..b/c...txt", "a..b/c...txt");
        check_safe(b"new\nline.txt", "new\u{fffd}line.txt");
        check_safe("\u{202e}txt.exe".as_bytes(), "\u{202e}txt.exe");
        check_safe(b"r\xe9sum\xe9.txt", "résumé.txt");
        check_safe(b"", "unnamed");
        assert_eq!(check(b"__MACOSX/._a"), Name::Clutter);
        assert_eq!(check(b"a/.DS_Store"), Name::Clutter);
        for bad in ["../a", "a/../../b", "/etc/passwd", "..\\..\\a", "C:\\a", "c:a", "\\\\server\\a", "a/.."] {
            assert_eq!(check(bad.as_bytes()), Name::Unsafe(bad.to_owned()));
        }
    }

    #[test]
    fn a_path_is_given_once() {
        let mut taken = Taken::default();
        let mut claim = |path: &str| taken.claim(path.to_owned());
        assert_eq!(claim("a.txt"), "a.txt");
        assert_eq!(claim("A.TXT"), "A.TXT");
        assert_eq!(claim("a.txt"), "a (2).txt");
        assert_eq!(claim("a.txt"), "a (3).txt");
        assert_eq!(claim("v1.2/read"), "v1.2/read");
        assert_eq!(claim("v1.2/read"), "v1.2/read (2)");
        assert_eq!(claim(".env"), ".env");
        assert_eq!(claim(".env"), ".env (2)");
    }

    proptest! {
        #[test]
        fn a_safe_path_never_escapes(raw in any::<Vec<u8>>(), tail in "(\\.\\.|/|\\\\|C:|a|\\.){0,12}") {
            for raw in [raw, tail.into_bytes()] {
                if let Name::Safe(path) = check(&raw) {
                    assert!(!path.is_empty() && !path.chars().any(char::is_control));
                    assert!(Path::new(&path).components().all(|part| matches!(part, Component::Normal(_))), "{path:?}");
                }
            }
        }
    }
}
