//! The strings that the cells of a workbook share, one after the other, without a box for each.

/// Many strings in one.
#[derive(Default)]
pub struct Strings {
    text: String,
    ends: Vec<usize>,
}

impl Strings {
    /// Adds to the string that is not ended yet.
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Ends a string.
    pub fn end(&mut self) {
        self.ends.push(self.text.len());
    }

    /// A string by its number.
    pub fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        Some(&self.text[start..end])
    }
}
