//! Paths that were taken get a number before their suffix.

/// The paths that a document gets whose own path another one has: `a/b (2).txt`, `a/b (3).txt` and so on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered<'a> {
    stem: &'a str,
    suffix: &'a str,
}

impl<'a> Numbered<'a> {
    /// Those of a path. The suffix is what follows the last dot of the name, unless the name begins with it.
    pub fn of(path: &'a str) -> Self {
        let name_start = path.rfind('/').map_or(0, |i| i + 1);
        let (stem, suffix) = match path[name_start..].rfind('.') {
            Some(dot) if dot > 0 => path.split_at(name_start + dot),
            Some(_) | None => (path, ""),
        };
        Self { stem, suffix }
    }

    /// The path with that number.
    pub fn path(&self, number: u64) -> String {
        format!("{} ({number}){}", self.stem, self.suffix)
    }

    /// All of them begin with this.
    pub fn prefix(&self) -> String {
        format!("{} (", self.stem)
    }

    /// The number of a path that is one of them.
    pub fn number(&self, path: &str) -> Option<u64> {
        let digits = path.strip_prefix(self.stem)?.strip_prefix(" (")?.strip_suffix(self.suffix)?.strip_suffix(')')?;
        let number: u64 = digits.parse().ok()?;
        (self.path(number) == path).then_some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_stands_before_the_suffix_and_is_found_again() {
        let check = |path: &str, expect: &str| {
            let numbered = Numbered::of(path);
            assert_eq!(numbered.path(12), expect);
            assert!(expect.starts_with(&numbered.prefix()));
            assert_eq!(numbered.number(expect), Some(12));
            assert_eq!(numbered.number(path), None);
        };
        check("a/b.txt", "a/b (12).txt");
        check("a.b/c", "a.b/c (12)");
        check(".env", ".env (12)");
        check("a/.env", "a/.env (12)");
        check("x.tar.gz", "x.tar (12).gz");
        check("Ü (2).txt", "Ü (2) (12).txt");
        for other in ["a/b (x).txt", "a/b (02).txt", "a/b ().txt", "a/b (2).pdf", "a/b (2", "a/b ("] {
            assert_eq!(Numbered::of("a/b.txt").number(other), None, "{other}");
        }
    }
}
