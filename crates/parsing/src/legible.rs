//! Whether a text layer is text. Fonts of a PDF that do not say which letters they draw, or say it wrongly, make noise of
//! words that everybody can read on the page.
//!
//! Only Latin letters are judged; a page in another script, of numbers, or of too few words counts as text.

use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// For each letter those that often follow it: the pairs within the 300 commonest trigrams of at least five of the 37
/// languages in Latin letters that whatlang 0.18 knows, without their accents.
const FOLLOWERS: [&str; 26] = [
    "abcdfghijklmnprstuvwyz",
    "aeiloruy",
    "aehilotu",
    "aeilnorsuy",
    "bcdeghijklmnrstuvz",
    "aeforu",
    "aehilnoruy",
    "aeiou",
    "abcdeghijklmnoprstuvyz",
    "aeiou",
    "aeilorstuy",
    "aeiklmnostuy",
    "abeimou",
    "acdeghilnostuy",
    "bcdfgjklmnprstuvz",
    "aeiloru",
    "u",
    "abdeiklmnostuv",
    "aceiklmnopstuvy",
    "aehilnorstuvy",
    "acdeghiklmnoprstz",
    "aeio",
    "aeio",
    "",
    "acemnot",
    "aeio",
];

/// Shorter runs of letters are variables, units and ends of lines.
const SHORTEST: usize = 3;
/// A page on which this share of the signs has no letter by its fonts is noise unless it reads like text. In old papers many
/// such signs are the right letters all the same.
const UNMAPPED: f32 = 0.5;
/// On such a page, the least share of common pairs in text (pages of text had 0.8 and more, noise 0.5 and less), from so many
/// pairs on…
const UNMAPPED_COMMON: f64 = 0.7;
const UNMAPPED_PAIRS: usize = 30;
/// …and, where words are few, the share of signs that no text has.
const UNMAPPED_STRANGE: f64 = 0.05;
/// Elsewhere noise is a text of at least so many pairs, fewer of which are common than in any language…
const COMMON: f64 = 0.58;
const PAIRS: usize = 200;
/// …whose letters are as uneven as those of a language: two of them are the same with this probability (Friedman 1922, the
/// index of coincidence; 0.052 to 0.114 on thousands of pages in eleven languages). Codes and keys have less, genomes and
/// numbers in base 16 more.
const UNEVEN: std::ops::Range<f64> = 0.05..0.12;

/// What there is on a page to judge it by.
#[derive(Default)]
struct Signs {
    /// All that is visible.
    all: usize,
    /// Controls, private ones and those that stand for what is unknown.
    strange: usize,
    letters: usize,
    /// Pairs of neighbouring Latin letters in runs of such alone, and how many of them are common.
    pairs: usize,
    common: usize,
    /// How often each Latin letter is in those runs.
    counts: [usize; 26],
}

/// Whether `text` cannot be read; `unmapped` is the share of its signs of which the fonts do not say what they are.
pub fn is_noise(text: &str, unmapped: f32) -> bool {
    let signs = Signs::of(text);
    let common = share(signs.common, signs.pairs);
    let in_runs: usize = signs.counts.iter().sum();
    if share(signs.strange, signs.all) > 0.25 && unmapped >= UNMAPPED {
        return true;
    }
    if unmapped >= UNMAPPED && signs.pairs >= UNMAPPED_PAIRS && common < UNMAPPED_COMMON {
        return true;
    }
    if unmapped >= UNMAPPED && share(signs.strange, signs.all) >= UNMAPPED_STRANGE {
        return in_runs * 5 < signs.all * 2;
    }
    signs.pairs >= PAIRS && common < COMMON && in_runs * 2 > signs.letters && UNEVEN.contains(&signs.coincidence())
}

/// How much of `text` reads like a language: common pairs and letters of other scripts less uncommon pairs. For two readings
/// of the same page.
pub fn sense(text: &str) -> i64 {
    let signs = Signs::of(text);
    let in_runs: usize = signs.counts.iter().sum();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let foreign = signs.letters.saturating_sub(in_runs) / 2;
    count(2 * signs.common + foreign) - count(signs.pairs)
}

