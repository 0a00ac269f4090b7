//! Manual pages of Unix (roff with the macros of man or mdoc): the words without the commands. Headings and paragraphs stay;
//! fonts, spacing, definitions and conditions go.

use sheaf_domain::Failure;

use crate::charset;
use crate::formats::markdown::one_line;
use crate::output::Output;

/// Macros of mdoc that mark words within a line; the words stay.
const MARKS: &[&str] = &[
    "Ad", "An", "Ap", "Aq", "Ar", "Bq", "Brq", "Cd", "Cm", "Dq", "Dv", "Em", "Er", "Ev", "Fa", "Fl", "Fn", "Ft", "Ic",
    "In", "Lb", "Li", "Lk", "Ms", "Mt", "Nd", "Nm", "No", "Ns", "Oc", "Oo", "Op", "Pa", "Pc", "Po", "Pq", "Ql", "Qq",
    "Sc", "So", "Sq", "St", "Sx", "Sy", "Tn", "Va", "Vt", "Xc", "Xo", "Xr",
];

/// One page.
pub fn parse(bytes: &[u8], output: &mut Output<'_>) -> Result<(), Failure> {
    let source = charset::decode(bytes, None).text;
    let mut page = Page::default();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        match line.strip_prefix(['.', '\'']) {
            Some(command) => page.command(command.trim_start(), &mut lines),
            None => page.line(&plain(line)),
        }
    }
    output.metadata.title = page.title;
    output.page(&page.text)
}

/// Whether a text is such a page: it begins with a command or a comment, and has a title.
pub fn is_man(start: &str) -> bool {
    let title = |line: &str| line.starts_with(".TH ") || line.starts_with(".Dt ") || line.starts_with(".Dd ");
    start.starts_with(['.', '\'']) && start.lines().take(200).any(title)
}

#[derive(Default)]
struct Page {
    text: String,
    title: Option<String>,
    /// What `.Nm` stands for.
    name: String,
    /// Whether lines are to stay as they are.
    as_it_is: bool,
}

impl Page {
    fn command<'a>(&mut self, command: &str, lines: &mut impl Iterator<Item = &'a str>) {
        let (name, rest) = command.split_once([' ', '\t']).unwrap_or((command, ""));
        match name {
            "TH" | "Dt" => {
                let words = arguments(rest);
                if let [page, section, ..] = words.as_slice() {
                    self.title = Some(format!("{page}({section})"));
                    self.heading("#", &format!("{page}({section})"));
                }
            }
            "SH" | "Sh" => self.heading("##", &words(rest)),
            "SS" | "Ss" => self.heading("###", &words(rest)),
            "PP" | "P" | "LP" | "Pp" | "HP" | "TP" | "TQ" | "Sp" | "sp" | "Bl" | "El" | "RS" | "RE" => self.paragraph(),
            "IP" => {
                self.paragraph();
                self.line(arguments(rest).first().map_or("", String::as_str));
            }
            "It" => {
                self.paragraph();
                self.line(&marked(rest, &self.name));
            }
            "br" => self.line_end(),
            "nf" | "EX" | "Vb" | "Bd" => self.literal(true),
            "fi" | "EE" | "Ve" | "Ed" => self.literal(false),
            "B" | "I" | "SM" | "SB" | "OP" | "UR" | "MT" | "SY" | "Dl" | "D1" => self.line(&words(rest)),
            "BR" | "RB" | "BI" | "IB" | "IR" | "RI" => self.line(&arguments(rest).concat()),
            "Nm" if !rest.trim().is_empty() && self.name.is_empty() => {
                self.name = arguments(rest).swap_remove(0);
                self.line(&marked(rest, ""));
            }
            "TS" => self.table(lines),
            // A definition, or what is to be ignored, ends with two dots.
            "de" | "de1" | "am" | "ig" => drop(lines.find(|line| line.starts_with(".."))),
            "if" | "ie" | "el" if rest.contains("\\{") => skip_block(rest, lines),
            mark if MARKS.contains(&mark) => self.line(&marked(command, &self.name)),
            // The rest sets up the page and shows nothing.
            _ => {}
        }
    }

    fn heading(&mut self, marks: &str, heading: &str) {
        self.literal(false);
        self.text.push_str(&format!("{marks} {}\n\n", one_line(heading)));
    }

    fn paragraph(&mut self) {
        self.line_end();
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn line_end(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    fn literal(&mut self, on: bool) {
        self.paragraph();
        self.as_it_is = on;
    }

    fn line(&mut self, line: &str) {
        if self.as_it_is {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        } else if line.trim().is_empty() {
            self.paragraph();
        } else {
            if !self.text.is_empty() && !self.text.ends_with('\n') {
                self.text.push(' ');
            }
            self.text.push_str(line.trim());
        }
    }

    /// A table of tbl: options and formats up to a line that ends in a dot, then rows.
    fn table<'a>(&mut self, lines: &mut impl Iterator<Item = &'a str>) {
        self.literal(true);
        let mut is_data = false;
        for line in lines {
            if line.starts_with(".TE") {
                break;
            }
            if is_data && !line.starts_with('.') && !line.starts_with("T{") {
                self.line(&plain(line).replace("T}", ""));
            }
            is_data |= line.trim_end().ends_with('.') && !line.starts_with('.');
        }
        self.literal(false);
    }
}

