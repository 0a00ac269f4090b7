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
    use sheaf_domain::flow::{Action, FoundValue};

    use super::*;
    use crate::flows::execute::Prepared;
    use crate::flows::steps::Passage;
    use crate::flows::steps::find::Finder;

    #[test]
    fn every_template_can_be_saved_as_it_is() {
        for template in templates() {
            assert_eq!(template.spec.check(), [], "{}", template.key);
            assert!(Prepared::new(&template.spec).is_ok(), "{}", template.key);
            assert!(!template.spec.description.is_empty(), "{}", template.key);
        }
        assert_eq!(templates().len(), 4);
    }

    /// What a step of a template finds in a text of one page.
    fn found(key: &str, step: &str, text: &str) -> Vec<String> {
        let template = templates().iter().find(|template| template.key == key).expect("a template");
        let passage = [Passage { page: 1, start: 0, text }];
        let mut values: Vec<FoundValue> = Vec::new();
        for of in &template.spec.steps {
            let Action::Find(find) = &of.action else { continue };
            let earlier = find
                .within
                .as_ref()
                .map(|within| values.iter().filter(|value| value.step == *within).cloned().collect::<Vec<_>>());
            values.extend(Finder::new(find).expect("valid").run(&of.name, &passage, earlier.as_deref()));
        }
        let of_step = values.iter().filter(|value| value.step == step);
        let last =
            of_step.clone().map(|value| value.field.as_str()).find(|field| matches!(*field, "date" | "amount" | "id"));
        of_step.filter(|value| value.field == last.unwrap_or("value")).map(|value| value.value.clone()).collect()
    }

    #[test]
    fn invoices_of_several_countries_are_read() {
        let check = |text: &str, number: &str, due: &[&str], total: &[&str]| {
            assert_eq!(found("invoices", "number", text), [number], "{text}");
            assert_eq!(found("invoices", "due", text), due, "{text}");
            assert_eq!(found("invoices", "total", text), total, "{text}");
        };
        check(
            "INVOICE\n12 March 2025\nInvoice Number: INV-2024-0117\nInvoice Date: January 17, 2024\nDue Date: February 16, 2024\n\nCordless drill 4 $129.00 $516.00\nSubtotal $516.00\nTotal due $548.25\n",
            "INV-2024-0117",
            &["2024-02-16"],
            &["548.25"],
        );
        check(
            "Rechnung\nRechnungs-Nr.: RE-2025/0312\nRechnungsdatum: 12.03.2025\nFällig am: 26.03.2025\nNettobetrag 914,90 €\nGesamtbetrag 1.088,73 €\n",
            "RE-2025/0312",
            &["2025-03-26"],
            &["1088.73"],
        );
        check(
            "FACTURE\nFacture n° FA-2025-118\nDate : 5 mars 2025\nÉchéance : 4 avril 2025\nTVA 20 % 480,00 €\nTotal TTC 2 880,00 €\n",
            "FA-2025-118",
            &["2025-04-04"],
            &["2880.00"],
        );
        check("Invoice No. 10482\nPayment due by 17 April 2025\nTotal\n£423.84", "10482", &["2025-04-17"], &["423.84"]);
    }

    #[test]
    fn days_that_matter_in_contracts_are_read() {
        let check = |text: &str, expect: &[&str]| assert_eq!(found("contract-dates", "days", text), expect, "{text}");
        check("It starts on 6 January 2025. The building was erected on 12 May 1962.", &["2025-01-06"]);
        check("The probation period lasts until 5 July 2025.", &["2025-07-05"]);
        check("Eine Kündigung zum Ablauf des 30. April 2026 ist ausgeschlossen.", &["2026-04-30"]);
        check("Le bail prend effet le 1er septembre 2024 et expire le 31 août 2027.", &["2024-09-01", "2027-08-31"]);
        check("Commencement Date: 01/07/2025\nExpiry Date: 30/06/2028", &["2025-07-01", "2028-06-30"]);
    }

    #[test]
    fn genes_are_read_where_their_expression_is_spoken_of() {
        let text = "IL-6 mRNA\nlevels were 4.2-fold higher. Socs3 was upregulated in the cat. TP53 was mutated.";
        assert_eq!(found("gene-expression", "genes", text), ["IL6", "SOCS3"]);
        assert_eq!(found("gene-expression", "expression", "a -expression of LISP"), ["expression"]);
    }
}
