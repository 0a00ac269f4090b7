//! `cargo xtask quality parsing`: how much of what others found in real documents the built binary finds, by suffix.
//! Agreement is the F1 of bags of words: of lower-case words by the rules of Unicode, each as often as it stands there.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use unicode_segmentation::UnicodeSegmentation;

use crate::paths::{Paths, Profile};
use crate::{build, setup};

/// What ends the name of a file with the text that others found.
const EXPECTED: &str = ".expected.txt";
/// Where in `docs/quality.md` the table stands.
const MARKS: (&str, &str) = ("<!-- parsing: written by cargo xtask quality parsing -->", "<!-- parsing: end -->");

#[derive(clap::Args)]
pub struct Parsing {
    /// A built `sheaf` to measure, instead of building one.
    #[arg(long)]
    sheaf: Option<PathBuf>,
    /// Name every file below this F1.
    #[arg(long, value_name = "F1")]
    below: Option<f64>,
    /// Write the table to `docs/quality.md`.
    #[arg(long)]
    write: bool,
}

impl Parsing {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let corpora = paths.corpora()?;
        let sheaf = match &self.sheaf {
            Some(sheaf) => sheaf.canonicalize().with_context(|| format!("cannot find `{}`", sheaf.display()))?,
            None => {
                setup::setup(paths)?;
                build::build(paths, Profile::Release)?
            }
        };
        let work = tempfile::tempdir()?;
        let staged = work.path().join("input");
        let mut documents = Vec::new();
        for part in ["documents", "images"] {
            let folder = corpora.join(part);
            if !folder.is_dir() {
                bail!("the corpora have no folder `{part}`: `{}` is not there", folder.display());
            }
            stage(&folder, &staged.join(part), Path::new(part), &mut documents)?;
        }
        let results = work.path().join("results");
        analyze(&sheaf, &staged, &results)?;
        let scores: Vec<Score> =
            documents.into_iter().map(|document| document.score(&results.join("text"))).collect::<Result<_>>()?;
        if let Some(least) = self.below {
            for score in &scores {
                match score.f1 {
                    Some(f1) if f1 < least => eprintln!("  {f1:.3} {}", score.path.display()),
                    Some(_) | None => {}
                }
            }
        }
        let mut table = table(&scores);
        table.push_str(&recognition(&corpora, &scores)?);
        println!("\n{table}");
        if self.write {
            let page = paths.root.join("docs/quality.md");
            fs::write(&page, replaced(&fs::read_to_string(&page)?, MARKS, &table)?)?;
        }
        Ok(())
    }
}

/// A document, its path in the corpora and the text that it is expected to have.
struct Staged {
    path: PathBuf,
    expected: Option<PathBuf>,
}

/// What became of a document.
struct Score {
    path: PathBuf,
    completed: bool,
    /// Absent when nobody knows what is in it.
    f1: Option<f64>,
}

impl Staged {
    fn score(self, texts: &Path) -> Result<Score> {
        let mut text = texts.join(&self.path).into_os_string();
        text.push(".txt");
        let text = fs::read(&text).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let f1 = match self.expected {
            Some(expected) => {
                let expected = fs::read(&expected).with_context(|| format!("cannot read `{}`", expected.display()))?;
                Some(f1(&spoken(&String::from_utf8_lossy(&expected)), text.as_deref().unwrap_or_default()))
            }
            None => None,
        };
        Ok(Score { path: self.path, completed: text.is_some(), f1 })
    }
}

/// Copies the documents, without what is said about them: the binary would read that too.
fn stage(from: &Path, to: &Path, path: &Path, documents: &mut Vec<Staged>) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            stage(&entry.path(), &to.join(&name), &path.join(&name), documents)?;
        } else if !name.contains(".expected.") && !name.ends_with(".tsv") && name != "SOURCE.md" {
            fs::copy(entry.path(), to.join(&name))?;
            let expected = entry.path().with_file_name(format!("{name}{EXPECTED}"));
            documents.push(Staged { path: path.join(&name), expected: expected.is_file().then_some(expected) });
        }
    }
    Ok(())
}

pub(super) fn analyze(sheaf: &Path, folder: &Path, out: &Path) -> Result<()> {
    let mut command = Command::new(sheaf);
    command.arg("analyze").arg(folder).arg("--out").arg(out).args(["--model", "fast", "--text"]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.with_context(|| format!("cannot run `{}`", sheaf.display()))?;
    // 2: some documents failed, as some of the corpora must.
    match status.code() {
        Some(0 | 2) => Ok(()),
        Some(_) | None => bail!("`sheaf analyze` ended with {status}; run it by hand to see why"),
    }
}

/// The expected text without what is the other tool's and not the document's: comments in the place of images, targets of
/// links, entities.
fn spoken(markdown: &str) -> String {
    let text = cut(&cut(markdown, "<!--", "-->"), "](", ")");
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").replace("\\_", "_")
}

/// Leaves out what stands between two marks on one line.
fn cut(text: &str, from: &str, to: &str) -> String {
    let mut kept = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, after)) = rest.split_once(from) {
            let Some((_, behind)) = after.split_once(to) else { break };
            kept.push_str(before);
            kept.push(' ');
            rest = behind;
        }
        kept.push_str(rest);
    }
    kept
}

