//! Flows are checked where they are wrong, and files say what they say.

use super::*;

fn step(name: &str, action: Action) -> Step {
    Step { name: name.into(), instructions: "Look.".into(), action }
}

fn flow(steps: Vec<Step>) -> FlowSpec {
    FlowSpec { name: "Genes".into(), description: String::new(), steps }
}

#[track_caller]
fn check(steps: Vec<Step>, expect: &[(Option<u32>, &str)]) {
    let problems = flow(steps).check();
    let found: Vec<_> = problems.iter().map(|problem| (problem.step, problem.field.as_str())).collect();
    assert_eq!(found, expect, "{problems:?}");
}

#[test]
fn a_new_step_of_each_kind_says_what_it_lacks() {
    let expect = |kind: ActionKind| match kind {
        ActionKind::Classify => vec![(Some(0), "labels")],
        ActionKind::Ask => vec![(Some(0), "fields")],
        ActionKind::Resolve => vec![(Some(0), "column"), (Some(0), "table")],
        ActionKind::Select | ActionKind::Find | ActionKind::Keywords | ActionKind::Summary | ActionKind::Format => {
            vec![]
        }
    };
    for kind in ActionKind::ALL {
        check(vec![step("one", kind.new_action())], &expect(kind));
    }
}

#[test]
fn problems_are_found_where_they_are() {
    let find = |what| Action::Find(Find { what, ..Find::default() });
    check(vec![], &[(None, "steps")]);
    check(vec![step("1st", find(What::Dates))], &[(Some(0), "name")]);
    check(vec![step("document", find(What::Dates))], &[(Some(0), "name")]);
    check(vec![step("a", find(What::Dates)), step("a", find(What::Money))], &[(Some(1), "name")]);
    check(
        vec![step("a", find(What::Pattern)), step("b", find(What::Terms))],
        &[(Some(0), "pattern"), (Some(1), "terms")],
    );
    let within = Action::Find(Find { within: Some("later".into()), ..Find::default() });
    check(vec![step("a", within), step("later", find(What::Dates))], &[(Some(0), "within")]);
    check(vec![step("out", Action::Format(Format::default())), step("a", find(What::Dates))], &[(Some(0), "do")]);
    let of = |from: &str| {
        Action::Format(Format {
            columns: vec![ChosenColumn { from: from.into(), name: String::new() }],
            ..Format::default()
        })
    };
    check(vec![step("a", find(What::Money)), step("out", of("a.currency"))], &[]);
    check(vec![step("a", find(What::Dates)), step("out", of("a.currency"))], &[(Some(1), "columns")]);
    let pages = Action::Select(Select { pages: vec![PageRange { from: 3, to: Some(2) }], ..Select::default() });
    check(vec![step("a", pages)], &[(Some(0), "pages")]);
    let label = |name: &str| Label { name: name.into(), ..Label::default() };
    let twice = Action::Classify(Classify { labels: vec![label("x"), label("x")], ..Classify::default() });
    check(vec![step("a", twice)], &[(Some(0), "labels")]);
    let field = |name: &str, kind| AskField { name: name.into(), kind, ..AskField::default() };
    let ask = Action::Ask(Ask {
        fields: vec![field("lines", FieldKind::Text), field("c", FieldKind::Choice)],
        ..Ask::default()
    });
    check(vec![step("a", ask)], &[(Some(0), "fields"), (Some(0), "fields")]);
}

#[test]
fn each_step_sees_the_columns_before_it() {
    let ask = Ask {
        fields: vec![AskField { name: "tissue".into(), ..AskField::default() }],
        rows: Rows::One,
        max_tokens: 100,
    };
    let resolve = Resolve { column: "asked.tissue".into(), table: "id,term\n1,liver".into(), max_edits: 0 };
    let flow = flow(vec![step("asked", Action::Ask(ask)), step("ids", Action::Resolve(resolve))]);
    assert_eq!(flow.check(), []);
    assert_eq!(flow.columns_before(0).len(), 5);
    let last = flow.columns().pop().expect("columns");
    assert_eq!((last.name.to_string().as_str(), last.multiplicity), ("ids.how", Multiplicity::One));
    assert_eq!(flow.format().columns.len(), 1 + 1 + 3, "the path, the answer, the identifier");
}

#[test]
fn what_a_file_holds_besides_is_refused() {
    let known = r#"{"name": "a", "steps": [{"name": "d", "do": "find", "what": "dates", "limit": 5}]}"#;
    let flow: FlowSpec = serde_json::from_str(known).expect("known");
    assert_eq!(serde_json::from_value::<FlowSpec>(serde_json::to_value(&flow).expect("JSON")).expect("read"), flow);
    for wrong in [
        known.replace("limit", "limits"),
        known.replace("steps", "stages"),
        known.replace("\"find\"", "\"delete\""),
        known.replace("5", "\"many\""),
    ] {
        assert!(serde_json::from_str::<FlowSpec>(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn ranges_of_pages_are_written_as_people_write_them() {
    for (text, from, to) in [("3", 3, Some(3)), ("2-4", 2, Some(4)), ("5-", 5, None)] {
        let range: PageRange = text.parse().expect("a range");
        assert_eq!((range.from, range.to, range.to_string().as_str()), (from, to, text));
    }
    assert!("x".parse::<PageRange>().is_err() && "-3".parse::<PageRange>().is_err());
}
