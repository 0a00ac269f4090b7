//! Makes a backlog to try things with: letters to a shop that does not exist, with the label that each was made from.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::json;
use sheaf_domain::Failure;

use super::results::disk;

/// A label: its name, what it means, and sentences with a place for an article.
type Topic = (&'static str, &'static str, [&'static str; 6]);

const TOPICS: [Topic; 8] = [
    (
        "delivery_late",
        "A parcel has not arrived in time",
        [
            "Where is the {} that I ordered two weeks ago?",
            "My {} should have been delivered on Monday and is still not here",
            "The tracking of my {} has not moved for days",
            "I am still waiting for the {}, when does it arrive?",
            "Delivery of my {} is late again",
            "The courier never came with my {}",
        ],
    ),
    (
        "refund",
        "The customer wants money back",
        [
            "Please refund what I paid for the {}",
            "I sent the {} back and have not received my money yet",
            "How long does a refund for a {} take?",
            "I want my money back for this {}",
            "The amount for the returned {} is missing on my account",
            "Can you return the payment for the {}?",
        ],
    ),
    (
        "damaged_article",
        "What was delivered is broken or faulty",
        [
            "The {} arrived broken",
            "There is a crack in the {} that you sent",
            "My {} stopped working after one day",
            "The {} has scratches everywhere",
            "Parts of the {} are damaged",
            "I received a faulty {}",
        ],
    ),
    (
        "wrong_article",
        "Another article was delivered than was ordered",
        [
            "I ordered a {} and got something else",
            "You sent the wrong {}",
            "This is not the {} that I chose, the colour is different",
            "The box says {} but there is another product in it",
            "I received somebody else's order instead of my {}",
            "The {} has the wrong size, I ordered another one",
        ],
    ),
    (
        "login_problem",
        "The customer cannot get into the account",
        [
            "I cannot log in to see my order of a {}",
            "My password is not accepted when I want to buy a {}",
            "How do I reset my password? I want to order a {}",
            "The site says my account is locked, and my {} is in the basket",
            "The code for signing in never arrives, I need it to order a {}",
            "I forgot my password and cannot see the {} in my account",
        ],
    ),
    (
        "invoice",
        "A question about an invoice or a receipt",
        [
            "I need an invoice for the {} with the address of my company",
            "The invoice for my {} shows the wrong tax number",
            "Where do I find the receipt for the {}?",
            "Please send the bill for the {} again",
            "There is a mistake in the invoice of the {}",
            "Can I have the invoice for the {} as a PDF?",
        ],
    ),
    (
        "change_order",
        "The customer wants to change or cancel an order",
        [
            "Please cancel my order of the {}",
            "Can I add a second {} to my order?",
            "I want to change the address for the {} before it is sent",
            "I ordered the {} twice by mistake, please cancel one",
            "Is it possible to change the colour of the {} in my order?",
            "Stop the order of the {}, I do not need it any more",
        ],
    ),
    (
        "availability",
        "Whether an article can be had",
        [
            "When will the {} be in stock again?",
            "Do you still sell the {}?",
            "Is the {} available in blue?",
            "The {} is sold out, will there be more of it?",
            "Can I buy the {} in your store in town?",
            "Do you have the {} in a larger size?",
        ],
    ),
];

const ARTICLES: [&str; 12] = [
    "lamp",
    "kettle",
    "rucksack",
    "desk",
    "bicycle helmet",
    "raincoat",
    "camera",
    "blanket",
    "chair",
    "watch",
    "tent",
    "coffee grinder",
];

const OPENINGS: [&str; 6] = ["", "Hello, ", "Good morning. ", "Hi there, ", "Dear team, ", "Urgent: "];

/// The files of a sample.
#[derive(Clone, Debug)]
pub struct Sample {
    pub backlog: PathBuf,
    pub labels: PathBuf,
    /// `id` and the `label` that each record was made from.
    pub truth: PathBuf,
}

/// Writes `backlog.jsonl`, `labels.json` and `truth.tsv` into `folder`, which is made if absent; the same for the same
/// `count` and `seed`.
///
/// # Errors
/// `storage` when they cannot be written.
pub fn sample(folder: &Path, count: u32, seed: u64) -> Result<Sample, Failure> {
    let sample = Sample {
        backlog: folder.join("backlog.jsonl"),
        labels: folder.join("labels.json"),
        truth: folder.join("truth.tsv"),
    };
    write(folder, &sample, count, seed).map_err(|error| disk(&error))?;
    Ok(sample)
}

fn write(folder: &Path, sample: &Sample, count: u32, seed: u64) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let labels: Vec<_> =
        TOPICS.iter().map(|(name, meaning, _)| json!({"name": name, "description": meaning})).collect();
    fs::write(&sample.labels, serde_json::to_vec_pretty(&labels)?)?;
    let mut backlog = io::BufWriter::new(fs::File::create(&sample.backlog)?);
    let mut truth = io::BufWriter::new(fs::File::create(&sample.truth)?);
    writeln!(truth, "id\tlabel")?;
    let mut state = seed;
    for number in 1..=count {
        let (name, _, sentences): &Topic = pick(&TOPICS, &mut state);
        let article: &&str = pick(&ARTICLES, &mut state);
        let sentence: &&str = pick(sentences, &mut state);
        let sentence = sentence.replace("{}", article);
        let opening: &&str = pick(&OPENINGS, &mut state);
        let text = format!("{opening}{sentence}");
        let id = format!("Q{number:06}");
        writeln!(backlog, "{}", json!({"id": id, "text": text}))?;
        writeln!(truth, "{id}\t{name}")?;
    }
    backlog.flush()?;
    truth.flush()
}

/// One of some things by SplitMix64 (Steele, Lea and Flood 2014).
fn pick<'a, T>(from: &'a [T], state: &mut u64) -> &'a T {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    &from[((bits ^ (bits >> 31)) % from.len() as u64) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_the_same_again_and_holds_every_topic() -> Result<(), Failure> {
        let folder = tempfile::tempdir().expect("a folder");
        let made = |name: &str, seed| sample(&folder.path().join(name), 200, seed);
        let [a, b, c] = [made("a", 1)?, made("b", 1)?, made("c", 2)?];
        let read = |path: &Path| fs::read_to_string(path).expect("written");
        assert_eq!(read(&a.backlog), read(&b.backlog));
        assert_ne!(read(&a.backlog), read(&c.backlog));
        assert_eq!(read(&a.backlog).lines().count(), 200);
        for (name, _, sentences) in TOPICS {
            assert!(read(&a.truth).contains(&format!("\t{name}\n")), "{name}");
            assert!(sentences.iter().all(|sentence| sentence.matches("{}").count() == 1), "{name}");
        }
        Ok(())
    }
}