/// Harmonic mean of precision and recall of the words; 1 for two texts without any.
fn f1(expected: &str, found: &str) -> f64 {
    let (expected, found) = (words(expected), words(found));
    let all: usize = expected.values().sum::<usize>() + found.values().sum::<usize>();
    let both: usize = expected.iter().map(|(word, count)| (*count).min(found.get(word).copied().unwrap_or(0))).sum();
    if all == 0 { 1.0 } else { 2.0 * both as f64 / all as f64 }
}

fn words(text: &str) -> HashMap<String, usize> {
    let mut words = HashMap::new();
    for word in text.unicode_words() {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    words
}

/// A row for each suffix.
fn table(scores: &[Score]) -> String {
    let mut by_suffix: BTreeMap<String, Vec<&Score>> = BTreeMap::new();
    for score in scores {
        let mut suffix = score.path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        if suffix == "pdf" && score.path.iter().any(|part| part.to_string_lossy().contains("scanned")) {
            suffix.push_str(", scanned");
        }
        by_suffix.entry(suffix).or_default().push(score);
    }
    let mut table = String::from(
        "| suffix | files | completed | with expected text | mean F1 | median | worst |\n|---|---|---|---|---|---|---|\n",
    );
    for (suffix, scores) in by_suffix {
        let completed = scores.iter().filter(|score| score.completed).count();
        let mut known: Vec<(f64, String)> = scores
            .iter()
            .filter_map(|score| Some((score.f1?, score.path.file_name()?.to_string_lossy().into_owned())))
            .collect();
        known.sort_by(|one, other| one.0.total_cmp(&other.0));
        let figures = match known.first() {
            Some((worst, name)) => {
                let mean = known.iter().map(|score| score.0).sum::<f64>() / known.len() as f64;
                let half = known.len() / 2;
                let median =
                    if known.len() % 2 == 1 { known[half].0 } else { (known[half - 1].0 + known[half].0) / 2.0 };
                format!("{mean:.3} | {median:.3} | {worst:.3} {name}")
            }
            None => "| |".to_owned(),
        };
        table.push_str(&format!("| {suffix} | {} | {completed} | {} | {figures} |\n", scores.len(), known.len()));
    }
    table
}

/// Two rows for the images that somebody has typed off: all of Sheaf's, and Tesseract's own command line on the same files.
fn recognition(corpora: &Path, scores: &[Score]) -> Result<String> {
    let typed: Vec<&Score> = scores.iter().filter(|s| s.f1.is_some() && s.path.starts_with("images")).collect();
    let mut alone = Vec::new();
    for score in &typed {
        let image = corpora.join(&score.path);
        let read = Command::new("tesseract").arg(&image).arg("stdout").env("OMP_THREAD_LIMIT", "1").output();
        let Ok(read) = read else { return Ok(String::new()) };
        let mut expected = image.into_os_string();
        expected.push(EXPECTED);
        let expected = String::from_utf8_lossy(&fs::read(&expected)?).into_owned();
        alone.push(f1(&spoken(&expected), &String::from_utf8_lossy(&read.stdout)));
    }
    let mean = |f1: &[f64]| f1.iter().sum::<f64>() / f1.len().max(1) as f64;
    let ours: Vec<f64> = typed.iter().filter_map(|score| score.f1).collect();
    Ok(format!(
        "| all images | | | {n} | {:.3} | | |\n| the same by Tesseract alone | | | {n} | {:.3} | | |\n",
        mean(&ours),
        mean(&alone),
        n = typed.len()
    ))
}

/// The page with the table between these marks.
pub(super) fn replaced(page: &str, marks: (&str, &str), table: &str) -> Result<String> {
    let (Some(start), Some(end)) = (page.find(marks.0), page.find(marks.1)) else {
        bail!("docs/quality.md has lost the marks `{}` and `{}`", marks.0, marks.1);
    };
    Ok(format!("{}\n\n{table}\n{}", &page[..start + marks.0.len()], &page[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_of_words() {
        #[track_caller]
        fn check(expected: &str, found: &str, expect: f64) {
            assert!((f1(&spoken(expected), found) - expect).abs() < 1e-9, "{expected} / {found}");
        }
        check("One two", "two ONE", 1.0);
        check("one one", "one", 2.0 / 3.0);
        check("a b", "", 0.0);
        check("", "", 1.0);
        check("<!-- image --> [link](https://example.org) x\\_y", "link x_y", 1.0);
    }

    #[test]
    fn a_row_has_its_worst_file() {
        let score = |path: &str, f1| Score { path: path.into(), completed: f1 != Some(0.0), f1 };
        let scores = [score("d/a.rtf", Some(1.0)), score("d/b.RTF", Some(0.0)), score("c.rtf", None)];
        assert!(table(&scores).ends_with("| rtf | 3 | 2 | 2 | 0.500 | 0.500 | 0.000 b.RTF |\n"));
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() -> Result<()> {
        let page = format!("before\n{}\nold\n{}\nafter\n", MARKS.0, MARKS.1);
        let expect = format!("before\n{}\n\nnew\n{}\nafter\n", MARKS.0, MARKS.1);
        assert_eq!(replaced(&page, MARKS, "new")?, expect);
        assert!(replaced("no marks", MARKS, "new").is_err());
        Ok(())
    }
}
