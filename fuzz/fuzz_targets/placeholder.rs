//! Templates. A valid text is unchanged if each placeholder is filled with itself. An invalid text is refused with the position of the
//! mistake, and the message does not repeat the text.
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
    // `${Config:-x}` is a literal text of a shell.
    assert!(template.literal().is_some() || text.contains("{Config:"));
    if let Some(key) = template.keys().next() {
        let missing = template.render(&Configuration::default()).expect_err("no key is there");
        assert_eq!(missing.key, key);
    }
});

fn check(text: &str, error: &PlaceholderError) {
    // The same mistake in another text at the same place has the same message.
    let (position, begins, same) = match error {
        PlaceholderError::Unclosed { position } => (position, "{Config:", "{Config:".to_owned()),
        PlaceholderError::EmptyKey { position } => (position, "{Config:", "{Config:}".to_owned()),
        PlaceholderError::KeyTooLong { position, chars } => {
            (position, "{Config:", format!("{{Config:{}}}", "k".repeat(*chars)))
        }
        PlaceholderError::PaddedKey { position } => (position, "{Config:", "{Config: Key}".to_owned()),
        PlaceholderError::Misspelt { position } => (position, "{", "{config:Key}".to_owned()),
        PlaceholderError::Dollar { position } => (position, "${", "${Config:Key}".to_owned()),
    };
    let rest: String = text.chars().skip(position - 1).collect();
    assert!(rest.starts_with(begins), "{error}");
    let same = " ".repeat(position - 1) + &same;
    assert_eq!(Template::parse(&same).err().map(|error| error.to_string()), Some(error.to_string()));
}
