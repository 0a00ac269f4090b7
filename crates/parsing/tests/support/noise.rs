//! A PDF whose fonts do not say which letters they draw, or say it wrongly: everybody can read its pages, and their text is
//! noise.

use super::made::assemble;

/// Text for such pages: enough of it to tell noise from language.
pub const LINES: [&str; 10] = [
    "The harbour was widened before winter",
    "and nobody had asked the fishermen about it",
    "They came to the meeting with their list",
    "Where would the stones be taken from",
    "Who pays for the nets that were lost",
    "How long is the market held elsewhere",
    "It was late when the chairman promised",
    "an answer in writing within the month",
    "The stones are grey and come from the north",
    "and all of them are as heavy as a horse",
];

/// Three pages with these lines in Courier. The first has them in a Type 3 font that numbers its signs and names none, the
/// second in a font whose map to Unicode is wrong by five letters, the third has `plain` in a font that is as it should.
pub fn noisy_pdf(lines: &[&str], plain: &[&str]) -> Vec<u8> {
    let mut signs: Vec<char> = Vec::new();
    for sign in lines.iter().flat_map(|line| line.chars()) {
        if !signs.contains(&sign) {
            signs.push(sign);
        }
    }
    let number = |sign: char| signs.iter().position(|&known| known == sign).expect("listed") + 1;
    let first_sign = 12;
    let names: Vec<String> = (1..=signs.len()).map(|sign| format!("/a{sign}")).collect();
    let drawings: Vec<String> =
        (1..=signs.len()).map(|sign| format!("/a{sign} {} 0 R", first_sign + sign - 1)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [6 0 R 7 0 R 8 0 R] /Count 3 >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>".to_owned(),
        format!(
            "<< /Type /Font /Subtype /Type3 /FontBBox [0 -300 600 900] /FontMatrix [0.001 0 0 0.001 0 0] /FirstChar 1 \
             /LastChar {} /Widths [{}] /Encoding << /Type /Encoding /Differences [1 {}] >> /CharProcs << {} >> \
             /Resources << /Font << /F1 3 0 R >> >> >>",
            signs.len(),
            "600 ".repeat(signs.len()),
            names.join(" "),
            drawings.join(" "),
        ),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /ToUnicode 11 0 R >>".to_owned(),
    ];
    for page in 0..3 {
        let font = [4, 5, 3][page];
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R \
             /Resources << /Font << /F1 {font} 0 R >> >> >>",
            [9, first_sign + signs.len(), 10][page],
        ));
    }
    let shown = |code: &dyn Fn(char) -> usize, lines: &[&str]| {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| format!("<{}> Tj T*", line.chars().map(|c| format!("{:02x}", code(c))).collect::<String>()))
            .collect();
        stream(&format!("BT /F1 18 Tf 24 TL 72 760 Td {} ET", lines.join("\n")))
    };
    objects.push(shown(&number, lines));
    objects.push(shown(&|c| c as usize, plain));
    let moved = |c: u8, from: u8| from + (c - from + 5) % 26;
    let map: Vec<String> = (b'A'..=b'Z')
        .map(|c| (c, moved(c, b'A')))
        .chain((b'a'..=b'z').map(|c| (c, moved(c, b'a'))))
        .chain([(b' ', b' ')])
        .map(|(code, letter)| format!("<{code:02x}> <{letter:04x}>"))
        .collect();
    objects.push(stream(&format!(
        "/CIDInit /ProcSet findresource begin\nbegincmap\n1 begincodespacerange\n<00> <ff>\nendcodespacerange\n\
         {} beginbfchar\n{}\nendbfchar\nendcmap\nend",
        map.len(),
        map.join("\n")
    )));
    for sign in &signs {
        objects.push(stream(&format!("600 0 d0 BT /F1 1000 Tf <{:02x}> Tj ET", *sign as u32)));
    }
    objects.push(shown(&|c| c as usize, lines));
    assemble(&objects)
}

fn stream(content: &str) -> String {
    format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len())
}
