//! Quotes from real documents are found on their page, as a model would copy them, and fabricated ones are found nowhere.

mod support;

use sheaf_analysis::extraction::locate;
use support::Server;

/// Words of a quote.
const WORDS: usize = 10;
/// Documents, and pages of each.
const DOCUMENTS: usize = 16;
const PAGES: u64 = 8;

/// The text of the pages of each document.
async fn read(server: &Server, batch: &str) -> Vec<Vec<String>> {
    let (_, documents) = server.get(&format!("/api/batches/{batch}/documents?status=completed&limit=100")).await;
    let mut texts = Vec::new();
    for document in documents["items"].as_array().expect("a list") {
        let id = document["id"].as_str().expect("an id");
        let mut pages = Vec::new();
        for number in 1..=document["pages"].as_u64().unwrap_or(1).min(PAGES) {
            let (_, page) = server.get(&format!("/api/batches/{batch}/documents/{id}/pages/{number}")).await;
            pages.push(page["text"].as_str().unwrap_or_default().to_owned());
        }
        texts.push(pages);
    }
    texts
}

/// Stretches of a page without its line breaks, from several places of it.
fn quotes(page: &str) -> Vec<String> {
    let words: Vec<&str> = page.split_whitespace().collect();
    let step = (words.len() / 6).max(WORDS);
    words.chunks(step).filter_map(|part| part.get(..WORDS)).map(|part| part.join(" ")).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn quotes_of_documents_are_found_on_their_page_and_fabricated_ones_nowhere() {
    let Some(corpus) = support::corpus("documents/pdf") else { return };
    let files = support::files(&corpus).into_iter();
    let small = files.filter(|(name, bytes)| name.ends_with(".pdf") && bytes.len() < 600_000);
    // From all folders, evenly.
    let small: Vec<_> = small.collect();
    let step = (small.len() / DOCUMENTS).max(1);
    let chosen: Vec<_> = small.into_iter().step_by(step).take(DOCUMENTS).collect();
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(data.path(), &[]);
    let (status, batch) = server.upload(&[("model", "fast")], &chosen).await;
    assert_eq!(status, 201, "{batch}");
    let id = batch["id"].as_str().expect("an id").to_owned();
    server.finished(&id).await;
    let texts = read(&server, &id).await;

    let (mut looked_for, mut right, mut fabricated) = (0_u32, 0_u32, 0_u32);
    for pages in &texts {
        let plain: Vec<String> = pages.iter().map(|page| squeezed(page)).collect();
        for (number, page) in pages.iter().enumerate() {
            for quote in quotes(page) {
                // What stands on several pages has no right one.
                let is_alone = plain.iter().filter(|page| page.contains(&quote)).count() == 1;
                if !is_alone || quote.chars().filter(|c| c.is_alphabetic()).count() < 30 {
                    continue;
                }
                looked_for += 1;
                right += u32::from(pages.iter().position(|page| locate(page, &quote).is_some()) == Some(number));
                let mut words: Vec<&str> = quote.split(' ').collect();
                words.insert(WORDS / 2, "nevermore");
                let more = words.join(" ");
                words.remove(WORDS / 2);
                words.swap(2, WORDS - 3);
                for made_up in [more, words.join(" ")].into_iter().filter(|made_up| *made_up != quote) {
                    fabricated += 1;
                    let found = pages.iter().find_map(|page| locate(page, &made_up));
                    assert!(found.is_none(), "`{made_up}` stands nowhere");
                }
            }
        }
    }
    println!("{right} of {looked_for} quotes were found on their page; {fabricated} fabricated ones nowhere");
    assert!(looked_for >= 200 && fabricated >= 200, "{looked_for} quotes, {fabricated} fabricated");
    assert!(f64::from(right) >= 0.99 * f64::from(looked_for), "{right} of {looked_for}");
}
