//! Tesseract's TSV: a row for each block, paragraph, line and word, the words with boxes and confidence.

use sheaf_domain::WordBox;

use super::RecognisedPage;

/// The level of a row that is a word.
const WORD: &str = "5";
/// Ten-thousandths: the unit of boxes.
const WHOLE: u32 = 10_000;

/// The text of a page of `width` by `height` pixels. Rows that make no sense are left out.
pub fn read(table: &str, width: u32, height: u32) -> RecognisedPage {
    let mut page = RecognisedPage::default();
    let (mut weight, mut sum) = (0.0, 0.0);
    let mut before: Option<[&str; 3]> = None;
    for row in table.lines().skip(1) {
        let cells: Vec<&str> = row.splitn(12, '\t').collect();
        let [level, _, block, paragraph, line, _, left, top, wide, high, confidence, text] = cells[..] else {
            continue;
        };
        let text = text.trim();
        if level != WORD || text.is_empty() {
            continue;
        }
        let Ok(confidence) = confidence.parse::<f32>() else { continue };
        let place = [block, paragraph, line];
        page.text.push_str(match before {
            None => "",
            Some(before) if before == place => " ",
            Some(before) if before[..2] == place[..2] => "\n",
            Some(_) => "\n\n",
        });
        before = Some(place);
        let share = |pixels: &str, of: u32| {
            let pixels: u32 = pixels.parse().unwrap_or(0);
            u16::try_from(u64::from(pixels.min(of)) * u64::from(WHOLE) / u64::from(of.max(1))).unwrap_or(u16::MAX)
        };
        page.words.push(WordBox {
            start: page.text.len() as u32,
            length: text.len() as u32,
            left: share(left, width),
            top: share(top, height),
            width: share(wide, width),
            height: share(high, height),
        });
        page.text.push_str(text);
        let letters = text.chars().count() as f32;
        weight += letters;
        sum += letters * (confidence / 100.0).clamp(0.0, 1.0);
    }
    page.confidence = if weight > 0.0 { sum / weight } else { 0.0 };
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{any, proptest};

    const TABLE: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
        1\t1\t0\t0\t0\t0\t0\t0\t200\t100\t-1\t\n\
        5\t1\t1\t1\t1\t1\t20\t10\t40\t20\t90\tThe\n\
        5\t1\t1\t1\t1\t2\t70\t10\t60\t20\t80\tharbour\n\
        5\t1\t1\t1\t2\t1\t20\t40\t40\t20\t100\twas\n\
        5\t1\t2\t1\t1\t1\t20\t80\t40\t20\t60\twide\n";

    #[test]
    fn words_become_lines_and_paragraphs() {
        let page = read(TABLE, 200, 100);
        assert_eq!(page.text, "The harbour\nwas\n\nwide");
        let texts: Vec<&str> =
            page.words.iter().map(|w| &page.text[w.start as usize..(w.start + w.length) as usize]).collect();
        assert_eq!(texts, ["The", "harbour", "was", "wide"]);
        let WordBox { left, top, width, height, .. } = page.words[1];
        assert_eq!((left, top, width, height), (3500, 1000, 3000, 2000));
        let mean = (3.0 * 0.9 + 7.0 * 0.8 + 3.0 + 4.0 * 0.6) / 17.0;
        assert!((page.confidence - mean).abs() < 1e-6, "{}", page.confidence);
    }

    proptest! {
        #[test]
        fn noise_is_never_a_panic(noise in any::<String>(), cells in "[0-9a\t\n.-]{0,200}") {
            read(&noise, 10, 0);
            let page = read(&format!("head\n{cells}"), 100, 100);
            assert!(page.words.iter().all(|w| page.text.get(w.start as usize..(w.start + w.length) as usize).is_some()));
        }
    }
}
