//! The fields of one step, by its kind.

use std::str::FromStr;

use sheaf_domain::flow::{
    Action, ActionKind, Ask, AskField, ChosenColumn, Classify, Find, FlowProblem, Format, Keywords, Label, Resolve,
    Rows, Select, Step, Summary, What,
};

use super::{Change, Fields, Typed};

/// Reads one step of a form.
pub struct StepFields<'a> {
    fields: &'a Fields,
    change: &'a Change,
    /// Its key in the form that was sent.
    key: &'a str,
    /// Its place in the flow, where it is shown again.
    place: usize,
    pub problems: Vec<FlowProblem>,
    pub typed: Typed,
}

impl<'a> StepFields<'a> {
    pub const fn new(fields: &'a Fields, change: &'a Change, key: &'a str, place: usize) -> Self {
        Self { fields, change, key, place, problems: Vec::new(), typed: Typed::new() }
    }

    /// The step as it was filled in.
    pub fn read(&mut self) -> Step {
        let action = match self.one_of::<ActionKind>("do", ActionKind::Find) {
            ActionKind::Select => Action::Select(self.select()),
            ActionKind::Find => Action::Find(self.find()),
            ActionKind::Classify => Action::Classify(self.classify()),
            ActionKind::Ask => Action::Ask(self.ask()),
            ActionKind::Resolve => Action::Resolve(self.resolve()),
            ActionKind::Keywords => {
                Action::Keywords(Keywords { count: self.number("count", Keywords::default().count) })
            }
            ActionKind::Summary => {
                Action::Summary(Summary { sentences: self.number("sentences", Summary::default().sentences) })
            }
            ActionKind::Format => Action::Format(self.format()),
        };
        Step { name: self.text("name"), instructions: self.text("instructions"), action }
    }

    fn select(&mut self) -> Select {
        let kinds = self.fields.values(&self.name("kinds")).filter_map(|kind| kind.parse().ok()).collect();
        let listed = self.fields.values(&self.name("languages")).map(str::to_owned).collect::<Vec<_>>();
        let mut languages = listed;
        for code in self.list("other_languages") {
            if !languages.contains(&code) {
                languages.push(code);
            }
        }
        Select {
            kinds,
            languages,
            clusters: self.parsed_list("clusters", "write numbers of clusters, such as 1, 3"),
            words: self.lines("words"),
            pages: self.parsed_list("pages", "write pages such as 1-3, 7, 10-"),
            sections: self.lines("sections"),
        }
    }

    fn find(&mut self) -> Find {
        let what = self.one_of("what", What::default());
        let only = |wanted: What, text: String| if what == wanted { text } else { String::new() };
        // A space may be a part of a pattern.
        let pattern = self.fields.last(&self.name("pattern")).unwrap_or_default().to_owned();
        let terms = self.text("terms");
        Find {
            what,
            pattern: only(What::Pattern, pattern),
            terms: only(What::Terms, terms),
            match_case: self.is_ticked("match_case"),
            within: Some(self.text("within")).filter(|within| !within.is_empty()),
            sentence: self.is_ticked("sentence"),
            limit: self.number("limit", Find::default().limit),
        }
    }

    fn classify(&mut self) -> Classify {
        let default = Classify::default();
        let rows = self.rows("labels").into_iter().map(|row| Label {
            name: self.text(&format!("labels.{row}.name")),
            description: self.text(&format!("labels.{row}.description")),
            examples: self.lines(&format!("labels.{row}.examples")),
        });
        let labels = rows.filter(|label| *label != Label::default()).collect();
        Classify {
            labels,
            threshold: self.number("threshold", default.threshold),
            model: self.one_of("model", default.model),
        }
    }

    fn ask(&mut self) -> Ask {
        let rows = self.rows("fields").into_iter().map(|row| {
            let name = |field: &str| format!("fields.{row}.{field}");
            AskField {
                name: self.text(&name("name")),
                kind: self.fields.text(&self.name(&name("kind"))).parse().unwrap_or_default(),
                description: self.text(&name("description")),
                required: self.is_ticked(&name("required")),
                choices: self.list(&name("choices")),
            }
        });
        let is_filled = |field: &AskField| !(field.name.is_empty() && field.description.is_empty());
        let fields = rows.filter(is_filled).collect();
        let rows = if self.text("rows") == "one" { Rows::One } else { Rows::Many };
        Ask { fields, rows, max_tokens: self.number("max_tokens", Ask::default().max_tokens) }
    }

    fn resolve(&mut self) -> Resolve {
        Resolve {
            column: self.text("column"),
            table: self.text("table"),
            max_edits: self.number("max_edits", Resolve::default().max_edits),
        }
    }

    fn format(&self) -> Format {
        let rows = self.rows("columns").into_iter().map(|row| ChosenColumn {
            from: self.text(&format!("columns.{row}.from")),
            name: self.text(&format!("columns.{row}.name")),
        });
        let columns = rows.filter(|column| !column.from.is_empty()).collect();
        Format {
            file: self.one_of("file", Format::default().file),
            columns,
            proof: self.is_ticked("proof"),
            each_document: self.is_ticked("each_document"),
        }
    }

    fn name(&self, field: &str) -> String {
        format!("s{}.{field}", self.key)
    }

    fn text(&self, field: &str) -> String {
        self.fields.text(&self.name(field))
    }

    fn is_ticked(&self, field: &str) -> bool {
        self.fields.has(&self.name(field))
    }

    /// Lines that are not empty.
    fn lines(&self, field: &str) -> Vec<String> {
        self.text(field).lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// What stands between commas.
    fn list(&self, field: &str) -> Vec<String> {
        self.text(field).split([',', '\n']).map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    /// The keys of the rows of a list, moved as the button says.
    fn rows(&self, list: &str) -> Vec<String> {
        let mut keys = self.fields.rows(&self.name(list));
        self.change.move_rows(self.key, list, &mut keys);
        keys
    }

    /// One of a closed set, which a select offers.
    fn one_of<T: FromStr>(&self, field: &str, otherwise: T) -> T {
        self.text(field).parse().unwrap_or(otherwise)
    }

    fn number<T: FromStr>(&mut self, field: &str, otherwise: T) -> T {
        let text = self.text(field);
        if text.is_empty() {
            return otherwise;
        }
        text.parse().unwrap_or_else(|_| {
            self.unread(field, text, "write a number");
            otherwise
        })
    }

    fn parsed_list<T: FromStr>(&mut self, field: &str, hint: &str) -> Vec<T> {
        let parts = self.list(field);
        parts.iter().map(|part| part.parse()).collect::<Result<Vec<T>, _>>().unwrap_or_else(|_| {
            self.unread(field, self.text(field), hint);
            Vec::new()
        })
    }

    fn unread(&mut self, field: &str, text: String, hint: &str) {
        self.typed.insert(super::field(self.place, field), text);
        let step = u32::try_from(self.place).ok();
        self.problems.push(FlowProblem { step, field: field.to_owned(), message: hint.to_owned() });
    }
}
