//! The names that a file takes from other files, read from its text.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::source::{product_files, without_unit_tests};

/// A file of a crate.
pub(super) struct Module {
    /// `["engine", "jobs"]` for `engine/jobs.rs`; empty for `lib.rs`.
    pub(super) path: Vec<String>,
    imports: Vec<Import>,
    /// Paths outside `use`, such as `urls::fill`.
    paths: Vec<Vec<String>>,
}

/// One name that a `use` brings in.
struct Import {
    path: Vec<String>,
    /// The name in this module.
    name: String,
    /// Whether the module only passes the name on.
    re_export: bool,
}

/// Reads all files of a folder. Test modules are left out.
pub(super) fn modules(source: &Path) -> Vec<Module> {
    let read = |file: &PathBuf| {
        let name = file.strip_prefix(source).unwrap().with_extension("");
        Module::read(name.to_str().unwrap(), &fs::read_to_string(file).unwrap())
    };
    let modules: Vec<_> = product_files(source).iter().map(read).collect();
    assert!(modules.len() > 20, "{} holds only {} modules", source.display(), modules.len());
    modules
}

impl Module {
    /// Reads a file. `name` is its place below the source folder, without `.rs`.
    pub(super) fn read(name: &str, text: &str) -> Self {
        let mut path: Vec<String> = name.split('/').map(str::to_owned).collect();
        if matches!(path.last().map(String::as_str), Some("mod" | "lib")) {
            path.pop();
        }
        let code: Vec<&str> =
            without_unit_tests(text).lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let tokens = tokens(&code.join("\n"));
        let mut module = Self { path, imports: Vec::new(), paths: Vec::new() };
        let mut at = 0;
        while at < tokens.len() {
            let next = tokens.get(at + 1).map_or("", String::as_str);
            let before = at.checked_sub(1).map_or(";", |before| &tokens[before]);
            let begins_item = [";", "{", "}", "]", "pub", ")"].contains(&before) && is_word(next);
            if tokens[at] == "use" && begins_item {
                let re_export = before == "pub" || before == ")";
                // A text with the word may stand behind the last semicolon.
                let end = tokens[at..].iter().position(|token| token == ";").map_or(tokens.len(), |length| at + length);
                read_tree(&tokens[at + 1..end], &mut Vec::new(), &mut |path, name| {
                    module.imports.push(Import { path, name, re_export });
                });
                at = end;
            } else if is_word(&tokens[at]) && next == "::" {
                let mut path = vec![tokens[at].clone()];
                while at + 2 < tokens.len() && tokens[at + 1] == "::" && is_word(&tokens[at + 2]) {
                    path.push(tokens[at + 2].clone());
                    at += 2;
                }
                module.paths.push(path);
            }
            at += 1;
        }
        module
    }

    /// The whole paths of everything that the module's own code takes from this crate.
    pub(super) fn names(&self, is_module: impl Fn(&[String]) -> bool + Copy) -> Vec<Vec<String>> {
        let imports = self.imports.iter().filter_map(|import| {
            let path = self.absolute(&import.path, is_module)?;
            // A parent that passes on the names of its children names nothing itself.
            (!import.re_export || !path.starts_with(&self.path)).then_some(path)
        });
        let paths = self.paths.iter().filter_map(|path| {
            let first = self.imported(&path[0], is_module).filter(|target| is_module(target));
            let whole = first.map(|target| [&target, &path[1..]].concat());
            whole.or_else(|| self.absolute(path, is_module))
        });
        imports.chain(paths).collect()
    }

    /// The whole path behind a name that the module imports or passes on.
    pub(super) fn imported(&self, name: &str, is_module: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
        let import = self.imports.iter().find(|import| import.name == name)?;
        self.absolute(&import.path, is_module)
    }

    /// The path from the crate's root. `None` for a path into another crate.
    fn absolute(&self, path: &[String], is_module: impl Fn(&[String]) -> bool) -> Option<Vec<String>> {
        let supers = path.iter().take_while(|step| *step == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (&[][..], &path[1..]),
            "self" => (&self.path[..], &path[1..]),
            "super" => (&self.path[..self.path.len().checked_sub(supers)?], &path[supers..]),
            child if is_module(&[&self.path[..], &[child.to_owned()]].concat()) => (&self.path[..], path),
            _ => return None,
        };
        Some([base, rest].concat())
    }
}

/// Words, `::`, and single other characters.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut in_word = false;
    for character in code.chars() {
        let of_word = character.is_ascii_alphanumeric() || character == '_';
        match tokens.last_mut() {
            Some(last) if of_word && in_word => last.push(character),
            Some(last) if last == ":" && character == ':' => last.push(':'),
            _ if character.is_whitespace() => {}
            _ => tokens.push(character.to_string()),
        }
        in_word = of_word;
    }
    tokens
}

fn is_word(token: &str) -> bool {
    token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
}

/// Reads the tree of a `use`, and gives each path in it with the name that it gets.
fn read_tree(tokens: &[String], prefix: &mut Vec<String>, give: &mut impl FnMut(Vec<String>, String)) {
    let length = prefix.len();
    let mut alias = None;
    let mut at = 0;
    while at < tokens.len() {
        match tokens[at].as_str() {
            "{" => {
                let end = at + closing(&tokens[at..]);
                for part in split(&tokens[at + 1..end]) {
                    read_tree(part, prefix, give);
                }
                prefix.truncate(length);
                return;
            }
            "as" => {
                alias = tokens.get(at + 1).cloned();
                break;
            }
            "::" => {}
            word => prefix.push(word.to_owned()),
        }
        at += 1;
    }
    if prefix.len() > length {
        let is_self = prefix.len() > 1 && prefix.last().is_some_and(|last| last == "self");
        let path: Vec<String> = prefix[..prefix.len() - usize::from(is_self)].to_vec();
        let name = alias.or_else(|| path.last().cloned()).unwrap_or_default();
        give(path, name);
    }
    prefix.truncate(length);
}

/// The place of the brace that closes the first one.
fn closing(tokens: &[String]) -> usize {
    let mut depth = 0;
    tokens
        .iter()
        .position(|token| {
            depth += i32::from(token == "{") - i32::from(token == "}");
            depth == 0
        })
        .unwrap()
}

/// The parts between the commas that stand in no braces.
fn split(tokens: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    tokens
        .split(|token| {
            depth += i32::from(token == "{") - i32::from(token == "}");
            depth == 0 && token == ","
        })
        .collect()
}
