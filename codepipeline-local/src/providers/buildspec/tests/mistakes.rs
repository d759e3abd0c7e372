//! Build specifications that can't run.

use super::*;

fn mistake(text: &str) -> String {
    read(text, "b.yml").err().unwrap_or_else(|| panic!("accepted: {text}")).to_string()
}

#[test]
fn mistake_names_line_member_and_what_to_write() {
    let phases = "phases:\n  build:\n    commands: [echo a]\n";
    for (text, message) in [
        ("", "b.yml: holds no YAML"),
        ("just text", "b.yml:1 is not a buildspec: it must begin with members"),
        ("phases: {}", "b.yml:1 has no version: write `version: 0.2` into its first line"),
        ("version: 0.3\n", "b.yml:1: version is unknown: write 0.2"),
        ("version: 0.2\n", "b.yml:1 has no phases"),
        ("version: 0.2\nphases:\n", "b.yml:2: phases has no phase: write one of install, pre_build, build, post_build"),
        (
            "version: 0.2\nphases:\n  build:\n    on-failure: RETRY-3\n",
            "b.yml:4: phases/build/on-failure is RETRY, which",
        ),
        (
            "version: 0.2\nphases:\n  build:\n    on-failure: abort\n",
            "b.yml:4: phases/build/on-failure must be ABORT or CONTINUE",
        ),
        (
            "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n",
            "b.yml:5: phases/build/commands[0] must be a text, but is a mapping",
        ),
        (
            "version: 0.2\nenvironment_variables: {}\nphases: {build: {}}\n",
            "b.yml:2: environment_variables belongs to version 0.1",
        ),
        (
            "version: 0.2\nenv: {shell: zsh}\nphases: {build: {}}\n",
            "b.yml:2: env/shell is unknown: write bash or /bin/sh",
        ),
        ("version: 0.2\nenv: {shell: cmd.exe}\nphases: {build: {}}\n", "b.yml:2: env/shell is a shell of Windows"),
        ("version: 0.2\nenv: {variables: {A=B: c}}\nphases: {build: {}}\n", "b.yml:2: env/variables/A=B is not a name"),
        (
            "version: 0.2\nenv: {exported-variables: [A-B]}\nphases: {build: {}}\n",
            "b.yml:2: env/exported-variables names \"A-B\"",
        ),
        ("version: 0.2\nphases: {build: {}}\nphases: {}\n", "b.yml:3: the key \"phases\" appears twice"),
    ] {
        let found = mistake(text);
        assert!(found.starts_with(message), "{text}\n{found}");
    }
    assert!(
        mistake(&format!("version: 0.2\n{phases}artifacts:\n  discard-paths: 7\n"))
            .ends_with("discard-paths must be yes or no")
    );
}

#[test]
fn unknown_members_are_noted_with_suggestions() {
    let text = "version: 0.2\nphases:\n  build:\n    comands: [exit 1]\n    commands: [echo a]\n  prebuild: {}\nartefacts: {files: a}\n";
    let notes = read(text, "b.yml").ok().unwrap().notes;
    let suggested: Vec<_> = notes.iter().map(|note| note.rsplit(' ').next().unwrap()).collect();
    assert_eq!(suggested, ["artifacts?", "pre_build?", "commands?"], "{notes:?}");
}
