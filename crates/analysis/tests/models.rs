//! The models on real text: reference vectors, the tokenizer against the original one, and independence of microbatches.
//! Without model files these tests say so and stop.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sheaf_analysis::embedding::{Arithmetic, CHUNK_TOKENS, MAX_CHUNKS, MiniLm, StaticVectors, WordPiece, model_folder};
use sheaf_analysis::{Embedder, embed_documents, find_models};
use sheaf_domain::ModelName;
use tokenizers::Tokenizer;

#[derive(Deserialize)]
struct Reference {
    text: String,
    ids: Vec<u32>,
    vector: Vec<f32>,
}

/// The folder of a model, or a note that it is absent.
fn folder(name: ModelName) -> Option<PathBuf> {
    let folder = find_models().map(|dir| dir.join(model_folder(name))).filter(|dir| dir.is_dir());
    if folder.is_none() {
        eprintln!("SKIPPED: the model `{}` is not installed (cargo xtask setup)", model_folder(name));
    }
    folder
}

/// Made by a straightforward f32 implementation in NumPy with the original tokenizer.
fn references() -> Vec<Reference> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/minilm-reference.json");
    let text = fs::read_to_string(path).expect("the fixture is part of the checkout");
    serde_json::from_str(&text).expect("the fixture is a list of references")
}

fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn vectors_agree_with_the_reference() {
    let Some(folder) = folder(ModelName::Accurate) else { return };
    let references = references();
    let check = |arithmetic: Arithmetic, mean: f32, least: f32| {
        let model = MiniLm::open_as(&folder, arithmetic).expect("the model opens");
        let texts: Vec<&str> = references.iter().map(|reference| reference.text.as_str()).collect();
        let vectors = embed_documents(&model, &texts, &|_| ()).expect("they can be embedded");
        let cosines: Vec<f32> = references
            .iter()
            .zip(&vectors)
            .map(|(reference, vector)| cosine(&reference.vector, vector.as_deref().expect("a vector")))
            .collect();
        let found = cosines.iter().sum::<f32>() / cosines.len() as f32;
        assert!(found >= mean && cosines.iter().all(|&c| c >= least), "{}: mean {found}, {cosines:?}", model.id());
    };
    check(Arithmetic::Float, 0.9999, 0.9998);
    for arithmetic in [Arithmetic::Avx2, Arithmetic::AvxVnni, Arithmetic::Avx512Vnni] {
        match arithmetic.is_available() {
            true => check(arithmetic, 0.995, 0.985),
            false => eprintln!("SKIPPED: this processor has no {arithmetic:?}"),
        }
    }
}

#[test]
fn instructions_change_the_rounding_and_nothing_else() {
    let Some(folder) = folder(ModelName::Accurate) else { return };
    let texts = texts();
    let texts: Vec<&str> = texts.iter().take(150).map(String::as_str).collect();
    let vectors = |arithmetic: Arithmetic| {
        let model =
            arithmetic.is_available().then(|| MiniLm::open_as(&folder, arithmetic).expect("the model opens"))?;
        Some(embed_documents(&model, &texts, &|_| ()).expect("they can be embedded"))
    };
    let Some(expect) = vectors(Arithmetic::Avx2) else {
        eprintln!("SKIPPED: this processor has no AVX2");
        return;
    };
    if let Some(found) = vectors(Arithmetic::AvxVnni) {
        assert!(found == expect, "one id, one vector");
    }
    if let Some(found) = vectors(Arithmetic::Avx512Vnni) {
        // A value that is rounded the other way when it is quantised is off by a 255th of its row's range; it is not by more
        // than that, and not in many places.
        let cosines: Vec<f32> =
            found.iter().flatten().zip(expect.iter().flatten()).map(|(a, b)| cosine(a, b)).collect();
        let (least, mean) =
            (cosines.iter().copied().fold(1.0, f32::min), cosines.iter().sum::<f32>() / cosines.len() as f32);
        eprintln!(
            "{} texts: cosine to the other instructions' vector {mean} on average, {least} at least",
            cosines.len()
        );
        assert!(least > 0.999 && mean > 0.9998, "{mean}, {least}");
    }
}

#[test]
fn vectors_do_not_depend_on_company_or_threads() {
    let texts: Vec<String> = references()
        .into_iter()
        .map(|reference| reference.text)
        .chain((0..12).map(|i| "a longer text about nothing in particular, ".repeat(i * 9 + 1)))
        .collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for name in ModelName::ALL {
        if folder(name).is_none() {
            continue;
        }
        let dir = find_models().expect("just found");
        let model = sheaf_analysis::load_model(name, &dir).expect("the model opens");
        let on = |threads, texts: &[&str]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
            pool.install(|| embed_documents(&*model, texts, &|_| ())).expect("they can be embedded")
        };
        let together = on(1, &texts);
        assert_eq!(together, on(3, &texts), "threads");
        let mut reversed: Vec<&str> = texts.clone();
        reversed.reverse();
        let mut back = on(2, &reversed);
        back.reverse();
        assert_eq!(together, back, "order");
        for (text, vector) in texts.iter().zip(&together) {
            assert_eq!(on(1, &[text])[0], *vector, "alone: {:?}", &text[..text.len().min(20)]);
        }
    }
}

