//! The scripts that complete the command line, in the shells that they are for.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::{PROGRAM, text};

/// The script for this shell, as a file in the folder.
fn script(folder: &Path, shell: &str) -> PathBuf {
    let output = Command::new(PROGRAM).args(["completions", shell]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let file = folder.join(shell);
    std::fs::write(&file, output.stdout).unwrap();
    file
}

fn bash(arguments: &[&str]) -> Output {
    Command::new("bash").args(["--norc", "--noprofile"]).args(arguments).output().unwrap()
}

/// The words that bash offers in the place of the last one.
fn offers(script: &Path, words: &[&str]) -> Vec<String> {
    let complete = "source \"$1\" || exit
        declared=$(complete -p codepipeline-local) || exit
        [[ $declared =~ -F\\ ([^ ]+) ]] || exit
        COMP_WORDS=(\"${@:2}\") COMP_CWORD=$(($# - 2))
        \"${BASH_REMATCH[1]}\" codepipeline-local \"${COMP_WORDS[COMP_CWORD]}\" \"${COMP_WORDS[COMP_CWORD - 1]}\"
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = bash(&[&["-c", complete, "bash", script.to_str().unwrap()], words].concat());
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    text(&output.stdout).lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let script = script(folder.path(), "bash");
    let checked = bash(&["-n", script.to_str().unwrap()]);
    assert!(checked.status.success() && checked.stderr.is_empty(), "{}", text(&checked.stderr));
    for (words, wanted) in [
        (&["codepipeline-local", "r"][..], &["run"][..]),
        (&["codepipeline-local", "run", "--wo"], &["--worker"]),
        (&["codepipeline-local", "run", "pipeline.json", "--source", "App=.", "--dr"], &["--dry-run"]),
        (&["codepipeline-local", "serve", "--run"], &["--run-commands"]),
        (&["codepipeline-local", "completions", ""], &["-h", "--help", "bash", "zsh", "fish"]),
    ] {
        assert_eq!(offers(&script, words), wanted, "{words:?}");
    }
}

/// zsh and fish check the scripts where they are installed.
#[test]
fn zsh_and_fish_scripts_name_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, check) in [("zsh", "-n"), ("fish", "--no-execute")] {
        let script = script(folder.path(), shell);
        let words = std::fs::read_to_string(&script).unwrap();
        assert!(["codepipeline-local", "run", "dry-run"].iter().all(|word| words.contains(word)), "{shell}");
        match Command::new(shell).arg(check).arg(&script).output() {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {}", text(&checked.stderr)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound, "{shell}"),
        }
    }
}

#[test]
fn other_shells_are_refused_by_name() {
    let output = Command::new(PROGRAM).args(["completions", "tcsh"]).output().unwrap();
    assert!(!output.status.success() && text(&output.stderr).contains("possible values: bash, zsh, fish"));
}
