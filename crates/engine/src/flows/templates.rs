//! Flows to begin with, as files of their own.

use std::sync::LazyLock;

use sheaf_domain::flow::FlowSpec;

use super::file::FlowFile;

/// A flow to begin with.
#[derive(Clone, Debug)]
pub struct Template {
    /// As addresses and the command line call it.
    pub key: &'static str,
    pub spec: FlowSpec,
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| {
    [
        ("gene-expression", include_str!("templates/gene-expression.toml")),
        ("invoices", include_str!("templates/invoices.toml")),
        ("support-triage", include_str!("templates/support-triage.toml")),
        ("contract-dates", include_str!("templates/contract-dates.toml")),
    ]
    .into_iter()
    .map(|(key, text)| Template { key, spec: FlowFile::Toml.read(text).expect("a test reads every template") })
    .collect()
});

/// All templates.
pub fn templates() -> &'static [Template] {
    &TEMPLATES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flows::execute::Prepared;

    #[test]
    fn every_template_can_be_saved_as_it_is() {
        for template in templates() {
            assert_eq!(template.spec.check(), [], "{}", template.key);
            assert!(Prepared::new(&template.spec).is_ok(), "{}", template.key);
            assert!(!template.spec.description.is_empty(), "{}", template.key);
        }
        assert_eq!(templates().len(), 4);
    }
}
