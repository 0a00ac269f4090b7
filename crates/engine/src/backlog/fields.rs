//! Finds out which field of a record is its id and which its text: by their names, else by what is in them.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use sheaf_domain::{Failure, FailureCode};

use super::record::{Field, Record};
use super::records::Records;
use super::results::disk;

/// Names of a text's field, the likeliest first.
const TEXTS: [&str; 16] = [
    "text",
    "query",
    "message",
    "question",
    "body",
    "content",
    "utterance",
    "comment",
    "request",
    "description",
    "sentence",
    "review",
    "complaint",
    "feedback",
    "title",
    "subject",
];
/// Names of an id's field, the likeliest first.
const IDS: [&str; 8] = ["id", "key", "uuid", "guid", "number", "no", "nr", "index"];
/// Names of a label's field in a file of examples, the likeliest first.
const LABELS: [&str; 8] = ["label", "intent", "category", "class", "topic", "tag", "gold", "target"];

/// Records that are looked at to find the fields.
pub const SAMPLE: usize = 200;

/// Finds the fields of a file by its first records.
///
/// # Errors
/// `invalid_request` when it cannot be read, or no field looks like a text.
pub fn look(input: &Path, id: Option<&str>, text: Option<&str>) -> Result<Columns, Failure> {
    let mut records = Records::open(input)?;
    let mut sample: Vec<Record> = Vec::new();
    for _ in 0..SAMPLE {
        match records.next().map_err(|error| disk(&error))? {
            Some((Ok(record), _)) => sample.push(record),
            Some((Err(_), _)) => {}
            None => break,
        }
    }
    let sample: Vec<&Record> = sample.iter().collect();
    Columns::find(&sample, id, text)
}

/// The fields that are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Absent: records are numbered.
    pub id: Option<String>,
    pub text: String,
}

impl Columns {
    /// Decides from the first records. What was given by name is used as it is.
    ///
    /// # Errors
    /// `invalid_request` when no field looks like a text, or a given one is in none of the records.
    pub fn find(sample: &[&Record], id: Option<&str>, text: Option<&str>) -> Result<Self, Failure> {
        let names: Vec<&str> = names(sample);
        for given in [id, text].into_iter().flatten() {
            if !sample.is_empty() && !names.contains(&given) {
                let message = format!("no record has a field `{given}`");
                return Err(invalid(message).with_hint(format!("The fields are: {}.", names.join(", "))));
            }
        }
        let id = id.map(str::to_owned).or_else(|| find_id(&names, sample, text));
        let text = text.map(str::to_owned).or_else(|| find_text(&names, sample, id.as_deref()));
        match text {
            Some(text) => Ok(Self { id, text }),
            None if sample.is_empty() => Ok(Self { id, text: "text".into() }),
            None => Err(invalid("no field looks like a text".into())
                .with_hint(format!("Name it with --text-field. The fields are: {}.", names.join(", ")))),
        }
    }

    /// The record's own id, where it has one.
    pub fn id(&self, record: &Record) -> Option<String> {
        record.cell(self.id.as_deref()?).map(str::to_owned)
    }

    /// The record's text, or why there is none.
    ///
    /// # Errors
    /// In the words of a result's `error`.
    pub fn text(&self, record: &Record) -> Result<String, String> {
        match record.get(&self.text) {
            Some(Field::Text(text)) if text.trim().is_empty() => Err("the text is empty".into()),
            Some(Field::Text(text)) => Ok(text.clone()),
            Some(Field::Nothing) => Err("the text is empty".into()),
            Some(Field::Number(_) | Field::Other) => Err(format!("the field `{}` is not a text", self.text)),
            None => Err(format!("there is no field `{}`", self.text)),
        }
    }
}

/// The field of labels in a file of examples.
pub fn find_label<'a>(sample: &[&'a Record]) -> Option<&'a str> {
    let names = names(sample);
    LABELS.iter().find_map(|wanted| names.iter().find(|name| is_called(name, wanted)).copied())
}

fn invalid(message: String) -> Failure {
    Failure::new(FailureCode::InvalidRequest, message)
}

/// Every field of the sample, in the order of first appearance.
fn names<'a>(sample: &[&'a Record]) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    sample.iter().flat_map(|record| record.names()).filter(|name| seen.insert(*name)).collect()
}

