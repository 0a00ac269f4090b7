//! Questions to a language model about a document: by parts that fit, each answer checked and mended once, remembered before
//! anything else happens. The model says in which lines a row stands; the text is copied from the document.

mod answer;
mod client;
mod endpoint;
mod prompt;
mod waits;

use sha2::{Digest, Sha256};
use sheaf_domain::flow::{Answer, Ask, FoundValue, Rows};
use sheaf_domain::{Failure, FailureCode};
use sheaf_store::RunClaim;

use super::steps::Passage;
use crate::Engine;
use answer::Row;
use prompt::Part;

pub use endpoint::{ModelConfig, ModelPrices, WrongEndpoint};
pub use waits::Waits;

pub(crate) use client::Model;

/// What is asked about a document.
pub struct Question<'a> {
    pub step: &'a str,
    pub instructions: &'a str,
    pub ask: &'a Ask,
    pub passages: &'a [Passage<'a>],
}

impl Question<'_> {
    /// What it costs: of the messages that are sent, tokens of five characters; of all that is sent, of three. An answer may be
    /// empty, and as long as the step allows.
    pub fn cost(&self) -> Cost {
        let parts = prompt::parts(self.passages);
        let mut cost = Cost { questions: parts.len() as u64, ..Cost::default() };
        for part in &parts {
            let request = prompt::request("", self, part, true);
            cost.asked.0 += prompt::letters(&request) / 5;
            cost.asked.1 += (request.chars().count() as u64).div_ceil(3);
        }
        cost.answers = (cost.questions * EMPTY_ANSWER, cost.questions * u64::from(self.ask.max_tokens));
        cost
    }
}

/// Tokens of an answer without a row.
const EMPTY_ANSWER: u64 = 3;

/// Tokens that questions cost, from and to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    pub questions: u64,
    pub asked: (u64, u64),
    pub answers: (u64, u64),
}

impl std::ops::Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let both = |a: (u64, u64), b: (u64, u64)| (a.0 + b.0, a.1 + b.1);
        Self {
            questions: self.questions + other.questions,
            asked: both(self.asked, other.asked),
            answers: both(self.answers, other.answers),
        }
    }
}

/// The values of all answers, and the tokens that were used now.
///
/// # Errors
/// `no_model_server`, `model_server`, `bad_answer`, `budget_spent`, `storage`.
pub async fn run(
    engine: &Engine,
    question: &Question<'_>,
    claim: Option<&RunClaim>,
) -> Result<(Vec<FoundValue>, u64), Failure> {
    let model = engine.model().ok_or_else(no_model)?;
    let mut rows = Vec::new();
    let mut tokens = 0;
    for part in prompt::parts(question.passages) {
        let (found, used) = of_part(engine, model, question, &part, claim).await?;
        tokens += used;
        for row in found {
            merge(question.ask.rows, &mut rows, row);
        }
    }
    Ok((values(question, &rows), tokens))
}

fn no_model() -> Failure {
    Failure::new(FailureCode::NoModelServer, "a step asks a language model, and none was allowed")
}

/// A row that is there already is none of its own; with one row for the document, later parts fill what is missing.
fn merge(rows: Rows, known: &mut Vec<Row>, row: Row) {
    match rows {
        Rows::One => match known.first_mut() {
            Some(first) => first.fill(row),
            None => known.push(row),
        },
        Rows::Many if known.contains(&row) => {}
        Rows::Many => known.push(row),
    }
}

fn values(question: &Question<'_>, rows: &[Row]) -> Vec<FoundValue> {
    rows.iter().zip(0..).flat_map(|(row, number)| row.values(question.step, &question.ask.fields, number)).collect()
}

/// Asks about one part; an answer that does not fit is sent back once.
async fn of_part(
    engine: &Engine,
    model: &Model,
    question: &Question<'_>,
    part: &Part<'_>,
    claim: Option<&RunClaim>,
) -> Result<(Vec<Row>, u64), Failure> {
    let ask = question.ask;
    let request = prompt::request(model.name(), question, part, model.takes_schema());
    let (key, first) = answered(engine, model, question.step, &request, claim).await?;
    let read = answer::read(&first.response, ask, part);
    if first.tokens > 0 {
        model.judged(read.is_err()); // Not what was remembered.
    }
    let (wrong, reply) = match read {
        Ok(rows) => return Ok((rows, first.tokens)),
        Err(wrong) => wrong,
    };
    let again = prompt::repair(&request, &reply, &wrong);
    let (second_key, second) = answered(engine, model, question.step, &again, claim).await?;
    let tokens = first.tokens + second.tokens;
    match answer::read(&second.response, ask, part) {
        Ok(rows) => Ok((rows, tokens)),
        Err((wrong, _)) => {
            // Whoever tries again asks again.
            engine.store().disown_answer(&key).await?;
            engine.store().disown_answer(&second_key).await?;
            let message = format!("step `{}`: the model's answer does not fit: {wrong}", question.step);
            Err(Failure::new(FailureCode::BadAnswer, message))
        }
    }
}

/// The answer to a request: one that was given before, or a new one, which is remembered before it is used.
async fn answered(
    engine: &Engine,
    model: &Model,
    step: &str,
    request: &str,
    claim: Option<&RunClaim>,
) -> Result<(String, Answer), Failure> {
    let key = hex::encode(Sha256::digest(format!("{}\n{request}", model.address())));
    let Some(claim) = claim else {
        let (response, tokens) = model.ask(engine, request).await?;
        return Ok((key, Answer { request: request.to_owned(), response, tokens }));
    };
    if let Some(answer) = engine.store().remembered_answer(claim, step, &key).await? {
        return Ok((key, Answer { tokens: 0, ..answer }));
    }
    let _reserved = model.reserve(engine, claim.run, prompt::most_tokens(request)).await?;
    let (response, tokens) = model.ask(engine, request).await?;
    let answer = Answer { request: request.to_owned(), response, tokens };
    engine.store().remember_answer(claim, step, &key, &answer).await?;
    Ok((key, answer))
}

#[cfg(test)]
mod tests;
