//! `cargo xtask bench search`: how long the API takes to find something among many short texts, by words, by meaning and by both.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Result, ensure};

use super::runs::{Server, is_final, percentiles};
use super::texts::text;
use crate::paths::{Paths, Profile};
use crate::{build, setup};

/// Words that there are, of which the n-th comes up 1/n times as often as the first (Zipf).
const VOCABULARY: usize = 20_000;
/// Words of a text that are drawn from them, beside those of its topic.
const DRAWN: usize = 12;

#[derive(clap::Args)]
pub struct Search {
    /// Documents.
    #[arg(long, default_value_t = 100_000)]
    documents: usize,
    /// Questions of each kind.
    #[arg(long, default_value_t = 200)]
    questions: usize,
    /// Measure this program instead of building one.
    #[arg(long)]
    program: Option<PathBuf>,
}

impl Search {
    pub fn run(self, paths: &Paths) -> Result<()> {
        let sheaf = match &self.program {
            Some(program) => program.clone(),
            None => {
                setup::setup(paths)?;
                build::build(paths, Profile::Release)?
            }
        };
        let server = Server::start(&sheaf)?;
        let start = Instant::now();
        let words = Words::new();
        let texts = (0..self.documents).map(|i| format!("{} {}.", text(9, i), words.of(i as u64, DRAWN).join(" ")));
        let id = server.upload_texts("search", texts)?;
        server.wait(&id, is_final)?;
        eprintln!("  {} documents were ready after {:.0} s", self.documents, start.elapsed().as_secs_f64());
        println!("| questions over the API, {} short texts | figure |\n|---|---|", self.documents);
        for (mode, whole) in [("words", false), ("meaning", false), ("both", false), ("both", true)] {
            let mut times = Vec::with_capacity(self.questions);
            let mut found = 0;
            // The first answers read the index and the vectors from the disk.
            for number in 0..self.questions + 10 {
                let question = words.question(number as u64);
                let batch = if whole { String::new() } else { format!("&batch={id}") };
                let start = Instant::now();
                let answer = server.get(&format!("/api/search?mode={mode}&q={question}{batch}"))?;
                if number >= 10 {
                    times.push(start.elapsed());
                    found += usize::from(answer["items"].as_array().is_some_and(|items| !items.is_empty()));
                }
            }
            ensure!(found > self.questions / 2, "most questions by {mode} found nothing: {found}");
            let place = if whole { "the library" } else { "one batch" };
            println!(
                "| {mode}, in {place}; {found} of {} found something | {} |",
                self.questions,
                percentiles(&mut times)
            );
        }
        Ok(())
    }
}

/// A vocabulary of made-up words.
struct Words {
    words: Vec<String>,
    /// The sum of the weights up to each of them.
    sums: Vec<f64>,
}

impl Words {
    fn new() -> Self {
        const SYLLABLES: [&str; 20] = [
            "ka", "lo", "mi", "ter", "sun", "ra", "ve", "do", "pin", "ga", "shu", "bel", "no", "cri", "fa", "wen",
            "tol", "ji", "mur", "es",
        ];
        let word = |mut n: usize| {
            let mut word = String::new();
            for _ in 0..4 {
                word.push_str(SYLLABLES[n % SYLLABLES.len()]);
                n /= SYLLABLES.len();
            }
            word
        };
        let mut sum = 0.0;
        let sums = (1..=VOCABULARY).map(|rank| {
            sum += 1.0 / rank as f64;
            sum
        });
        Self { sums: sums.collect(), words: (0..VOCABULARY).map(word).collect() }
    }

    /// So many words, the same for the same seed.
    fn of(&self, seed: u64, count: usize) -> Vec<&str> {
        let mut state = seed.wrapping_mul(0x2545_F491_4F6C_DD1D) ^ 0x5851_F42D_4C95_7F2D;
        let mut next = || {
            // SplitMix64 (Steele, Lea and Flood 2014).
            state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            (z ^ (z >> 31)) as f64 / u64::MAX as f64
        };
        let all = self.sums[VOCABULARY - 1];
        let draw = |_| {
            let at = next() * all;
            self.words[self.sums.partition_point(|sum| *sum < at).min(VOCABULARY - 1)].as_str()
        };
        (0..count).map(draw).collect()
    }

    /// One or two words of the texts, in every second question with two of a topic, as a part of an address.
    fn question(&self, number: u64) -> String {
        let mut words = self.of(number, 1 + (number % 2) as usize);
        let topics =
            ["concert violin", "orbit telescope", "refund payment", "oven bread", "ship storm", "apple harvest"];
        if number.is_multiple_of(2) {
            words = vec![topics[(number / 2) as usize % topics.len()], words[0]];
        }
        words.join("%20").replace(' ', "%20")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_by_their_weight_and_the_same_each_time() {
        let words = Words::new();
        let drawn: Vec<&str> = (0..1000).flat_map(|seed| words.of(seed, DRAWN)).collect();
        let count = |word: &str| drawn.iter().filter(|drawn| **drawn == word).count();
        assert!(count(&words.words[0]) > 10 * count(&words.words[50]).max(1));
        assert_eq!(words.of(7, 3), words.of(7, 3));
        assert!(words.question(4).contains("refund%20payment"), "{}", words.question(4));
    }
}