/// `Ticket-ID`, `ticket_id` and `ticketId` are all called `id`; so is `id`.
fn is_called(name: &str, wanted: &str) -> bool {
    let lower = name.trim().to_lowercase();
    lower == wanted
        || lower.split(|letter: char| !letter.is_alphanumeric()).next_back().is_some_and(|last| last == wanted)
        || lower.strip_suffix(wanted).is_some_and(|rest| {
            let capital = name.trim()[rest.len()..].starts_with(|letter: char| letter.is_uppercase());
            capital && rest.ends_with(|letter: char| letter.is_lowercase())
        })
}

fn find_id(names: &[&str], sample: &[&Record], text: Option<&str>) -> Option<String> {
    let is_id = |name: &&&str| {
        let values: Vec<&str> = sample.iter().filter_map(|record| record.cell(name)).collect();
        let distinct: HashSet<&str> = values.iter().copied().collect();
        // Nearly every record has one and hardly two have the same: a `customer_id` repeats itself.
        Some(**name) != text && values.len() * 2 > sample.len() && distinct.len() * 10 >= values.len() * 9
    };
    let exact = |wanted: &&str| names.iter().filter(|name| name.trim().eq_ignore_ascii_case(wanted)).find(is_id);
    let alike = |wanted: &&str| names.iter().filter(|name| is_called(name, wanted)).find(is_id);
    IDS.iter().find_map(exact).or_else(|| IDS.iter().find_map(alike)).map(|name| (*name).to_owned())
}

fn find_text(names: &[&str], sample: &[&Record], id: Option<&str>) -> Option<String> {
    let mut lengths: BTreeMap<&str, usize> = BTreeMap::new();
    for record in sample {
        for name in record.names().filter(|name| Some(*name) != id) {
            if let Some(Field::Text(text)) = record.get(name)
                && text.chars().any(char::is_alphabetic)
            {
                *lengths.entry(name).or_default() += text.split_whitespace().count();
            }
        }
    }
    let has_text = |name: &&&str| lengths.contains_key(**name);
    let called = |wanted: &&str| names.iter().filter(|name| is_called(name, wanted)).find(has_text);
    TEXTS.iter().find_map(called).map(|name| (*name).to_owned()).or_else(|| {
        // Else the field with the most words: a channel or a date has few.
        let most = lengths.iter().max_by_key(|(_, words)| **words);
        most.map(|(name, _)| (*name).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(list: &serde_json::Value) -> Vec<Record> {
        let list = list.as_array().expect("an array");
        list.iter().map(|record| Record::read(record.to_string().as_bytes()).expect("a record")).collect()
    }

    fn check(list: &serde_json::Value, expected: (Option<&str>, &str)) {
        let sample = records(list);
        let sample: Vec<&Record> = sample.iter().collect();
        let found = Columns::find(&sample, None, None).expect("found");
        assert_eq!((found.id.as_deref(), found.text.as_str()), expected, "{list}");
    }

    #[test]
    fn fields_are_found_by_name_and_by_content() {
        use serde_json::json;
        check(&json!([{"id": 1, "text": "where is it"}, {"id": 2, "text": "gone"}]), (Some("id"), "text"));
        check(
            &json!([{"ticket_id": "a", "message": "lost"}, {"ticket_id": "b", "message": "x"}]),
            (Some("ticket_id"), "message"),
        );
        check(&json!([{"ticketId": "a", "userMessage": "lost"}]), (Some("ticketId"), "userMessage"));
        check(&json!([{"ref": "a b", "said": "a long text of words", "channel": "chat"}]), (None, "said"));
        let same = json!([{"customer_id": 1, "nr": 7, "q": "one two"}, {"customer_id": 1, "nr": 8, "q": "two three"}]);
        check(&same, (Some("nr"), "q"));
    }

    #[test]
    fn a_wrong_name_is_answered_with_the_right_ones() {
        let sample = records(&serde_json::json!([{"id": 1, "text": "x"}]));
        let failure = Columns::find(&[&sample[0]], Some("key"), None).expect_err("not there");
        assert!(failure.message.contains("`key`") && failure.hint.contains("id, text"), "{failure:?}");
    }
}
