//! Places in the text: by a pattern, a list of terms, or ready-made rules. Each hit is a row with its quote.

use std::ops::Range;
use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};
use sheaf_domain::flow::{Find, FoundValue, What};

use super::dates::SlashOrder;
use super::terms::{self, Dictionary, Entry};
use super::{Passage, amounts, dates, proven, sentences};

/// The most bytes of a compiled pattern: what it may cost is bounded, whoever wrote it.
const PATTERN_BYTES: usize = 4 << 20;

/// Names of human genes: a small list of our own, by the symbols of the HGNC.
const GENES: &str = include_str!("genes.csv");

static EMAIL: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}").expect("a test compiles it")
});

/// DOIs (ANSI/NISO Z39.84).
static DOI: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"\b10\.\d{4,9}/[^\s"<>]+"#).expect("a test compiles it"));

/// A search that is ready.
#[derive(Debug)]
pub struct Finder {
    find: Find,
    by: By,
}

#[derive(Debug)]
enum By {
    Pattern(Regex),
    Terms(Dictionary),
    Dates,
    Money,
    Emails,
    Dois,
}

/// Where something stands, and the fields that it gives.
struct Hit {
    place: Range<usize>,
    fields: Vec<(&'static str, String)>,
}

impl Finder {
    /// # Errors
    /// The field that is wrong, and what is wrong with it.
    pub fn new(find: &Find) -> Result<Self, (&'static str, String)> {
        let by = match find.what {
            What::Pattern => By::Pattern(pattern(find).map_err(|error| ("pattern", error))?),
            What::Terms => By::Terms(dictionary(&find.terms, find.match_case).map_err(|error| ("terms", error))?),
            What::Genes => By::Terms(genes().map_err(|error| ("what", error))?),
            What::Dates => By::Dates,
            What::Money => By::Money,
            What::Emails => By::Emails,
            What::Dois => By::Dois,
        };
        Ok(Self { find: find.clone(), by })
    }

    /// What is found, in the order of the text; `earlier` is what the step found that has to be in the same sentence.
    pub fn run(&self, step: &str, passages: &[Passage<'_>], earlier: Option<&[FoundValue]>) -> Vec<FoundValue> {
        let mut values = Vec::new();
        let mut row = 0;
        let order = match self.by {
            By::Dates => dates::slash_order(passages.iter().map(|passage| passage.text)),
            By::Pattern(_) | By::Terms(_) | By::Money | By::Emails | By::Dois => None,
        };
        for passage in passages {
            let sentences = if self.find.sentence || earlier.is_some() { sentences(passage.text) } else { Vec::new() };
            for hit in self.hits(passage.text, order) {
                let around = around(&sentences, &hit.place);
                if earlier.is_some_and(|earlier| !around.as_ref().is_some_and(|range| shares(passage, range, earlier)))
                {
                    continue;
                }
                if row >= self.find.limit {
                    return values;
                }
                let quoted = around.filter(|_| self.find.sentence).unwrap_or_else(|| hit.place.clone());
                for (field, value) in hit.fields {
                    let value = FoundValue {
                        step: step.to_owned(),
                        field: field.to_owned(),
                        row,
                        value,
                        ..FoundValue::default()
                    };
                    values.push(proven(value, passage, quoted.start, quoted.end));
                }
                row += 1;
            }
        }
        values
    }

    fn hits(&self, text: &str, order: Option<SlashOrder>) -> Vec<Hit> {
        let value = |place: &Range<usize>| ("value", text[place.clone()].to_owned());
        match &self.by {
            By::Pattern(pattern) => pattern
                .captures_iter(text)
                .filter_map(|captures| captures.name("value").or_else(|| captures.get(1)).or_else(|| captures.get(0)))
                .filter(|found| !found.is_empty())
                .map(|found| Hit { place: found.range(), fields: vec![value(&found.range())] })
                .collect(),
            By::Terms(dictionary) => {
                let hits = dictionary.find(text).into_iter();
                hits.map(|hit| {
                    let place = hit.start..hit.end;
                    Hit { fields: vec![value(&place), ("id", hit.id.to_owned())], place }
                })
                .collect()
            }
            By::Dates => dates::find(text, order)
                .map(|(place, iso)| Hit { fields: vec![value(&place), ("date", iso)], place })
                .collect(),
            By::Money => amounts::find(text)
                .into_iter()
                .map(|amount| Hit {
                    fields: vec![
                        value(&amount.place),
                        ("amount", amount.number),
                        ("currency", amount.currency.to_owned()),
                    ],
                    place: amount.place,
                })
                .collect(),
            By::Emails => plain_hits(&EMAIL, text, |found| found),
            By::Dois => plain_hits(&DOI, text, without_marks),
        }
    }
}

fn plain_hits(pattern: &Regex, text: &str, trim: fn(&str) -> &str) -> Vec<Hit> {
    let hits = pattern.find_iter(text).map(|found| (found.start(), trim(found.as_str())));
    hits.map(|(start, value)| Hit { place: start..start + value.len(), fields: vec![("value", value.to_owned())] })
        .collect()
}

/// A DOI without the marks of the sentence that it stands in.
fn without_marks(mut found: &str) -> &str {
    loop {
        let unopened = found.ends_with(')') && found.matches(')').count() > found.matches('(').count();
        if unopened || found.ends_with(['.', ',', ';', ':', ']', '}', '\'', '’']) {
            found = &found[..found.len() - found.chars().next_back().map_or(0, char::len_utf8)];
        } else {
            return found;
        }
    }
}

/// The sentence of a place, or from the first to the last one that it reaches into.
fn around(sentences: &[Range<usize>], place: &Range<usize>) -> Option<Range<usize>> {
    let mut of = sentences.iter().filter(|range| range.start < place.end && place.start < range.end);
    let first = of.next()?;
    let last = of.next_back().unwrap_or(first);
    Some(first.start.min(place.start)..last.end.max(place.end))
}

/// Whether something of `earlier` stands in this sentence of a passage.
fn shares(passage: &Passage<'_>, sentence: &Range<usize>, earlier: &[FoundValue]) -> bool {
    let (from, to) = (passage.start + sentence.start, passage.start + sentence.end);
    earlier.iter().any(|value| {
        let place = value.start.zip(value.end);
        value.page == Some(passage.page)
            && place.is_some_and(|(start, end)| (start as usize) < to && (end as usize) > from)
    })
}

fn pattern(find: &Find) -> Result<Regex, String> {
    RegexBuilder::new(&find.pattern)
        .case_insensitive(!find.match_case)
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "the pattern is too large; repeat fewer times".to_owned(),
            error => format!("the pattern cannot be read: {error}"),
        })
}