/// Passes over what a condition holds in braces.
fn skip_block<'a>(begun: &str, lines: &mut impl Iterator<Item = &'a str>) {
    let depth = |line: &str| line.matches("\\{").count() as i64 - line.matches("\\}").count() as i64;
    let mut open = depth(begun);
    while open > 0
        && let Some(line) = lines.next()
    {
        open += depth(line);
    }
}

/// The arguments of a command: words, or what is in double quotes, where two stand for one.
fn arguments(text: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with("\\\"") {
        let end = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut end = 0;
                while let Some(at) = quoted[end..].find('"') {
                    end += at;
                    if !quoted[end + 1..].starts_with('"') {
                        break;
                    }
                    end += 2;
                }
                let end = if quoted[end..].starts_with('"') { end } else { quoted.len() };
                arguments.push(plain(&quoted[..end].replace("\"\"", "\"")));
                (end + 2).min(rest.len())
            }
            None => {
                let mut escaped = false;
                let is_end = |c: char| {
                    let ends = !escaped && (c == ' ' || c == '\t');
                    escaped = !escaped && c == '\\';
                    ends
                };
                let end = rest.find(is_end).unwrap_or(rest.len());
                arguments.push(plain(&rest[..end]));
                end
            }
        };
        rest = rest[end..].trim_start();
    }
    arguments
}

fn words(rest: &str) -> String {
    arguments(rest).join(" ")
}

/// A line of mdoc without its marks: `Fl l` is `-l`, `Xr ls 1` is `ls(1)`, and `Nm` alone is the name of the page.
fn marked(line: &str, name: &str) -> String {
    let mut text = String::new();
    let (mut before, mut glued) = ("", false);
    for word in arguments(line) {
        if word == "Nm" && !name.is_empty() {
            text.push_str(if text.is_empty() || glued { "" } else { " " });
            text.push_str(name);
        }
        if let Some(mark) = MARKS.iter().find(|mark| **mark == word) {
            glued |= *mark == "Ns" || *mark == "Ap";
            before = mark;
            continue;
        }
        let is_stop = matches!(word.as_str(), "." | "," | ";" | ":" | ")" | "?" | "]");
        if !text.is_empty() && !glued && !is_stop && !text.ends_with(['(', '[']) && before != "(" {
            text.push(' ');
        }
        match before {
            "Fl" if !is_stop => text.push_str(&format!("-{word}")),
            "Nd" => text.push_str(&format!("– {word}")),
            "(" => text.push_str(&format!("({word})")),
            _ => text.push_str(&word),
        }
        glued = false;
        before = if before == "Xr" { "(" } else { "" };
    }
    text
}

/// A piece of text without its escapes (groff 7).
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let mut characters = rest[at + 1..].chars();
        match characters.next() {
            None | Some('"' | '#') => return plain,
            Some('e' | '\\') => plain.push('\\'),
            Some(' ' | '~' | '0') => plain.push(' '),
            Some('(') => plain.push_str(&special(&characters.by_ref().take(2).collect::<String>())),
            Some('[') => plain.push_str(&special(&characters.by_ref().take_while(|c| *c != ']').collect::<String>())),
            Some('*') => plain.push_str(&special(&name(&mut characters))),
            Some('f' | 'F' | 'm' | 'M' | 'n' | 'k' | 'g' | 'V' | 'Y') => drop(name(&mut characters)),
            Some('s') => {
                let signed = characters.clone().next().is_some_and(|c| matches!(c, '+' | '-'));
                characters.by_ref().take(1 + usize::from(signed)).for_each(drop);
            }
            Some('h' | 'v' | 'w' | 'X' | 'l' | 'L' | 'o' | 'b' | 'D' | 'Z') => {
                let quote = characters.next();
                characters.by_ref().take_while(|c| Some(*c) != quote).for_each(drop);
            }
            Some('-') => plain.push('-'),
            Some('\'') => plain.push('\''),
            Some('`') => plain.push('`'),
            Some('.') => plain.push('.'),
            // The rest are thin spaces, places where words may be broken, and ends of lines.
            Some(_) => {}
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    plain
}

