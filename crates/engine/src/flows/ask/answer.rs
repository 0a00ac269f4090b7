//! What a model said, read through the fields of its step and nothing else.

use std::collections::BTreeMap;

use serde_json::Value;
use sheaf_analysis::extraction::locate;
use sheaf_domain::flow::{Ask, AskField, FieldKind, FoundValue, Rows};

use super::prompt::Part;

/// Characters of a value.
const VALUE: usize = 20_000;

/// One row of an answer with the text that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Values by field; what the document does not say is absent.
    values: BTreeMap<String, Found>,
}

/// A value with where it stands.
#[derive(Clone, Debug, PartialEq)]
struct Found {
    value: String,
    page: u32,
    quote: String,
    start: usize,
    verified: bool,
}

impl Row {
    /// Takes from another row what this one does not have.
    pub fn fill(&mut self, other: Self) {
        for (field, found) in other.values {
            self.values.entry(field).or_insert(found);
        }
    }

    /// Its values, in the order of the fields.
    pub fn values(&self, step: &str, fields: &[AskField], number: u32) -> Vec<FoundValue> {
        let found = fields.iter().filter_map(|field| Some((field, self.values.get(&field.name)?)));
        found
            .map(|(field, found)| FoundValue {
                step: step.to_owned(),
                field: field.name.clone(),
                row: number,
                value: found.value.clone(),
                page: Some(found.page),
                quote: Some(found.quote.clone()),
                start: u32::try_from(found.start).ok(),
                end: u32::try_from(found.start + found.quote.len()).ok(),
                verified: Some(found.verified),
                probability: None,
            })
            .collect()
    }
}

/// The rows of a response of the server.
///
/// # Errors
/// What does not fit, in words that a model can mend, and what the model said.
pub fn read(response: &str, ask: &Ask, part: &Part<'_>) -> Result<Vec<Row>, (String, String)> {
    let body: Value = serde_json::from_str(response).unwrap_or_default();
    let choice = &body["choices"][0];
    let said = choice["message"]["content"].as_str().unwrap_or_default();
    rows(said, ask, part).map_err(|wrong| {
        let cut = choice["finish_reason"].as_str() == Some("length");
        let wrong = if cut { format!("{wrong} (the answer was cut off: be shorter)") } else { wrong };
        (wrong, said.to_owned())
    })
}

fn rows(said: &str, ask: &Ask, part: &Part<'_>) -> Result<Vec<Row>, String> {
    let json = object(said).ok_or("it holds no JSON object")?;
    let answer: Value = serde_json::from_str(json).map_err(|error| format!("it is no JSON: {error}"))?;
    let rows = answer.get("rows").and_then(Value::as_array).ok_or("the object has no array `rows`")?;
    if ask.rows == Rows::One && rows.len() > 1 {
        return Err(format!("`rows` has {} rows; one at most was asked for", rows.len()));
    }
    let read = rows
        .iter()
        .zip(1..)
        .map(|(value, number)| row(value, &ask.fields, part).map_err(|wrong| format!("row {number}: {wrong}")));
    read.filter_map(Result::transpose).collect()
}

/// From the first brace to the last: models like to write around their answer.
fn object(said: &str) -> Option<&str> {
    said.get(said.find('{')?..=said.rfind('}')?)
}

/// A row; nothing when all of its fields are empty.
fn row(value: &Value, fields: &[AskField], part: &Part<'_>) -> Result<Option<Row>, String> {
    let object = value.as_object().ok_or("it is no object")?;
    if let Some(unknown) = object.keys().find(|key| *key != "lines" && !fields.iter().any(|field| field.name == **key))
    {
        let unknown: String = unknown.chars().take(60).collect();
        return Err(format!("`{unknown}` is no field"));
    }
    let mut texts = Vec::new();
    for field in fields {
        let value = object.get(&field.name).unwrap_or(&Value::Null);
        match text(value, field).map_err(|wrong| format!("`{}` {wrong}", field.name))? {
            Some(text) => texts.push((field, text)),
            None if field.required => return Err(format!("`{}` is missing", field.name)),
            None => {}
        }
    }
    if texts.is_empty() {
        return Ok(None);
    }
    let lines = object.get("lines").and_then(Value::as_array).ok_or("`lines` is missing: give two numbers of lines")?;
    let numbers: Vec<u32> = lines.iter().filter_map(|line| u32::try_from(line.as_u64()?).ok()).collect();
    let (&from, &to) = numbers.first().zip(numbers.last()).ok_or("`lines` has to be two numbers of lines")?;
    let outside = || format!("`lines` has to lie within {} and {}", part.first, part.last());
    let lines = part.lines(from.min(to), from.max(to)).ok_or_else(outside)?;
    // A quote stands on one page: that of its first line.
    let page = lines[0].page;
    let quoted: Vec<_> = lines.iter().take_while(|line| line.page == page).collect();
    let quote = quoted.iter().map(|line| line.text).collect::<Vec<_>>().join("\n");
    let values = texts.into_iter().map(|(field, value)| {
        let verified = supports(field, &quote, &value);
        (field.name.clone(), Found { value, page, quote: quote.clone(), start: lines[0].start, verified })
    });
    Ok(Some(Row { values: values.collect() }))
}

/// A value as text, if it is one of its field's kind.
fn text(value: &Value, field: &AskField) -> Result<Option<String>, String> {
    let text = match (field.kind, value) {
        (_, Value::Null) => return Ok(None),
        (FieldKind::Text | FieldKind::Choice | FieldKind::Date, Value::String(text)) if text.trim().is_empty() => {
            return Ok(None);
        }
        (FieldKind::Text, Value::String(text)) => text.trim().chars().take(VALUE).collect(),
        (FieldKind::Choice, Value::String(text)) => {
            let choice = field.choices.iter().find(|choice| choice.eq_ignore_ascii_case(text.trim()));
            choice.cloned().ok_or_else(|| format!("has to be one of: {}", field.choices.join(", ")))?
        }
        (FieldKind::Date, Value::String(text)) => {
            let text = text.trim();
            let day = super::super::steps::day_of(text).filter(|day| day == text);
            day.ok_or("has to be a day such as 2026-11-30")?
        }
        (FieldKind::Number, Value::Number(number)) => number.to_string(),
        (FieldKind::Boolean, Value::Bool(yes)) => yes.to_string(),
        (FieldKind::Text | FieldKind::Choice | FieldKind::Date, _) => return Err("has to be a text".to_owned()),
        (FieldKind::Number, _) => return Err("has to be a number".to_owned()),
        (FieldKind::Boolean, _) => return Err("has to be true or false".to_owned()),
    };
    Ok(Some(text))
}

/// Whether a value stands in its quote: a text as [`locate`] finds it, a number as it is, a day in any form. Yes, no and choices are conclusions;
/// for them there is only the quote to be read.
fn supports(field: &AskField, quote: &str, value: &str) -> bool {
    match field.kind {
        FieldKind::Text => locate(quote, value).is_some(),
        FieldKind::Number => {
            let wanted = value.parse::<f64>().ok();
            super::super::steps::numbers(quote).any(|number| Some(number) == wanted)
        }
        FieldKind::Date => super::super::steps::days(quote).any(|day| day == value),
        FieldKind::Choice | FieldKind::Boolean => true,
    }
}
