use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// How each code is declared. A code stands in no other place, so that the source lists all of them.
const DECLARED: &str = "FailureCode = FailureCode::new(\"";

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

/// The codes that the crate declares, each with the files that declare it and the name of the constant.
fn declared() -> BTreeMap<String, Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let mut codes = BTreeMap::<_, Vec<_>>::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            let Some((before, after)) = line.split_once(DECLARED) else { continue };
            let constant = before.trim().trim_end_matches(':').rsplit(' ').next().unwrap().to_owned();
            codes.entry(after.split('"').next().unwrap().to_owned()).or_default().push((file.clone(), constant));
        }
    }
    codes
}

/// `StagingTimeout` for `STAGING_TIMEOUT`.
fn camel_case(constant: &str) -> String {
    let word = |word: &str| word[..1].to_owned() + &word[1..].to_ascii_lowercase();
    constant.split('_').map(word).collect()
}

#[test]
fn each_code_is_declared_once_and_named_after_its_constant() {
    let codes = declared();
    assert!(codes.len() > 50, "found {} codes: is the pattern still right?", codes.len());
    for (code, places) in &codes {
        assert_eq!(places.len(), 1, "{code} is declared in {places:?}");
        assert_eq!(*code, camel_case(&places[0].1), "{code} is declared as {places:?}");
    }
}

#[test]
fn each_code_is_well_formed() {
    for code in declared().into_keys() {
        assert_eq!(FailureCode::new(code.clone().leak()).as_str(), code);
    }
}

#[test]
fn malformed_codes_panic() {
    for code in ["", "lower", "Two Words", "Under_Score", "Ümlaut", "A: b", &"X".repeat(41)] {
        let code: &'static str = code.to_owned().leak();
        assert!(std::panic::catch_unwind(|| FailureCode::new(code)).is_err(), "{code}");
    }
    assert_eq!(FailureCode::new("X".repeat(40).leak()).to_string().len(), FailureCode::LONGEST);
}

#[test]
fn each_code_is_documented_once() {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operating.md")).unwrap();
    let section = document.split("\n## ").find(|section| section.starts_with("Failure codes\n")).unwrap();
    let codes_of = |line: &str| {
        let cell = line.strip_prefix("| `")?.split(" | ").next()?.to_owned();
        Some(cell.split(", ").map(|code| code.trim_matches('`').to_owned()).collect::<Vec<_>>())
    };
    let mut documented: Vec<String> = section.lines().filter_map(codes_of).flatten().collect();
    documented.sort();
    assert_eq!(documented, declared().into_keys().collect::<Vec<_>>());
}