#[test]
fn documents_without_words_have_no_vector() {
    for name in ModelName::ALL {
        let Some(dir) = folder(name).and(find_models()) else { continue };
        let model = sheaf_analysis::load_model(name, &dir).expect("the model opens");
        let done = std::sync::atomic::AtomicUsize::new(0);
        let count = |_| {
            done.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        };
        let vectors = embed_documents(&*model, &["", " \n\t ", "\u{0}\u{200b}", "words"], &count).expect("embedded");
        assert_eq!(vectors.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, false, true]);
        assert_eq!(done.into_inner(), 4);
    }
}

/// Texts that are hard on tokenizers, and the labelled texts when they are at hand (`SHEAF_CORPORA`).
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = references().into_iter().map(|reference| reference.text).collect();
    texts.extend(
        [
            "",
            "###",
            "a\u{301}b",
            "İstanbul ŞIŞLI ß ﬁ",
            "x".repeat(101).as_str(),
            "e\u{301}".repeat(100).as_str(),
            "\u{feff}bom",
            "a\u{ad}b a\u{200d}b",
            "«quoted» – dash… 10€ ½ ², ©®™",
            "नमस्ते दुनिया",
            "𝔘𝔫𝔦 😀👍🏽",
            "tab\tnew\nline\r\n\u{2028}sep\u{3000}ideographic",
            "中文abc混合123",
            "\u{37e}greek question",
            "don't won’t it's",
            "한국어 조사",
            "ﷺ ǅ ŉ",
            "\u{e000}private",
            "a_b-c/d\\e",
            "ไทย ภาษา",
            "\u{85}\u{1c}x\u{b}y\u{c}z\u{7f}",
        ]
        .map(str::to_owned),
    );
    let corpora = std::env::var_os("SHEAF_CORPORA").map(PathBuf::from);
    for set in ["banking77", "bbc-news", "brown-genres"] {
        let Some(path) = corpora.as_ref().map(|dir| dir.join("text").join(set).join("data.jsonl")) else { break };
        let Ok(lines) = fs::read_to_string(&path) else { continue };
        for line in lines.lines() {
            let row: serde_json::Value = serde_json::from_str(line).expect("a row");
            texts.extend(row["text"].as_str().map(str::to_owned));
        }
    }
    texts
}

#[test]
fn tokens_are_those_of_the_original_tokenizer() {
    let Some(folder) = folder(ModelName::Accurate) else { return };
    let path = folder.join("tokenizer.json");
    let ours = WordPiece::open(&path).expect("the tokenizer opens");
    let mut original = Tokenizer::from_file(&path).expect("the tokenizer opens");
    original.with_padding(None).with_truncation(None).expect("truncation can be switched off");
    for text in texts() {
        let mut ids = Vec::new();
        let mut end = 0;
        ours.tokenize(&text, |token| {
            assert!(token.start < token.end && text.is_char_boundary(token.start) && text.is_char_boundary(token.end));
            assert!(token.end >= end);
            end = token.end;
            ids.push(token.id);
            true
        });
        let expect = original.encode_fast(text.as_str(), false).expect("it can be encoded");
        assert_eq!(ids, expect.get_ids(), "{:?}", text.chars().take(60).collect::<String>());
    }
    for reference in references() {
        let mut ids = Vec::new();
        ours.tokenize(&reference.text, |token| {
            ids.push(token.id);
            true
        });
        assert_eq!(ids, reference.ids);
    }
}

#[test]
fn chunks_are_spread_over_the_whole_text() {
    let Some(folder) = folder(ModelName::Accurate) else { return };
    let model = MiniLm::open(&folder).expect("the model opens");
    let check = |text: &str, count: usize| {
        let chunks = model.chunk(text);
        assert_eq!(chunks.len(), count, "{} bytes", text.len());
        let mut end = 0;
        for chunk in &chunks {
            assert!((1..=CHUNK_TOKENS).contains(&chunk.ids.len()) && chunk.range.start >= end);
            assert!(text.get(chunk.range.clone()).is_some_and(|part| !part.trim().is_empty()));
            end = chunk.range.end;
        }
    };
    check("", 0);
    check("word", 1);
    check(&"word ".repeat(CHUNK_TOKENS), 1);
    check(&"word ".repeat(CHUNK_TOKENS + 1), 2);
    check(&"word ".repeat(CHUNK_TOKENS * MAX_CHUNKS), MAX_CHUNKS);
    check(&"naïve wörds ".repeat(1_000_000), MAX_CHUNKS);
    check(&"x".repeat(3_000_000), 1);
    check(&"中".repeat(100_000), MAX_CHUNKS);
    let long = "word ".repeat(1_000_000);
    let starts: Vec<usize> = model.chunk(&long).iter().map(|chunk| chunk.range.start).collect();
    for (i, start) in starts.iter().enumerate() {
        assert!(start.abs_diff(i * long.len() / MAX_CHUNKS) < 200, "{starts:?}");
    }
}

#[test]
fn the_fast_model_follows_from_the_accurate_one() {
    let Some(folder) = folder(ModelName::Fast) else { return };
    let model = StaticVectors::open(&folder).expect("the model opens");
    let texts = ["the striker scored a goal", "a goalkeeper saved the penalty", "interest rates and inflation rose"];
    let vectors: Vec<Vec<f32>> =
        embed_documents(&model, &texts, &|_| ()).expect("embedded").into_iter().flatten().collect();
    assert_eq!(vectors[0].len(), 256);
    assert!(cosine(&vectors[0], &vectors[1]) > cosine(&vectors[0], &vectors[2]) + 0.1);
}
