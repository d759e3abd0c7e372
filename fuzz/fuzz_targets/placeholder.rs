//! Templates: a text that is taken says the same when each placeholder is filled with itself, and one that is refused is
//! refused at its place and without being repeated.
#![no_main]

use codepipeline_worker::job::Configuration;
use codepipeline_worker::placeholder::{PlaceholderError, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(error) => return check(text, &error),
    };
    let itself = |key: &str| (key.to_owned(), format!("{{Config:{key}}}"));
    let configuration: Configuration = template.keys().map(itself).collect();
    assert_eq!(template.render(&configuration).ok().as_deref(), Some(text));
    assert_eq!(template.literal().is_none(), text.contains("{Config:"));
    if let Some(key) = template.keys().next() {
        let missing = template.render(&Configuration::default()).expect_err("no key is there");
        assert_eq!(missing.0, key);
    }
});

fn check(text: &str, error: &PlaceholderError) {
    let (PlaceholderError::Unclosed { position }
    | PlaceholderError::EmptyKey { position }
    | PlaceholderError::KeyTooLong { position, .. }) = error;
    let rest: String = text.chars().skip(position - 1).collect();
    assert!(rest.starts_with("{Config:"), "{error}");
    // The same mistake in another text at the same place has the same message.
    let same = match error {
        PlaceholderError::Unclosed { .. } => "{Config:".to_owned(),
        PlaceholderError::EmptyKey { .. } => "{Config:}".to_owned(),
        PlaceholderError::KeyTooLong { chars, .. } => format!("{{Config:{}}}", "k".repeat(*chars)),
    };
    let same = " ".repeat(position - 1) + &same;
    assert_eq!(Template::parse(&same).err().map(|error| error.to_string()), Some(error.to_string()));
}