impl Signs {
    fn of(text: &str) -> Self {
        let mut signs = Self::default();
        let mut run: Vec<usize> = Vec::new();
        let mut foreign = false;
        let mut see = |c: char| {
            signs.all += usize::from(!c.is_whitespace());
            signs.strange += usize::from(is_strange(c));
            signs.letters += usize::from(c.is_alphabetic());
            match latin(c) {
                Some(letter) => run.push(letter),
                None if c.is_alphabetic() => foreign = true,
                None => {
                    if !foreign {
                        signs.take(&run);
                    }
                    run.clear();
                    foreign = false;
                }
            }
        };
        for c in text.chars() {
            if c.is_ascii() {
                see(c);
            } else {
                // Ligatures come apart, and accents off their letters.
                decompose_compatible(c, |c| {
                    if !is_combining_mark(c) {
                        see(c)
                    }
                });
            }
        }
        see('\n');
        signs
    }

    fn take(&mut self, run: &[usize]) {
        if run.len() < SHORTEST {
            return;
        }
        run.iter().for_each(|&letter| self.counts[letter] += 1);
        self.pairs += run.len() - 1;
        self.common += run.windows(2).filter(|pair| is_common(pair[0], pair[1])).count();
    }

    fn coincidence(&self) -> f64 {
        let all: usize = self.counts.iter().sum();
        let same = self.counts.iter().map(|&count| count * count.saturating_sub(1)).sum();
        share(same, all * all.saturating_sub(1))
    }
}

/// The place of a Latin letter in the alphabet.
fn latin(c: char) -> Option<usize> {
    let c = match c {
        'ı' => 'i',
        'ł' | 'Ł' => 'l',
        'ø' | 'Ø' => 'o',
        'đ' | 'Đ' => 'd',
        'ß' => 's',
        'æ' | 'Æ' => 'a',
        _ => c.to_ascii_lowercase(),
    };
    c.is_ascii_lowercase().then(|| c as usize - 'a' as usize)
}

fn is_common(first: usize, second: usize) -> bool {
    FOLLOWERS[first].bytes().any(|letter| usize::from(letter - b'a') == second)
}

