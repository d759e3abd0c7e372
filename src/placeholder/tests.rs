//! Texts as operators write them, and random texts.

use proptest::prelude::*;

use super::*;

fn configuration() -> Configuration {
    [("Url", "https://example.com"), ("Über key", "ü"), ("Nested", "{Config:Url}")].into_iter().collect()
}

fn render(text: &str) -> String {
    Template::parse(text).ok().unwrap().render(&configuration()).unwrap()
}

#[test]
fn placeholders_become_values() {
    assert_eq!(render("{Config:Url}"), "https://example.com");
    assert_eq!(render("a {Config:Url}{Config:Über key} b"), "a https://example.comü b");
}

#[test]
fn other_braces_stay() {
    for text in [
        "",
        "{}",
        "}{",
        "${x}",
        "{a,b}",
        "{Foo:Bar}",
        "{Config",
        "{Config}",
        "{config}",
        "{Config,Release}",
        "{ConfigMap: x}",
        // Shells, with a variable of this name.
        "${Config}",
        "${CONFIG:-release}",
        "${Config:-release}",
        "${config:?is not set}",
        "${config:0:3}",
        "${CONFIG_URL}",
        // JSON, jq, JavaScript, Python, Jinja, Go templates, PromQL, awk.
        r#"{"config":{"Config":1}}"#,
        "{config: .name}",
        "{config: $x}",
        "{config:[1]}",
        "{config: a, b: c}",
        "{conf:x}",
        "{config.name}",
        "{config!r:>10}",
        "{{ config.name }}",
        "{{ .Config.Name }}",
        r#"{config="x"}"#,
        "{ print $1 }",
    ] {
        assert_eq!(render(text), text);
    }
    assert_eq!(render("{{Config:Url}}"), "{https://example.com}");
    assert_eq!(render(r#"{"a":{Config:Url}}"#), r#"{"a":https://example.com}"#);
}

#[test]
fn misspelt_placeholders_are_mistakes() {
    let first = |text: &str| Template::parse(&format!("ü {text} x")).err();
    for text in [
        "{config:Command}",
        "{CONFIG:Command}",
        "{ Config:Command }",
        "{Config :Command}",
        "{config: Command}",
        "{Configuration:X}",
        "{configuration:Über key}",
        "{Configs:X}",
        "{Confg:Command}",
        "{Conifg:Command}",
        "{Config.Command}",
        "{Config/Command}",
        "{Config=Command}",
        "{Config-Command}",
    ] {
        assert_eq!(first(text), Some(PlaceholderError::Misspelt { position: 3 }), "{text}");
    }
    for text in ["{Config: Command}", "{Config:Command }", "{Config::Command}"] {
        assert_eq!(first(text), Some(PlaceholderError::PaddedKey { position: 3 }), "{text}");
    }
    for text in ["${Config:Command}", "${config:Command}", "${Configuration:X}", "${Config:}"] {
        assert_eq!(first(text), Some(PlaceholderError::Dollar { position: 3 }), "{text}");
    }
}

#[test]
fn every_mistake_is_found() {
    let mistakes = Template::parse_all("{config:A} {Config:Url} {Config:} ${Config:B}").err();
    let expected = [
        PlaceholderError::Misspelt { position: 1 },
        PlaceholderError::EmptyKey { position: 25 },
        PlaceholderError::Dollar { position: 35 },
    ];
    assert_eq!(mistakes.as_deref(), Some(expected.as_slice()));
}

#[test]
fn placeholder_in_a_value_stays() {
    assert_eq!(render("{Config:Nested}"), "{Config:Url}");
}

#[test]
fn malformed_placeholder_is_refused_by_its_position() {
    let mistake = |text: &str| Template::parse(text).err().unwrap();
    assert_eq!(mistake("ü{Config:"), PlaceholderError::Unclosed { position: 2 });
    assert_eq!(mistake("{Config:A {Config:B}"), PlaceholderError::Unclosed { position: 1 });
    assert_eq!(mistake("{Config:Url} {Config:}"), PlaceholderError::EmptyKey { position: 14 });
    let long = format!("{{Config:{}}}", "ü".repeat(51));
    assert_eq!(mistake(&long), PlaceholderError::KeyTooLong { position: 1, chars: 51 });
    assert!(Template::parse(&format!("{{Config:{}}}", "ü".repeat(50))).is_ok());
}

#[test]
fn message_says_what_to_write_and_shows_no_text() {
    let message = Template::parse("hunter2 {Config:hunter2").err().unwrap().to_string();
    assert_eq!(message, "the placeholder `{Config:` at character 9 has no closing `}`; write it as `{Config:Key}`");
}

#[test]
fn missing_key_is_named() {
    let missing = Template::parse("{Config:Url} {Config:Nope}").ok().unwrap().render(&configuration()).unwrap_err();
    assert_eq!(missing.to_string(), "the action's configuration has no `Nope`");
}

#[test]
fn keys_and_literal_show_what_a_text_needs() {
    let template = Template::parse("x {Config:A}{Config:B} {Config:A}").ok().unwrap();
    assert_eq!(template.keys().collect::<Vec<_>>(), ["A", "B", "A"]);
    assert_eq!(template.literal(), None);
    assert_eq!(Template::parse("bash {}").ok().unwrap().literal(), Some("bash {}"));
    assert_eq!(Template::parse("").ok().unwrap().literal(), Some(""));
}

proptest! {
    #[test]
    fn any_text_renders_or_is_refused_by_its_position(
        pieces in prop::collection::vec(
            prop_oneof![
                Just("{Config:".to_owned()),
                Just("}".to_owned()),
                "\\PC{0,6}",
                "[${}Config:ü .]{0,9}",
                Just("long".repeat(13)),
            ],
            0..8,
        ),
    ) {
        let text = pieces.concat();
        match Template::parse(&text) {
            Ok(template) => {
                let itself = |key: &str| (key.to_owned(), format!("{{Config:{key}}}"));
                let configuration = template.keys().map(itself).collect();
                prop_assert_eq!(template.render(&configuration), Ok(text));
            }
            Err(error) => {
                let (PlaceholderError::Unclosed { position }
                | PlaceholderError::EmptyKey { position }
                | PlaceholderError::KeyTooLong { position, .. }
                | PlaceholderError::PaddedKey { position }
                | PlaceholderError::Misspelt { position }
                | PlaceholderError::Dollar { position }) = error;
                let rest: String = text.chars().skip(position - 1).collect();
                prop_assert!(rest.starts_with('{') || rest.starts_with("${"), "{}", error);
                prop_assert!(!error.to_string().contains("longlong"), "{}", error);
            }
        }
    }
}
