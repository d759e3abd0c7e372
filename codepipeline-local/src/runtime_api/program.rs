//! Checks before the first invocation whether a function's command can run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Fails if the command's program is missing, is a folder, or is not executable. A name without a slash is looked up in `PATH`,
/// which `env` may override. The error says what to change.
pub(crate) fn check_command(command: &[String], env: &BTreeMap<String, String>) -> Result<(), String> {
    let Some(program) = command.first().filter(|program| !program.is_empty()) else {
        return Err("the command is empty".to_owned());
    };
    if program.contains('/') {
        return executable(Path::new(program));
    }
    let path = env.get("PATH").map(OsString::from).or_else(own_path).unwrap_or_default();
    let found: Vec<PathBuf> =
        std::env::split_paths(&path).map(|folder| folder.join(program)).filter(|file| file.is_file()).collect();
    let mut problem = None;
    for file in found {
        match executable(&file) {
            Ok(()) => return Ok(()),
            Err(why) => problem = problem.or(Some(why)),
        }
    }
    Err(problem.unwrap_or_else(|| {
        format!("no folder in PATH has a program {program}; install it, or give its path, as in ./{program}")
    }))
}

#[expect(clippy::disallowed_methods, reason = "a function finds programs in the PATH of the emulator's user")]
fn own_path() -> Option<OsString> {
    std::env::var_os("PATH")
}

fn executable(file: &Path) -> Result<(), String> {
    let named = file.display();
    let data = std::fs::metadata(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("{named} does not exist; build it, or correct its path"),
        _ => format!("could not read the metadata of {named}: {error}"),
    })?;
    if data.is_dir() {
        return Err(format!("{named} is a folder; give the path of the program in it"));
    }
    if data.permissions().mode() & 0o111 == 0 {
        return Err(format!(
            "{named} is not executable; run chmod +x on it, or name its interpreter first, as in \"python3 {named}\""
        ));
    }
    match interpreter(file) {
        Some(interpreter) if !Path::new(&interpreter).is_file() => {
            Err(format!("the first line of {named} names the interpreter {interpreter}, which does not exist"))
        }
        _ => Ok(()),
    }
}

/// The interpreter in a script's first line, as in `#!/bin/sh`.
fn interpreter(file: &Path) -> Option<String> {
    let mut begin = Vec::new();
    std::fs::File::open(file).ok()?.take(256).read_to_end(&mut begin).ok()?;
    let line = begin.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    String::from_utf8_lossy(line).split_whitespace().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path, name: &str, text: &str, mode: u32) -> String {
        let file = folder.join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
        file.display().to_string()
    }

    #[test]
    fn unusable_program_is_named_with_a_fix() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let check = |program: &str, env: &BTreeMap<_, _>| check_command(&[program.to_owned()], env);
        file(folder.path(), "good", "#!/bin/sh\n", 0o755);
        file(folder.path(), "plain", "#!/bin/sh\n", 0o644);
        file(folder.path(), "lost", "#! /no/such/shell -e\n", 0o755);
        let none = BTreeMap::new();
        assert_eq!(check(&at("good"), &none), Ok(()));
        assert_eq!(check("sh", &none), Ok(()));
        for (program, named) in [
            (at("missing"), "does not exist"),
            (folder.path().display().to_string(), "is a folder"),
            (at("plain"), "chmod +x"),
            (at("lost"), "/no/such/shell"),
            ("no-such-bootstrap".to_owned(), "in PATH"),
            (String::new(), "empty"),
        ] {
            let error = check(&program, &none).unwrap_err();
            assert!(error.contains(&program) && error.contains(named), "{error}");
        }
        let path = BTreeMap::from([("PATH".to_owned(), format!("/no/such/folder:{}", folder.path().display()))]);
        assert_eq!(check("good", &path), Ok(()));
        assert!(check("plain", &path).unwrap_err().contains("chmod +x"));
        assert!(check("sh", &path).unwrap_err().contains("in PATH"), "the function's PATH counts");
    }
}
