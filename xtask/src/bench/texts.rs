//! Short texts for measurements, the same on every machine, no two alike.

/// Words by topic, so that there is something to group.
const TOPICS: [[&str; 8]; 6] = [
    ["harbour", "ship", "crew", "cargo", "anchor", "pilot", "tide", "storm"],
    ["bread", "flour", "oven", "dough", "yeast", "crust", "baker", "salt"],
    ["invoice", "payment", "refund", "account", "card", "balance", "charge", "transfer"],
    ["violin", "concert", "orchestra", "string", "bow", "melody", "audience", "score"],
    ["galaxy", "comet", "orbit", "telescope", "planet", "eclipse", "star", "probe"],
    ["orchard", "apple", "harvest", "soil", "branch", "frost", "ladder", "cider"],
];

/// Around them, so that sentences are not all alike.
const OTHERS: [&str; 10] =
    ["yesterday", "slowly", "near", "letter", "question", "answer", "again", "morning", "village", "reason"];

/// The `i`th text of the set with this salt: one sentence of some twenty words.
pub fn text(salt: usize, i: usize) -> String {
    let mut state = (salt as u64) << 40 | i as u64;
    // SplitMix64 (Steele, Lea and Flood 2014).
    let mut next = |below: usize| {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as usize % below
    };
    let topic = TOPICS[next(TOPICS.len())];
    let mut words = vec![format!("Note {salt}-{i}:")];
    for _ in 0..10 {
        words.push(topic[next(topic.len())].to_owned());
        words.push(OTHERS[next(OTHERS.len())].to_owned());
    }
    words.join(" ") + "."
}
