//! The characters of Word's symbol fonts, which Unicode has elsewhere: Word keeps them from U+F000.

/// The font Symbol from 0x21 (Adobe's encoding vector `Symbol`); `\0` where it has none, or a piece of a large bracket.
const SYMBOL: [&str; 2] = [
    "!∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\0αβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    "€ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…\0\0↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊〈®©™∑",
];
/// Where the two parts begin.
const STARTS: [u32; 2] = [0x21, 0xa0];
/// What forms and lists take from Wingdings.
const WINGDINGS: &[(u32, char)] = &[
    (0x4a, '☺'),
    (0x6c, '●'),
    (0x6e, '■'),
    (0x6f, '☐'),
    (0x71, '❑'),
    (0x76, '❖'),
    (0x9f, '•'),
    (0xa7, '▪'),
    (0xa8, '☐'),
    (0xd8, '➢'),
    (0xdf, '←'),
    (0xe0, '→'),
    (0xfb, '✗'),
    (0xfc, '✓'),
    (0xfd, '☒'),
    (0xfe, '☑'),
];

/// The character that a font shows for a code, with or without the U+F000 that Word adds.
pub fn of_font(font: &str, code: u32) -> Option<char> {
    let code = if (0xf000..=0xf0ff).contains(&code) { code - 0xf000 } else { code };
    match font {
        "Symbol" => symbol(code),
        "Wingdings" => wingding(code),
        // Any other font has what Unicode has.
        _ if code > 0xff => char::from_u32(code),
        _ => None,
    }
}

/// What a character from U+F000 most likely is where the font is not known: one of Symbol, if Wingdings has no usual one
/// there. Other characters are themselves; `None` for what cannot be told.
pub fn of_private(character: char) -> Option<char> {
    match u32::from(character) {
        code @ 0xf000..=0xf0ff if wingding(code - 0xf000).is_none() => symbol(code - 0xf000),
        0xf000..=0xf0ff => None,
        _ => Some(character),
    }
}

fn symbol(code: u32) -> Option<char> {
    let at = STARTS.iter().rposition(|&start| code >= start)?;
    SYMBOL[at].chars().nth((code - STARTS[at]) as usize).filter(|&c| c != '\0')
}

fn wingding(code: u32) -> Option<char> {
    WINGDINGS.iter().find(|row| row.0 == code).map(|row| row.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_what_they_look_like() {
        #[track_caller]
        fn check(font: &str, code: u32, expect: Option<char>) {
            assert_eq!(of_font(font, code), expect, "{font} {code:x}");
        }
        check("Symbol", 0xf061, Some('α'));
        check("Symbol", 0x7a, Some('ζ'));
        check("Symbol", 0xf057, Some('Ω'));
        check("Symbol", 0xf0a3, Some('≤'));
        check("Symbol", 0xf0b3, Some('≥'));
        check("Symbol", 0xf0b7, Some('•'));
        check("Symbol", 0xf0de, Some('⇒'));
        check("Symbol", 0xf0e5, Some('∑'));
        check("Symbol", 0xf060, None);
        check("Symbol", 0xf094, None);
        check("Symbol", 0xf0ff, None);
        check("Wingdings", 0xf0fc, Some('✓'));
        check("Wingdings", 0xf021, None);
        check("Arial", 0x2022, Some('•'));
        check("Arial", 0x41, None);
        assert_eq!(of_private('\u{f062}'), Some('β'));
        assert_eq!(of_private('\u{f0b7}'), Some('•'));
        assert_eq!(of_private('\u{f0fc}'), None);
        assert_eq!(of_private('x'), Some('x'));
    }
}
