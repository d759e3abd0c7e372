//! Parses the operator's JSON. Messages give the place of each mistake and repeat no value.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::settings::{Problems, shown_key};

/// Parses `text`, the value at `path`. A duplicate member of an object is a mistake, because one of the two would be lost.
pub(super) fn parse(text: &str, path: &str, problems: &mut Problems) -> Option<Value> {
    // Editors on Windows begin a file with a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        problems.add(path, "is empty; it must be a JSON array with an entry for each action type");
        return None;
    }
    let duplicates = RefCell::new(Vec::new());
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { path, duplicates: &duplicates }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(value) => {
            for path in duplicates.into_inner() {
                problems.add(path, "is a duplicate member of its object; remove one of the two");
            }
            Some(value)
        }
        Err(error) => {
            let (line, column) = (error.line(), error.column());
            let what = what_is_wrong(&error);
            problems.add(
                path,
                format_args!("is not valid JSON at line {line}, column {column}: {what}{}", hint(text, &error)),
            );
            None
        }
    }
}

/// The parser's message, if the text is not JSON: such messages are fixed. Other messages could repeat a value.
fn what_is_wrong(error: &serde_json::Error) -> String {
    if !(error.is_syntax() || error.is_eof()) {
        return "a value is not as expected".to_owned();
    }
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or_default().to_owned()
}

/// Guesses what the text is instead of JSON, and says how to fix it.
fn hint(text: &str, error: &serde_json::Error) -> &'static str {
    let start = text.trim_start();
    if start.starts_with("- ") || start.starts_with("actionType:") || start.starts_with("---") {
        return "; this looks like YAML, so write it as JSON";
    }
    if start.starts_with("'[") || start.starts_with("'{") {
        return "; remove the quotes around the text";
    }
    if start.starts_with("[\\\"") || start.starts_with("[{\\\"") {
        return "; remove the backslashes before the quotes";
    }
    let Some((before, rest)) = stopped_at(text, error) else { return "" };
    match rest.chars().next() {
        Some('\'') => "; JSON needs double quotes around names and strings",
        Some('“' | '”' | '„' | '‘' | '’') => "; JSON needs straight double quotes",
        Some('/' | '#') => "; JSON has no comments",
        Some(']' | '}') if before.trim_end().ends_with(',') => "; there may be an extra comma before it",
        Some(closing @ (']' | '}')) if innermost_open(before).is_some_and(|open| open != closing) => {
            "; a bracket or brace before it is not closed"
        }
        _ => "",
    }
}

/// The text before and from the character that the parser stopped at. Its column counts bytes from 1.
fn stopped_at<'t>(text: &'t str, error: &serde_json::Error) -> Option<(&'t str, &'t str)> {
    let line = error.line().checked_sub(1)?;
    let column = error.column().checked_sub(1)?;
    let lines_before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let at = (lines_before + column).min(text.len());
    let start = (lines_before..=at).rev().find(|&at| text.is_char_boundary(at))?;
    Some(text.split_at(start))
}

/// The character that would close the innermost open bracket or brace.
fn innermost_open(text: &str) -> Option<char> {
    let mut open = Vec::new();
    let (mut quoted, mut escaped) = (false, false);
    for character in text.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = quoted,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => open.push(']'),
            '{' => open.push('}'),
            ']' | '}' => drop(open.pop()),
            _ => {}
        }
    }
    open.pop()
}

/// Reads any value and collects the path of each duplicate member.
#[derive(Clone, Copy)]
struct Strict<'a> {
    path: &'a str,
    duplicates: &'a RefCell<Vec<String>>,
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, values.len());
            match elements.next_element_seed(Strict { path: &path, ..self })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let path = format!("{}.{}", self.path, shown_key(&key));
            let value = members.next_value_seed(Strict { path: &path, ..self })?;
            if values.insert(key, value).is_some() {
                self.duplicates.borrow_mut().push(path);
            }
        }
        Ok(Value::Object(values))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Option<Value>, String> {
        let mut problems = Problems::default();
        let value = parse(text, "ACTIONS", &mut problems);
        problems.into_result(value).map_err(|error| error.to_string())
    }

    #[test]
    fn json_is_read_as_it_is_also_after_a_byte_order_mark() {
        let text = r#"[{"a": [null, true, -1, 2, 2.5, "ü"]}, {}]"#;
        let expected: Value = serde_json::from_str(text).unwrap();
        assert_eq!(parsed(text), Ok(Some(expected.clone())));
        assert_eq!(parsed(&format!("\u{feff}{text}\n")), Ok(Some(expected)));
    }

    #[test]
    fn invalid_json_is_named_by_place_and_cause_only() {
        for (text, expected) in [
            ("", "ACTIONS: is empty"),
            (" \n", "ACTIONS: is empty"),
            ("[\n  {\"s3cr3t\": 1},\n]", "at line 3, column 1: trailing comma"),
            ("[{\"a\": 1,}]", "at line 1, column 10: trailing comma"),
            ("[{'s3cr3t': 1}]", "JSON needs double quotes around names and strings"),
            ("[{\"a\": 's3cr3t'}]", "JSON needs double quotes around names and strings"),
            ("[{“a”: 1}]", "JSON needs straight double quotes"),
            ("'[{\"a\": 1}]'", "remove the quotes around the text"),
            ("[{\\\"a\\\": 1}]", "remove the backslashes before the quotes"),
            ("- actionType:\n    category: s3cr3t\n", "this looks like YAML"),
            ("---\n- actionType: s3cr3t\n", "this looks like YAML"),
            ("[1, // s3cr3t\n2]", "JSON has no comments"),
            ("[{\"a\": s3cr3t}]", "at line 1, column 8: expected value"),
            ("[{\"a\": \"s3cr3t", "EOF while parsing a string"),
            ("[] s3cr3t", "trailing characters"),
            ("[{\"a\": 1},\r\n  ]", "; there may be an extra comma before it"),
            ("[{]", "; a bracket or brace before it is not closed"),
            ("[{\"a]\\\"\": [1}]", "; a bracket or brace before it is not closed"),
        ] {
            let said = parsed(text).unwrap_err();
            assert!(said.contains(expected) && !said.contains("s3cr3t"), "{text}: {said}");
        }
    }

    #[test]
    fn closing_bracket_at_its_place_gets_no_hint() {
        for (text, end) in
            [("[{\"a\": }]", "expected value"), ("[]]", "trailing characters"), ("[{\"a\"}]", "expected `:`")]
        {
            let said = parsed(text).unwrap_err();
            assert!(said.ends_with(end), "{text}: {said}");
        }
    }

    #[test]
    fn a_member_that_comes_twice_is_a_mistake() {
        let said = parsed(r#"[{"run": {"a": 1, "b": 2, "a": 3}, "run": {}}]"#).unwrap_err();
        assert_eq!(
            said,
            "the configuration has 2 mistakes: ACTIONS[0].run.a: is a duplicate member of its object; remove one of \
             the two; ACTIONS[0].run: is a duplicate member of its object; remove one of the two"
        );
    }
}
