//! What is known about a language: its stop words and its stemmer. Each language is set up once in a process.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use rust_stemmers::{Algorithm, Stemmer};
use rustc_hash::{FxHashMap, FxHashSet};

/// Stems that a thread remembers of a language; then it forgets all and begins anew.
const REMEMBERED: usize = 1 << 15;

/// Those that were asked for, by code; what has no code here is under the empty one.
static LANGUAGES: LazyLock<Mutex<FxHashMap<String, Arc<Language>>>> = LazyLock::new(Mutex::default);

/// The stem of each word.
type Stems = FxHashMap<Box<str>, Box<str>>;

thread_local! {
    /// Stems by stemmer and word: batches say the same words over and over, and a stemmer takes a microsecond for each.
    static STEMS: RefCell<FxHashMap<u8, Stems>> = RefCell::default();
}

/// Stop words and stemmer of one language; English where the language is not known.
pub(super) struct Language {
    stop_words: FxHashSet<&'static str>,
    stemmer: Option<(Algorithm, Stemmer)>,
}

impl Language {
    /// By ISO 639-3 code.
    pub(super) fn of(code: Option<&str>) -> Arc<Self> {
        let code = code.unwrap_or("eng");
        let is_known = short_code(code).is_some() || algorithm(code).is_some();
        let code = if is_known { code } else { "" };
        let mut languages = LANGUAGES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = languages.get(code) {
            return Arc::clone(known);
        }
        let language = Arc::new(Self::new(code));
        languages.insert(code.to_owned(), Arc::clone(&language));
        language
    }

    fn new(code: &str) -> Self {
        let english = stop_words::lookup("en").unwrap_or_default();
        let own = short_code(code).and_then(stop_words::lookup).unwrap_or_default();
        // English is everywhere: in headers, names and quotations.
        let stop_words = english.iter().chain(own).chain(MORE_STOP_WORDS).copied().collect();
        Self { stop_words, stemmer: algorithm(code).map(|algorithm| (algorithm, Stemmer::create(algorithm))) }
    }

    /// Whether `word`, in lower case, says nothing about a text's subject.
    pub(super) fn is_stop_word(&self, word: &str) -> bool {
        self.stop_words.contains(word)
    }

    /// What the forms of one word have in common.
    pub(super) fn stem(&self, word: &str) -> String {
        let Some((algorithm, stemmer)) = &self.stemmer else { return word.to_owned() };
        STEMS.with_borrow_mut(|stems| {
            let stems = stems.entry(*algorithm as u8).or_default();
            if let Some(stem) = stems.get(word) {
                return stem.to_string();
            }
            let stem = stemmer.stem(word).into_owned();
            if stems.len() >= REMEMBERED {
                stems.clear();
            }
            stems.insert(word.into(), stem.as_str().into());
            stem
        })
    }
}

/// Words of letters and reports that the lists lack.
const MORE_STOP_WORDS: &[&str] = &[
    "also", "can", "could", "did", "does", "doing", "done", "don", "etc", "get", "got", "has", "have", "http", "https",
    "isn", "just", "ll", "may", "might", "mr", "mrs", "ms", "must", "need", "one", "per", "re", "said", "say", "says",
    "shall", "should", "two", "upon", "use", "used", "using", "ve", "want", "will", "would", "www", "com", "org",
    "html", "pdf",
];

/// ISO 639-1 for the languages that have a list.
fn short_code(code: &str) -> Option<&'static str> {
    Some(match code {
        "afr" => "af",
        "ara" => "ar",
        "ben" => "bn",
        "bul" => "bg",
        "cat" => "ca",
        "ces" => "cs",
        "cmn" | "zho" => "zh",
        "dan" => "da",
        "deu" => "de",
        "ell" => "el",
        "eng" => "en",
        "epo" => "eo",
        "est" => "et",
        "fin" => "fi",
        "fra" => "fr",
        "guj" => "gu",
        "heb" => "he",
        "hin" => "hi",
        "hrv" => "hr",
        "hun" => "hu",
        "hye" => "hy",
        "ind" => "id",
        "ita" => "it",
        "jpn" => "ja",
        "kor" => "ko",
        "lat" => "la",
        "lav" => "lv",
        "lit" => "lt",
        "mar" => "mr",
        "nld" => "nl",
        "nob" | "nor" => "no",
        "pes" | "fas" => "fa",
        "pol" => "pl",
        "por" => "pt",
        "ron" => "ro",
        "rus" => "ru",
        "slk" => "sk",
        "slv" => "sl",
        "spa" => "es",
        "swe" => "sv",
        "tgl" => "tl",
        "tha" => "th",
        "tur" => "tr",
        "ukr" => "uk",
        "urd" => "ur",
        "vie" => "vi",
        "zul" => "zu",
        _ => return None,
    })
}

fn algorithm(code: &str) -> Option<Algorithm> {
    Some(match code {
        "ara" => Algorithm::Arabic,
        "dan" => Algorithm::Danish,
        "nld" => Algorithm::Dutch,
        "eng" => Algorithm::English,
        "fin" => Algorithm::Finnish,
        "fra" => Algorithm::French,
        "deu" => Algorithm::German,
        "ell" => Algorithm::Greek,
        "hun" => Algorithm::Hungarian,
        "ita" => Algorithm::Italian,
        "nob" | "nor" => Algorithm::Norwegian,
        "por" => Algorithm::Portuguese,
        "ron" => Algorithm::Romanian,
        "rus" => Algorithm::Russian,
        "spa" => Algorithm::Spanish,
        "swe" => Algorithm::Swedish,
        "tam" => Algorithm::Tamil,
        "tur" => Algorithm::Turkish,
        _ => return None,
    })
}
