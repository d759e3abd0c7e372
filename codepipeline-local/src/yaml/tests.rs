use serde_json::{Value, json};

use super::limits::MAX_DEPTH;
use super::*;

fn value(text: &str) -> Value {
    read(text).unwrap().to_value()
}

fn error(text: &str) -> String {
    read(text).err().unwrap().to_string()
}

#[test]
fn plain_scalars_have_the_types_of_json() {
    let text = "[1, -2.5, true, False, null, ~, yes, on, 007, 1.10, 2010-09-09, 1_000, 0x1F, '1', \"true\", !!str 1]";
    let texts = json!(["yes", "on", "007", "1.10", "2010-09-09", "1_000", "0x1F", "1", "true", "1"]);
    let mut expected = vec![json!(1), json!(-2.5), json!(true), json!(false), Value::Null, Value::Null];
    expected.extend(texts.as_array().unwrap().clone());
    assert_eq!(value(text), Value::Array(expected));
}

#[test]
fn block_texts_keep_their_lines() {
    assert_eq!(value("a: |\n  x\n   y\nb: >-\n  x\n  y\nc:\n"), json!({"a": "x\n y\n", "b": "x y", "c": null}));
}

#[test]
fn tags_and_lines_are_kept() {
    let root = read("# comment\nA: !Ref B\nC:\n  - !GetAtt\n    - D\n    - E\n").unwrap();
    let reference = root.get("A").unwrap();
    assert_eq!((reference.tag.as_deref(), reference.line, reference.text()), (Some("Ref"), Some(2), Some("B")));
    let attribute = &root.get("C").unwrap().items()[0];
    assert_eq!((attribute.tag.as_deref(), attribute.line, attribute.items().len()), (Some("GetAtt"), Some(4), 2));
}

#[test]
fn aliases_and_merge_keys_are_expanded() {
    let text = "base: &base {a: 1, b: 2}\ncopy: *base\nmore:\n  <<: *base\n  b: 3\nboth:\n  <<: [{c: 4}, *base]\n";
    let base = json!({"a": 1, "b": 2});
    let expected = json!({
        "base": base, "copy": base, "more": {"a": 1, "b": 3}, "both": {"a": 1, "b": 2, "c": 4}
    });
    assert_eq!(value(text), expected);
}

#[test]
fn alias_bomb_is_refused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let error = error(&text);
    assert!(error.starts_with("line ") && error.contains("with its aliases expanded"), "{error}");
}

#[test]
fn long_text_in_many_aliases_is_refused() {
    let text = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), vec!["*a"; 100].join(", "));
    assert!(error(&text).contains("with its aliases expanded"), "{}", error(&text));
}

#[test]
fn alias_of_a_value_around_it_is_refused() {
    assert!(error("a: &a [x, *a]\n").contains("not complete yet"), "{}", error("a: &a [x, *a]\n"));
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |depth: usize| format!("{}x{}", "[".repeat(depth), "]".repeat(depth));
    assert!(read(&nested(MAX_DEPTH)).is_ok());
    for text in [nested(MAX_DEPTH + 1), "- ".repeat(100_000)] {
        assert!(error(&text).contains("nested deeper than 100 levels"), "{}", error(&text));
    }
    let json = read_json(&nested(1000)).err().unwrap();
    assert!(json.why.starts_with("is not valid JSON"), "{json}");
}

#[test]
fn alias_below_a_deep_value_counts_its_own_depth() {
    let half = |inside: &str| format!("{}{inside}{}", "[".repeat(60), "]".repeat(60));
    let text = format!("a: &a {}\nb: {}\n", half("x"), half("*a"));
    assert!(error(&text).contains("nested deeper than 100 levels"), "{}", error(&text));
}

#[test]
fn long_text_is_refused_unread() {
    let text = " ".repeat(MAX_BYTES + 1);
    for unreadable in [read(&text).err(), read_json(&text).err()] {
        assert!(unreadable.unwrap().why.contains("at most 8388608 are read"));
    }
}

#[test]
fn mistakes_are_named_with_their_line() {
    for (text, line, named) in [
        ("a: 1\nb: [\n", "line 3: ", "is not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "line 3: ", "the key \"a\" appears twice"),
        ("a: 1\n---\nb: 2\n", "line ", "second document"),
        ("a: 1\n? [x]\n: 1\n", "line 2: ", "a key is not a text"),
        ("a: *b\n", "line 1: ", "is not valid YAML"),
        ("", "", "holds no YAML"),
    ] {
        let error = error(text);
        assert!(error.starts_with(line) && error.contains(named), "{text:?}: {error}");
    }
}

#[test]
fn last_value_of_a_repeated_key_counts_where_it_may_repeat() {
    let (root, repeated) = read_last_values("a: 1\nb: {c: 2}\na: 3\nb: &b {c: 4, c: 5}\nd: {<<: *b, c: 6}\n").unwrap();
    assert_eq!(root.to_value(), json!({"a": 3, "b": {"c": 5}, "d": {"c": 6}}));
    let repeated: Vec<_> = repeated.iter().map(|repeated| (repeated.key.as_str(), repeated.line)).collect();
    assert_eq!(repeated, [("a", 3), ("b", 4), ("c", 4)]);
}

#[test]
fn number_of_repeated_keys_is_limited() {
    let wrong = read_last_values(&"a: 1\n".repeat(102)).err().unwrap();
    assert_eq!((wrong.line, wrong.why.as_str()), (Some(102), "the key \"a\" appears twice"));
}

#[test]
fn byte_order_mark_is_ignored() {
    assert_eq!(value("\u{feff}a: 1"), json!({"a": 1}));
    assert_eq!(read_json("\u{feff}{\"a\": 1}").unwrap().to_value(), json!({"a": 1}));
}

#[test]
fn json_keeps_its_values() {
    let text = r#"{"a": [1, 1.5, true, null, "1", "\ud83d\ude00"], "b": {}}"#;
    assert_eq!(read_json(text).unwrap().to_value(), serde_json::from_str::<Value>(text).unwrap());
}
