//! Templates that try to use up memory, time or the stack.

use super::*;

#[test]
fn names_that_double_are_stopped() {
    let mut sections = String::new();
    for level in 0..60 {
        let next = level + 1;
        let name = format!("!Sub '${{B{next}}}${{B{next}}}'");
        sections.push_str(&format!("  B{level}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {name}}}}}\n"));
    }
    sections.push_str("  B60: {Type: AWS::S3::Bucket}\n");
    let problems = configured("!Ref B0", &sections, &[]).err().unwrap();
    assert!(problems.iter().any(|problem| problem.contains("makes too many values")), "{problems:#?}");
}

#[test]
fn long_chain_of_names_is_stopped() {
    let mut sections = String::new();
    for level in 0..5_000 {
        let name = format!("!Ref B{}", level + 1);
        sections.push_str(&format!("  B{level}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {name}}}}}\n"));
    }
    sections.push_str("  B5000: {Type: AWS::S3::Bucket}\n");
    let problem = only_problem(configured("!Ref B0", &sections, &[]));
    assert!(problem.contains("over more than 120 steps"), "{problem}");
}

#[test]
fn functions_within_functions_fit_the_stack() {
    for (open, close) in [
        ("!Join ['', [", "]]"),
        ("!Sub ['${A}', {A: ", "}]"),
        ("!Select [0, [", "]]"),
        ("!Select [0, !Split ['/', ", "]]"),
        ("!If [Holds, ", ", b]"),
        ("!FindInMap [a, b, c, {DefaultValue: ", "}]"),
        ("!Base64 {'Fn::ToJsonString': ", "}"),
    ] {
        let mut sections = "Conditions:\n  Holds: !Equals [a, a]\n".to_owned();
        let mut resources = String::new();
        for level in 0..100 {
            let inner = format!("!Ref B{}", level + 1);
            let name = format!("{}{inner}{}", open.repeat(9), close.repeat(9));
            resources.push_str(&format!("  B{level}: {{Type: AWS::S3::Bucket, Properties: {{BucketName: {name}}}}}\n"));
        }
        resources.push_str("  B100: {Type: AWS::S3::Bucket}\n");
        sections.insert_str(0, &resources);
        let problem = only_problem(configured("!Ref B0", &sections, &[]));
        assert!(problem.contains("over more than 120 steps"), "{open}: {problem}");
    }
}

#[test]
fn long_chain_of_conditions_is_stopped() {
    let mut sections = "Conditions:\n".to_owned();
    for level in 0..5_000 {
        sections.push_str(&format!("  C{level}: !Not [!Condition C{}]\n", level + 1));
    }
    sections.push_str("  C5000: !Equals [a, a]\n");
    let problem = only_problem(configured("!If [C0, a, b]", &sections, &[]));
    assert!(problem.contains("over more than 120 steps"), "{problem}");
}

#[test]
fn long_list_of_problems_is_cut() {
    let list = vec!["!Ref Missing"; 5_000].join(", ");
    let problems = configured(&format!("[{list}]"), "", &[]).err().unwrap();
    assert_eq!(problems.len(), 50);
}

#[test]
fn odd_names_are_escaped_in_problems() {
    let problem = only_problem(configured("!Ref \"a\\e[31m\\n\"", "", &[]));
    assert!(problem.contains("a\\u{1b}[31m\\n is no parameter"), "{problem}");
}
