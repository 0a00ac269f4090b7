//! One style sheet out of many: `@import` lines are replaced by what they name. No minifier, as brotli does that work.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The sheet with its imports inlined, each file once, at the place where it is first named.
pub fn bundle(sheet: &Path) -> Result<String> {
    let mut css = String::new();
    inline(sheet, &mut css, &mut BTreeSet::new())?;
    Ok(css)
}

fn inline(sheet: &Path, css: &mut String, seen: &mut BTreeSet<PathBuf>) -> Result<()> {
    let folder = sheet.parent().context("a style sheet has a folder")?;
    let text = fs::read_to_string(sheet).with_context(|| format!("cannot read `{}`", sheet.display()))?;
    if !seen.insert(sheet.canonicalize()?) {
        return Ok(());
    }
    for line in text.lines() {
        if !line.trim_start().starts_with("@import") {
            css.push_str(line);
            css.push('\n');
            continue;
        }
        let Some(import) = import(line) else { bail!("`{}`: cannot follow `{}`", sheet.display(), line.trim()) };
        if let Some(layer) = import.layer {
            css.push_str(&format!("@layer {layer} {{\n"));
        }
        inline(&folder.join(import.path), css, seen)?;
        if import.layer.is_some() {
            css.push_str("}\n");
        }
    }
    Ok(())
}

#[derive(Debug, PartialEq)]
struct Import<'a> {
    path: &'a str,
    layer: Option<&'a str>,
}

/// `@import "a.css";`, `@import url("a.css");`, and either with `layer(name)`; nothing else that CSS allows there.
fn import(line: &str) -> Option<Import<'_>> {
    let rest = line.trim().strip_prefix("@import")?.strip_suffix(';')?.trim();
    let (quoted, rest) = match rest.strip_prefix("url(") {
        Some(inside) => inside.split_once(')')?,
        None => rest.split_at(rest.get(1..)?.find(['"', '\''])? + 2),
    };
    let path = quoted.trim().trim_matches(['"', '\'']);
    let layer = match rest.trim() {
        "" => None,
        layer => Some(layer.strip_prefix("layer(")?.strip_suffix(')')?.trim()),
    };
    (!path.contains(':') && !path.is_empty()).then_some(Import { path, layer })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_forms_that_we_write_and_no_others() {
        let check = |line: &str, expect: Option<(&str, Option<&str>)>| {
            assert_eq!(import(line), expect.map(|(path, layer)| Import { path, layer }), "{line}");
        };
        check("@import \"tokens.css\";", Some(("tokens.css", None)));
        check("  @import 'cards.css';", Some(("cards.css", None)));
        check("@import url(\"base.css\");", Some(("base.css", None)));
        check("@import \"base.css\" layer(base);", Some(("base.css", Some("base"))));
        check("@import \"print.css\" print;", None);
        check("@import url(\"https://fonts.example/x.css\");", None);
        check("@import \"\";", None);
    }

    #[test]
    fn each_sheet_appears_once_and_in_order() -> Result<()> {
        let dir = tempfile::tempdir()?;
        fs::write(
            dir.path().join("main.css"),
            "@import \"a.css\";\n@import \"b.css\" layer(x);\n@import \"a.css\";\nmain{}\n",
        )?;
        fs::write(dir.path().join("a.css"), "a{}\n")?;
        fs::write(dir.path().join("b.css"), "@import \"a.css\";\nb{}\n")?;
        assert_eq!(bundle(&dir.path().join("main.css"))?, "a{}\n@layer x {\nb{}\n}\nmain{}\n");
        Ok(())
    }
}