fn is_strange(c: char) -> bool {
    let usual = matches!(c, '\t' | '\n' | '\r' | '\u{2}');
    (c.is_control() && !usual) || c == char::REPLACEMENT_CHARACTER || ('\u{e000}'..='\u{f8ff}').contains(&c)
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENGLISH: &str = "The committee met in the spring and agreed that the harbour should be widened before winter. \
        Nobody had asked the fishermen, who came to the next meeting with a list of their own: where the stones were to be \
        taken from, who would pay for the nets that were lost, and how long the market would have to be held elsewhere. It \
        was late when the chairman promised an answer in writing within the month.";

    /// A language or a kind of text that must not be taken for noise.
    const TEXTS: &[&str] = &[
        ENGLISH,
        "Der Ausschuss tagte im Frühjahr und beschloss, dass der Hafen vor dem Winter erweitert wird. Die Fischer waren nicht \
         gefragt worden; sie kamen zur nächsten Sitzung mit einer eigenen Liste: woher die Steine geholt werden sollten, wer \
         für verlorene Netze zahlt und wie lange der Markt anderswo stattfinden muss. Es war spät, als der Vorsitzende versprach, \
         binnen eines Monats schriftlich zu antworten.",
        "Komitet zebrał się wiosną i uzgodnił, że port powinien zostać poszerzony przed zimą. Nikt nie zapytał rybaków, którzy \
         przyszli na następne zebranie z własną listą: skąd mają być brane kamienie, kto zapłaci za utracone sieci i jak długo \
         targ będzie musiał odbywać się gdzie indziej. Było późno, gdy przewodniczący obiecał pisemną odpowiedź w ciągu miesiąca.",
        "Valiokunta kokoontui keväällä ja sopi, että satamaa on levennettävä ennen talvea. Kukaan ei ollut kysynyt kalastajilta, \
         jotka tulivat seuraavaan kokoukseen oman luettelonsa kanssa: mistä kivet otetaan, kuka maksaa kadonneet verkot ja kuinka \
         kauan toria on pidettävä muualla. Oli myöhä, kun puheenjohtaja lupasi kirjallisen vastauksen kuukauden kuluessa.",
        "Komite ilkbaharda toplandı ve limanın kıştan önce genişletilmesi gerektiğine karar verdi. Kimse balıkçılara sormamıştı; \
         onlar da bir sonraki toplantıya kendi listeleriyle geldiler: taşlar nereden alınacak, kaybolan ağların parasını kim \
         ödeyecek ve pazar ne kadar süre başka yerde kurulacak. Başkan bir ay içinde yazılı cevap sözü verdiğinde vakit geçti.",
        "Ủy ban họp vào mùa xuân và đồng ý rằng bến cảng phải được mở rộng trước mùa đông. Không ai hỏi những người đánh cá, họ \
         đến cuộc họp sau với danh sách của riêng mình: đá sẽ được lấy từ đâu, ai sẽ trả tiền cho những tấm lưới bị mất, và chợ \
         sẽ phải họp ở nơi khác trong bao lâu. Đã muộn khi chủ tịch hứa sẽ trả lời bằng văn bản trong vòng một tháng.",
        "Комитет собрался весной и решил, что гавань следует расширить до зимы. Рыбаков никто не спросил.",
        "Η επιτροπή συνήλθε την άνοιξη και συμφώνησε ότι το λιμάνι πρέπει να διευρυνθεί πριν από τον χειμώνα.",
        "اجتمعت اللجنة في الربيع واتفقت على أن الميناء يجب أن يوسع قبل الشتاء ولم يسأل أحد الصيادين عن رأيهم",
        "委員会は春に集まり、冬が来る前に港を広げることを決めた。漁師たちには誰も尋ねなかった。",
        "위원회는 봄에 모여 겨울이 오기 전에 항구를 넓히기로 합의했다. 어부들에게는 아무도 묻지 않았다.",
        "static int strncmp_ctx(const char *lhs, size_t len) { if (!lhs || len == 0) return -EINVAL; for (i = 0; i < len; i++) \
         { ptr[i] = buf[i] ^ msk; } memcpy(dst, src, sizeof(*dst)); pthread_mutex_lock(&mtx); printf(\"%s\\n\", str); fprintf(stderr, \
         fmt, args); goto out; } typedef struct { uint8_t hdr[4]; uint32_t crc; } pkt_t; #define MAX_LEN 4096",
        "NATO BBC SPD CDU FDP GmbH HTTP HTML XML PDF DNS TCP UDP SSH SSL TLS LDAP SMTP IMAP FTP NFS SMB USB PCI CPU GPU RAM ROM",
        "x 1",
        "",
        "Müller Schmidt Nowak Wright Rhys Jones Nguyễn Łukasz Kowalczyk Krzysztof Wiśniewski Horvath Nagy Szabo Papadopoulos",
    ];

    fn with_each(text: &str, change: impl Fn(u8) -> u8) -> String {
        let change = |c: char| match c {
            'a'..='z' => char::from(b'a' + change(c as u8 - b'a')),
            'A'..='Z' => char::from(b'A' + change(c as u8 - b'A')),
            _ => c,
        };
        text.chars().map(change).collect()
    }

    /// Signs of `alphabet`, each as likely as the others.
    fn random(alphabet: &[u8]) -> String {
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(alphabet[(state >> 33) as usize % alphabet.len()])
        };
        let lines = (0..60).map(|_| (0..64).map(|_| next()).collect::<String>());
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn text_is_no_noise() {
        for text in TEXTS {
            let many = format!("{text}\n").repeat(3);
            assert!(!is_noise(&many, 0.0) && !is_noise(&many, 0.1), "{text}");
        }
        // Fonts that say nothing, and draw the right letters.
        for text in &TEXTS[..6] {
            assert!(!is_noise(text, 0.9), "{text}");
        }
        assert!(!is_noise(&"1,204 17.5 -3 88 (12 %)\n".repeat(50), 0.9), "numbers");
    }

    #[test]
    fn keys_dumps_and_genomes_are_no_noise() {
        for alphabet in [
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "0123456789abcdef",
            "ACGT",
            "0123456789",
        ] {
            assert!(!is_noise(&random(alphabet.as_bytes()), 0.0), "{alphabet}");
        }
    }

    #[test]
    fn exchanged_letters_are_noise() {
        for text in &TEXTS[..4] {
            let (moved, turned) = (with_each(text, |at| (at + 5) % 26), with_each(text, |at| 25 - at));
            assert!(is_noise(&moved, 0.0), "{moved}");
            assert!(is_noise(&turned, 0.0), "{turned}");
            assert!(sense(text) > sense(&moved) && sense(text) > 0, "{text}");
        }
        let short = with_each("The harbour was widened before winter, which was late", |at| (at + 5) % 26);
        assert!(!is_noise(&short, 0.0) && is_noise(&short, 0.9), "a line says little, unless the fonts say nothing");
    }

    #[test]
    fn signs_without_letters_are_noise() {
        // The letters of a font of 29 signs, numbered from 1 in the order in which they first come.
        let codes: String = ENGLISH.chars().map(|c| char::from((c as u8) % 31 + 1)).collect();
        assert!(is_noise(&codes, 0.95) && sense(&codes) <= 0);
        assert!(!is_noise(&codes, 0.2), "formulas among text");
    }
}
