//! Counts what passed and failed over all test runners, from what they print.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::run;

/// What has run so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
    /// Names of the parts that failed.
    pub failures: Vec<String>,
}

impl Tally {
    /// A check counts as one.
    pub fn check(&mut self, name: &str, outcome: Result<()>) {
        let counted = match &outcome {
            Ok(()) => Self { passed: 1, ..Self::default() },
            Err(_) => Self { failed: 1, ..Self::default() },
        };
        self.outcome(name, outcome.map(|()| counted));
    }

    /// A part that has its own count; one that could not run counts as one failure.
    pub fn outcome(&mut self, name: &str, outcome: Result<Self>) {
        match outcome {
            Ok(part) => {
                self.passed += part.passed;
                self.failed += part.failed;
                if part.failed > 0 {
                    self.failures.push(name.to_owned());
                }
                self.failures.extend(part.failures);
            }
            Err(error) => {
                eprintln!("error: {name}: {error:#}");
                self.failed += 1;
                self.failures.push(name.to_owned());
            }
        }
    }

    /// Runs a test runner and counts its own results; when it fails without naming a test, that is one failure.
    pub fn tests(&mut self, name: &str, command: &mut Command) -> Result<()> {
        eprintln!("· {name} …");
        let start = Instant::now();
        let mut part = Self::default();
        let succeeded = run::watched(command, |line| part.read(line))?;
        if !succeeded && part.failed == 0 {
            part.failed = 1;
        }
        eprintln!("  {name}: {} passed, {} failed, {:.1} s", part.passed, part.failed, start.elapsed().as_secs_f64());
        self.outcome(name, Ok(part));
        Ok(())
    }

    /// Adds one line of `cargo test` (`test result: …`), of nextest (`Summary …`) or of Playwright (`  3 passed (4.2s)`).
    pub fn read(&mut self, line: &str) {
        // Indented it is what nextest repeats of a test that failed, which it counts itself.
        let counted = line.strip_prefix("test result: ");
        let line = line.trim();
        let counts = if let Some(rest) = counted {
            rest
        } else if (line.starts_with("Summary [") && line.contains(" run: ")) || is_playwright_count(line) {
            line
        } else {
            return;
        };
        let words: Vec<&str> = counts.split([' ', ',', ';']).filter(|word| !word.is_empty()).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" | "flaky" => self.passed += count,
                // "2 timed out", "2 did not run"
                "failed" | "interrupted" | "timed" | "did" => self.failed += count,
                _ => {}
            }
        }
    }

    /// The last line of a run, alone, in the form that a machine reads.
    pub fn close(self) -> ExitCode {
        if !self.failures.is_empty() {
            println!("\nfailed: {}", self.failures.join(", "));
        }
        println!("\n{} passed, {} failed", self.passed, self.failed);
        if self.failed == 0 && self.passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// `3 passed (4.2s)`, `1 failed`, `2 did not run`: a number and a word that only the summary has at the start of a line.
fn is_playwright_count(line: &str) -> bool {
    let mut words = line.split(' ');
    let number = words.next().is_some_and(|word| word.parse::<u64>().is_ok());
    let rest: Vec<&str> = words.collect();
    let only = |word: &str| rest == [word] || (rest.len() == 2 && rest[0] == word && rest[1].starts_with('('));
    number && (["passed", "failed", "flaky", "interrupted"].into_iter().any(only) || rest == ["did", "not", "run"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_counts_of_each_runner() {
        let check = |line: &str, passed: u64, failed: u64| {
            let mut tally = Tally::default();
            tally.read(line);
            assert_eq!((tally.passed, tally.failed), (passed, failed), "{line}");
        };
        check("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s", 5, 0);
        check("test result: FAILED. 5 passed; 2 failed; 0 ignored", 5, 2);
        check("     Summary [   0.512s] 14 tests run: 13 passed (1 slow), 1 failed, 2 skipped", 13, 1);
        check("    test result: FAILED. 0 passed; 1 failed; 0 ignored", 0, 0);
        check("     Summary [   0.5s] 3 tests run: 2 passed, 1 timed out, 0 skipped", 2, 1);
        check("     Summary [   0.5s] 9 tests run: 9 passed (2 flaky), 0 skipped", 9, 0);
        check("     Summary [   0.5s] 5/9 tests run: 5 passed, 0 skipped", 5, 0);
        check("  3 passed (4.2s)", 3, 0);
        check("  1 failed", 0, 1);
        check("  2 did not run", 0, 2);
        check("12 passed the gate of the town", 0, 0);
        check("running 3 tests", 0, 0);
    }

    #[test]
    fn a_part_that_cannot_run_is_a_failure() {
        let mut tally = Tally::default();
        tally.check("formatting", Ok(()));
        tally.check("structure", Err(anyhow::anyhow!("no")));
        assert_eq!(tally, Tally { passed: 1, failed: 1, failures: vec!["structure".into()] });
    }
}