/// The genes by their human symbols and, where a number leaves no doubt that it is no word, as those of mice and rats are
/// written (`Il6` for `IL6`).
fn genes() -> Result<Dictionary, String> {
    let mut entries = terms::read(GENES)?;
    for Entry { id, names } in &mut entries {
        let of_mice = id.chars().take(1).chain(id.chars().skip(1).flat_map(char::to_lowercase)).collect::<String>();
        if id.len() > 2 && id.ends_with(|c: char| c.is_ascii_digit()) && !names.contains(&of_mice) {
            names.push(of_mice);
        }
    }
    Dictionary::new(&entries, true)
}

fn dictionary(csv: &str, match_case: bool) -> Result<Dictionary, String> {
    Dictionary::new(&terms::read(csv)?, match_case)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    fn found(find: &Find, text: &str) -> Vec<(String, String, String)> {
        let passage = Passage { page: 3, start: 0, text };
        let values = Finder::new(find).expect("valid").run("s", &[passage], None);
        values.into_iter().map(|value| (value.field, value.value, value.quote.unwrap_or_default())).collect()
    }

    #[test]
    fn each_kind_gives_its_fields() {
        let check = |what: What, pattern: &str, text: &str, expect: &[(&str, &str)]| {
            let find = Find { what, pattern: pattern.into(), ..Find::default() };
            let found = found(&find, text);
            let found: Vec<_> = found.iter().map(|(field, value, _)| (field.as_str(), value.as_str())).collect();
            assert_eq!(found, expect, "{text}");
        };
        check(What::Emails, "", "Write to a.b+c@example.co.uk.", &[("value", "a.b+c@example.co.uk")]);
        check(What::Dois, "", "(doi:10.1000/xyz(1)2).", &[("value", "10.1000/xyz(1)2")]);
        check(What::Pattern, r"no\. (\d+)", "No. 17, no. 18", &[("value", "17"), ("value", "18")]);
        check(What::Pattern, r"(a)(?P<value>b)?", "AB a", &[("value", "B"), ("value", "a")]);
        check(
            What::Genes,
            "",
            "TP53, tp53 and BRCA1",
            &[("value", "TP53"), ("id", "TP53"), ("value", "BRCA1"), ("id", "BRCA1")],
        );
        check(What::Genes, "", "Il6, Vim, il6", &[("value", "Il6"), ("id", "IL6")]);
        check(What::Dates, "", "on 2 May 2020", &[("value", "2 May 2020"), ("date", "2020-05-02")]);
    }

    #[test]
    fn only_hits_beside_those_of_another_step_count() {
        let text = "TP53 was upregulated in liver.\nNothing here. BRCA1 was seen.";
        let passage = [Passage { page: 1, start: 0, text }];
        let genes =
            Finder::new(&Find { what: What::Genes, ..Find::default() }).expect("valid").run("g", &passage, None);
        let find = Find {
            what: What::Pattern,
            pattern: r"\b(upregulated|seen|Nothing)\b".into(),
            sentence: true,
            within: Some("g".into()),
            ..Find::default()
        };
        let values = Finder::new(&find).expect("valid").run("e", &passage, Some(&genes));
        let found: Vec<_> = values.iter().map(|value| (value.value.as_str(), value.quote.as_deref())).collect();
        assert_eq!(found, [("upregulated", Some("TP53 was upregulated in liver.")), ("seen", Some("BRCA1 was seen."))]);
    }

    #[test]
    fn patterns_that_cost_too_much_are_refused() {
        for wrong in ["(", r"(\w{1000}){1000}", "(?P<n"] {
            let find = Find { what: What::Pattern, pattern: wrong.into(), ..Find::default() };
            assert_eq!(Finder::new(&find).expect_err("refused").0, "pattern");
        }
    }

    proptest! {
        #[test]
        fn every_quote_is_where_it_is_said_to_be(text in any::<String>(), tail in "TP53 on 2020-01-02 for [$]5, (a@b.de|10.1234/x)?\\PC{0,40}") {
            let text = format!("{text} {tail}");
            for what in [What::Dates, What::Money, What::Emails, What::Dois, What::Genes] {
                for sentence in [false, true] {
                    let find = Find { what, sentence, ..Find::default() };
                    let passage = Passage { page: 1, start: 7, text: &text };
                    for value in Finder::new(&find).expect("valid").run("s", &[passage], None) {
                        let (start, end) = (value.start.expect("a place") as usize - 7, value.end.expect("a place") as usize - 7);
                        assert_eq!(Some(&text[start..end]), value.quote.as_deref());
                    }
                }
            }
        }
    }
}
