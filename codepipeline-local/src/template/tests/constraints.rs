//! Values of the user that break a constraint of their parameter.

use super::*;

/// The sections of a template whose parameter `P` has these members.
fn declared(members: &str) -> String {
    format!("Parameters:\n  P: {{{members}}}\n")
}

#[test]
fn broken_constraint_is_named_without_the_value() {
    for (members, value, rule) in [
        ("Type: String, AllowedValues: [beta, prod]", "MARKER", "must be one of beta, prod"),
        ("Type: Number", "MARKER", "must be a number"),
        ("Type: Number", "inf", "must be a number"),
        ("Type: Number", "", "must be a number"),
        ("Type: Number, MinValue: 2", "1.5", "must be at least 2 (MinValue)"),
        ("Type: Number, MaxValue: '4'", "5", "must be at most 4 (MaxValue)"),
        ("Type: String, MinLength: 1", "", "must have at least 1 character (MinLength)"),
        ("Type: String, MaxLength: '5'", "MARKER", "must have at most 5 characters (MaxLength)"),
        ("Type: String, AllowedPattern: '[a-z]+|\\d'", "aMARKER", "must match [a-z]+|\\d (AllowedPattern)"),
        ("Type: String, AllowedPattern: '[a-z]+|\\d'", "12", "must match [a-z]+|\\d (AllowedPattern)"),
        ("Type: String, NoEcho: true, AllowedPattern: '^[a-z]*$'", "MARKER", "must match ^[a-z]*$ (AllowedPattern)"),
        (
            "Type: String, MaxLength: 2, ConstraintDescription: two letters",
            "MARKER",
            "must have at most 2 characters (MaxLength); the template says: two letters",
        ),
        ("Type: CommaDelimitedList, AllowedValues: [a, b]", "a, MARKER", "each item must be one of a, b"),
        (
            "Type: CommaDelimitedList, AllowedPattern: '[a-z]'",
            "a,MARKER",
            "each item must match [a-z] (AllowedPattern)",
        ),
        ("Type: List<Number>", "1,MARKER", "each item must be a number"),
    ] {
        let problem = only_problem(configured("!Ref P", &declared(members), &[&format!("P={value}")]));
        assert!(problem.starts_with("template.yaml:") && !problem.contains("MARKER"), "{problem}");
        assert!(problem.ends_with(&format!(": Parameters.P: --parameter P: {rule}")), "{members}: {problem}");
    }
}

#[test]
fn constraint_of_a_parameter_that_nothing_needs_is_checked() {
    let problem = only_problem(configured("x", &declared("Type: Number"), &["P=x"]));
    assert!(problem.ends_with("--parameter P: must be a number"), "{problem}");
}

#[test]
fn value_that_keeps_all_constraints_is_taken() {
    for (members, value) in [
        ("Type: String, AllowedValues: [beta, prod]", "prod"),
        ("Type: Number, MinValue: -1, MaxValue: 1e2, AllowedValues: [1, 100]", "100"),
        ("Type: Number", " -1.5e3"),
        ("Type: String, MinLength: 2, MaxLength: 2, AllowedPattern: '\\S+'", "éa"),
        ("Type: 'AWS::SSM::Parameter::Value<Number>', AllowedPattern: '/.*'", "one"),
        ("Type: 'AWS::EC2::VPC::Id', AllowedPattern: 'vpc-[0-9a-f]+'", "vpc-1"),
    ] {
        let taken = configured("!Ref P", &declared(members), &[&format!("P={value}")]);
        assert_eq!(taken, Ok(Value::String(value.to_owned())), "{members}");
    }
    for (kind, value) in [("CommaDelimitedList, AllowedValues: [a, b]", "b, a"), ("List<Number>", "1, 2.5")] {
        let taken = configured("!Join ['', !Ref P]", &declared(&format!("Type: {kind}")), &[&format!("P={value}")]);
        assert!(taken.is_ok(), "{kind}: {taken:?}");
    }
}

#[test]
fn pattern_of_java_alone_is_noted() {
    let sections = declared("Type: String, AllowedPattern: '(?!aws)[a-z]+'");
    let project = load_yaml(&with_configuration("!Ref P", &sections), &["P=own"]).unwrap();
    let [note] = &project.notes[..] else { panic!("{:?}", project.notes) };
    assert!(note.to_string().contains("Parameters.P.AllowedPattern: is not checked: "), "{note}");
}
