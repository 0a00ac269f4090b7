//! A row of the ledger that is said to work names the test that shows it, as `path::of::a_test` or a file of browser tests.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Rows of `docs/ledger.md` whose tests do not exist. A test is named as `file` or `file: name` in backticks.
pub fn findings(root: &Path) -> Result<Vec<String>> {
    let Ok(ledger) = fs::read_to_string(root.join("docs/ledger.md")) else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    for (number, line) in ledger.lines().enumerate().filter(|(_, line)| line.starts_with('|')) {
        for span in line.split('`').skip(1).step_by(2) {
            let Some((file, name)) = span.split_once(": ") else { continue };
            let known = fs::read_to_string(root.join(file)).is_ok_and(|text| text.contains(name));
            if !known {
                findings.push(format!("docs/ledger.md:{}: `{file}` has no test `{name}`", number + 1));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_names_a_test_that_exists() -> Result<()> {
        let root = tempfile::tempdir()?;
        fs::create_dir(root.path().join("docs"))?;
        fs::write(root.path().join("walk.rs"), "fn every_file_has_one_row() {}")?;
        fs::write(
            root.path().join("docs/ledger.md"),
            "| A1 | `walk.rs: every_file_has_one_row` |\n| A2 | `walk.rs: gone` |\n",
        )?;
        assert_eq!(findings(root.path())?, ["docs/ledger.md:2: `walk.rs` has no test `gone`"]);
        Ok(())
    }
}