/// The name after an escape: one letter, two after `(`, or all up to `]`.
fn name(characters: &mut std::str::Chars<'_>) -> String {
    match characters.next() {
        Some('(') => characters.by_ref().take(2).collect(),
        Some('[') => characters.by_ref().take_while(|c| *c != ']').collect(),
        one => one.into_iter().collect(),
    }
}

/// A character by its name in groff (groff_char 7).
fn special(name: &str) -> String {
    let known = match name {
        "bu" => "•",
        "em" => "—",
        "en" => "–",
        "hy" | "mi" => "-",
        "lq" => "“",
        "rq" => "”",
        "oq" => "‘",
        "cq" => "’",
        "aq" | "Aq" => "'",
        "dq" => "\"",
        "ti" => "~",
        "ha" => "^",
        "ga" => "`",
        "rs" => "\\",
        "la" => "⟨",
        "ra" => "⟩",
        "co" => "©",
        "rg" | "R" => "®",
        "tm" | "Tm" => "™",
        "->" => "→",
        "<-" => "←",
        ">=" => "≥",
        "<=" => "≤",
        "mu" => "×",
        "ss" => "ß",
        _ => {
            let code = name.strip_prefix('u').and_then(|code| u32::from_str_radix(code, 16).ok());
            return code.and_then(char::from_u32).map(String::from).unwrap_or_else(|| accented(name));
        }
    };
    known.to_owned()
}

/// `:a` is `ä`, `'e` is `é`.
fn accented(name: &str) -> String {
    let mut characters = name.chars();
    let (Some(accent), Some(letter), None) = (characters.next(), characters.next(), characters.next()) else {
        return String::new();
    };
    let mark = match accent {
        ':' => '\u{308}',
        '\'' => '\u{301}',
        '`' => '\u{300}',
        '^' => '\u{302}',
        '~' => '\u{303}',
        ',' => '\u{327}',
        'o' => '\u{30a}',
        _ => return String::new(),
    };
    unicode_normalization::char::compose(letter, mark).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};
    use sheaf_domain::DocumentKind;

    use super::*;
    use crate::formats::read;

    #[track_caller]
    fn check(source: &str, expect: &str) {
        let document = read(source.as_bytes(), "page.1").expect("a page");
        assert_eq!((document.kind, document.text().as_str()), (DocumentKind::Man, expect));
    }

    #[test]
    fn pages_of_man() {
        check(
            ".\\\" a comment\n.TH NETS 1 \"2024-01-01\" \"harbour\" \"User Commands\"\n.de XX\nnot shown\n..\n\
             .SH NAME\nnets \\- mend \\fInets\\fP\n.SH OPTIONS\n.TP\n.BR \\-a \", \" \\-\\-all\nMend all of\nthem.\\\" yes\n\
             .IP \\(bu 2\nSee \\*(lqpots\\*(rq, caf\\['e].\n.nf\n  two  spaces\nstay\n.fi\nThe \\s-1END\\s0\n.ie n \\{\\\n.ds x y\n.\\}\n\
             .if t gone\n.IX Header \"gone\"\n.PP\n.B \"bold words\" here",
            "# NETS(1)\n\n## NAME\n\nnets - mend nets\n\n## OPTIONS\n\n-a, --all Mend all of them.\n\n• See “pots”, café.\n\n  \
             two  spaces\nstay\n\nThe END\n\nbold words here",
        );
    }

    #[test]
    fn pages_of_mdoc() {
        check(
            ".Dd January 1, 2024\n.Dt NETS 8\n.Os\n.Sh NAME\n.Nm nets\n.Nd mend nets\n.Sh SYNOPSIS\n.Nm\n.Op Fl a\n.Op Fl f Ar file\n\
             .Sh DESCRIPTION\nThe\n.Nm\nprogram reads\n.Pa /etc/nets ,\nsee\n.Xr pots 1 .\n.Bl -tag\n.It Fl a\nAll.\n.El",
            "# NETS(8)\n\n## NAME\n\nnets – mend nets\n\n## SYNOPSIS\n\nnets -a -f file\n\n## DESCRIPTION\n\nThe nets program reads \
             /etc/nets, see pots(1).\n\n-a All.",
        );
    }

    proptest! {
        #[test]
        fn noise_is_never_a_panic(noise in any::<String>()) {
            let _ = (arguments(&noise), plain(&noise), marked(&noise, "x"));
        }
    }
}
