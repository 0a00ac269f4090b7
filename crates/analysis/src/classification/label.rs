//! A label and the words that say what it means.

use crate::embedding::{EmbedError, Embedder, embed_documents};

use super::classifier::ClassifyError;

/// What a text may be about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// Written into results as it is; its words count even when they are joined, as in `Refund_not_showing_up`.
    pub name: String,
    /// A sentence about it, if there is one.
    pub description: Option<String>,
    /// Texts that have it.
    pub examples: Vec<String>,
}

impl Label {
    /// A label of which nothing but the name is known.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// What says what it means, without its examples: the words of the name, and the description where it says more.
    fn texts(&self) -> Vec<String> {
        let name = words(&self.name);
        let description = self.description.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let more = description.filter(|text| words(text) != name).map(str::to_owned);
        [Some(name), more].into_iter().flatten().filter(|text| !text.is_empty()).collect()
    }
}

/// The words of a name in lower case: `cardArrival`, `card_arrival` and `Card-arrival` are `card arrival`.
pub(super) fn words(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 8);
    let mut before = ' ';
    for letter in name.chars() {
        let starts = before.is_lowercase() && letter.is_uppercase();
        if !letter.is_alphanumeric() && letter != '\'' {
            if !words.ends_with(' ') {
                words.push(' ');
            }
        } else {
            if starts {
                words.push(' ');
            }
            words.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.trim().to_owned()
}

/// One unit vector for each label, row by row: the normalised mean of the vectors of its texts.
///
/// # Errors
/// When a label has no word that the model knows.
pub(super) fn vectors(model: &dyn Embedder, labels: &[Label]) -> Result<Vec<f32>, ClassifyError> {
    let texts: Vec<(usize, String)> = labels
        .iter()
        .enumerate()
        .flat_map(|(number, label)| label.texts().into_iter().map(move |text| (number, text)))
        .collect();
    let plain: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    let embedded = embed_documents(model, &plain, &|_| {})?;
    let dimensions = model.dimensions();
    let mut sums = vec![0.0; labels.len() * dimensions];
    for ((number, _), vector) in texts.iter().zip(embedded) {
        add(&mut sums[number * dimensions..][..dimensions], vector.as_deref());
    }
    for (label, sum) in labels.iter().zip(sums.chunks_exact_mut(dimensions)) {
        if !crate::embedding::normalise(sum) {
            return Err(ClassifyError::Wordless(label.name.clone()));
        }
    }
    Ok(sums)
}

/// Adds a vector where there is one.
pub(super) fn add(sum: &mut [f32], vector: Option<&[f32]>) {
    for (sum, x) in sum.iter_mut().zip(vector.unwrap_or_default()) {
        *sum += x;
    }
}

impl From<EmbedError> for ClassifyError {
    fn from(error: EmbedError) -> Self {
        Self::Embed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words() {
        let check = |name: &str, expected: &str| assert_eq!(words(name), expected, "{name}");
        check("Refund_not_showing_up", "refund not showing up");
        check("cardArrival", "card arrival");
        check("card--arrival?", "card arrival");
        check("Größe/Länge", "größe länge");
        check("PIN", "pin");
        check("customer's wish", "customer's wish");
        check("___", "");
    }

    #[test]
    fn a_description_that_repeats_the_name_adds_nothing() {
        let label = |description: &str| Label { description: Some(description.into()), ..Label::named("change_pin") };
        assert_eq!(label("Change PIN").texts(), ["change pin"]);
        assert_eq!(label("A new number").texts(), ["change pin", "A new number"]);
        assert_eq!(Label::named("?").texts(), Vec::<String>::new());
    }
}
