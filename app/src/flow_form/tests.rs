//! The form is read into the flow that it describes, and what cannot be read is said at its step.

use sheaf_domain::flow::What;

use super::*;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// Two steps that find, and one that formats.
const FORM: [(&str, &str); 14] = [
    ("name", " Genes "),
    ("step", "0"),
    ("s0.do", "find"),
    ("s0.was", "words"),
    ("s0.name", "words"),
    ("s0.what", "pattern"),
    ("s0.pattern", "a b "),
    ("step", "1"),
    ("s1.do", "find"),
    ("s1.name", "days"),
    ("s1.within", "words"),
    ("step", "2"),
    ("s2.do", "format"),
    ("s2.name", "result"),
];

fn names(sent: &Sent) -> String {
    sent.spec.steps.iter().map(|step| step.name.clone()).collect::<Vec<_>>().join(" ")
}

#[test]
fn steps_are_added_moved_and_removed() {
    let check = |change: &str, expect: &str| {
        let change: Change = change.parse().expect("known");
        assert_eq!(names(&read(&fields(&FORM), &change)), expect, "{change:?}");
    };
    check("check", "words days result");
    check("add:find", "words days find result");
    check("up:1", "days words result");
    check("down:0", "days words result");
    check("up:0", "words days result");
    check("down:2", "words days result");
    check("remove:0", "days result");
    check("remove:9", "words days result");
    for wrong in ["add:nothing", "x", "up", "drop:1:labels", "turn:0:labels:1"] {
        assert!(wrong.parse::<Change>().is_err(), "{wrong}");
    }
}

#[test]
fn the_order_of_the_form_is_that_of_the_steps() {
    let mut moved = FORM.to_vec();
    moved.rotate_left(7);
    assert_eq!(names(&read(&fields(&moved), &Change::Check)), "days result words");
}

#[test]
fn a_new_name_is_followed_and_spaces_of_a_pattern_stay() {
    let mut form = FORM.to_vec();
    form[4].1 = "verbs";
    let sent = read(&fields(&form), &Change::Check);
    assert_eq!(sent.spec.name, "Genes");
    let Action::Find(first) = &sent.spec.steps[0].action else { panic!("it finds") };
    assert_eq!((first.what, first.pattern.as_str()), (What::Pattern, "a b "));
    let Action::Find(second) = &sent.spec.steps[1].action else { panic!("it finds") };
    assert_eq!(second.within.as_deref(), Some("verbs"));
}

#[test]
fn rows_are_moved_and_empty_ones_are_no_labels() {
    let form = fields(&[
        ("step", "a"),
        ("sa.do", "classify"),
        ("sa.labels.0.name", "one"),
        ("sa.labels.0.examples", "x\r\n\r\n y "),
        ("sa.labels.1.name", "two"),
        ("sa.labels.2.name", ""),
    ]);
    let check = |change: &str, expect: &[&str]| {
        let sent = read(&form, &change.parse().expect("known"));
        let Action::Classify(classify) = &sent.spec.steps[0].action else { panic!("it classifies") };
        let found: Vec<&str> = classify.labels.iter().map(|label| label.name.as_str()).collect();
        assert_eq!(found, expect, "{change}");
    };
    check("check", &["one", "two"]);
    check("rowdown:a:labels:0", &["two", "one"]);
    check("drop:a:labels:0", &["two"]);
    check("drop:b:labels:0", &["one", "two"]);
    let sent = read(&form, &Change::Check);
    let Action::Classify(classify) = &sent.spec.steps[0].action else { panic!("it classifies") };
    assert_eq!(classify.labels[0].examples, ["x", "y"]);
}

#[test]
fn what_cannot_be_read_is_said_at_its_step_and_kept_as_typed() {
    let form = fields(&[
        ("step", "7"),
        ("s7.do", "keywords"),
        ("s7.count", "many"),
        ("step", "3"),
        ("s3.do", "select"),
        ("s3.pages", "2-4, last"),
        ("s3.clusters", "1, 2"),
    ]);
    let sent = read(&form, &Change::Check);
    let said: Vec<_> = sent.problems.iter().map(|problem| (problem.step, problem.field.as_str())).collect();
    assert_eq!(said, [(Some(0), "count"), (Some(1), "pages")]);
    assert_eq!(sent.typed.get("s0.count").map(String::as_str), Some("many"));
    assert_eq!(sent.typed.get("s1.pages").map(String::as_str), Some("2-4, last"));
    let Action::Select(select) = &sent.spec.steps[1].action else { panic!("it selects") };
    assert_eq!(select.clusters, [1, 2]);
}
