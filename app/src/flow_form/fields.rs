//! The fields of a form as they were sent: names may come several times, and their order counts.

/// Pairs of name and value in the order of the form.
#[derive(Clone, Debug, Default)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// Line breaks become what texts have everywhere else: forms send two characters for each.
    pub fn new(pairs: Vec<(String, String)>) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name, value.replace("\r\n", "\n"))).collect())
    }

    /// All values of this name, in order.
    pub fn all(&self, name: &str) -> Vec<String> {
        self.values(name).map(str::to_owned).collect()
    }

    /// All values of this name, in order.
    pub fn values<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> {
        let name = name.to_owned();
        self.0.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// The last value of this name: a file, where one was chosen, comes after the text that it replaces.
    pub fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The last value without space around it; empty when there is none.
    pub fn text(&self, name: &str) -> String {
        self.last(name).unwrap_or_default().trim().to_owned()
    }

    /// Whether there is such a field: a box that is not ticked is not sent.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(found, _)| found == name)
    }

    /// The keys of the rows of a list, `PREFIX.KEY.anything`, in order.
    pub fn rows(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        let of = |name: &str| {
            let (key, _) = name.strip_prefix(prefix)?.strip_prefix('.')?.split_once('.')?;
            Some(key.to_owned())
        };
        for key in self.0.iter().filter_map(|(name, _)| of(name)) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }
}
