//! The state that one command leaves to the next.

use super::*;

#[tokio::test]
async fn commands_share_one_shell() {
    for shell in [Shell::Sh, Shell::Bash] {
        let place = Place { shell, ..Place::new() };
        let commands = [
            "mkdir -p a/b && cd a",
            "plain=1; export exported=2",
            "f() { echo $plain $exported $1; }",
            "cd b; f 3; basename $PWD",
        ];
        let (lines, ended) = run(&place, &commands).await;
        assert_eq!((lines, ended), (vec!["1 2 3".to_owned(), "b".to_owned()], Ended::Exited(0)), "{shell:?}");
    }
}

#[tokio::test]
async fn command_apart_leaves_nothing_but_files() {
    let place = Place::new();
    let mut session = place.session();
    session.export("GIVEN", "it's").await.unwrap();
    session.run_apart("cd / && export LOST=1 && echo \"$GIVEN\"").await.unwrap();
    assert_eq!(session.run_apart("exit 3").await.unwrap(), Ended::Exited(3));
    session.run_apart("echo \"${LOST-unset}\"; test \"$PWD\" != / && touch file").await.unwrap();
    assert_eq!(place.lines(), ["it's", "unset"]);
    assert!(place.folder.path().join("file").exists());
}

#[tokio::test]
async fn command_may_have_several_lines() {
    let command = "for n in 1 2\ndo\n  echo \"n $n\" # a comment\ndone\ncat <<END\n$n 'q' \"r\"\nEND";
    let (lines, ended) = run(&Place::new(), &[command]).await;
    assert_eq!((lines.join("|"), ended), ("n 1|n 2|2 'q' \"r\"".to_owned(), Ended::Exited(0)));
}

#[tokio::test]
async fn exit_ends_only_its_command() {
    for shell in [Shell::Sh, Shell::Bash] {
        let place = Place { shell, ..Place::new() };
        let mut session = place.session();
        let value = "two\nlines 'and' \"quotes\" $HOME";
        session.export("KEPT", value).await.unwrap();
        let ended = session.run("mkdir -p sub && cd sub && export LATE=late && exit 7").await.unwrap();
        assert_eq!(ended, Ended::Exited(7), "{shell:?}");
        assert_eq!(session.variable("KEPT").await.unwrap().as_deref(), Some(value));
        assert_eq!(session.run("echo $LATE; basename $PWD").await.unwrap(), Ended::Exited(0));
        assert_eq!(place.lines(), ["late", "sub"], "{shell:?}");
    }
}

#[tokio::test]
async fn removed_working_directory_is_replaced() {
    let place = Place::new();
    let (lines, _) = run(&place, &["mkdir gone && cd gone", "rmdir ../gone; exit 1", "pwd -P"]).await;
    assert_eq!(lines, [place.folder.path().canonicalize().unwrap().to_str().unwrap()]);
}

#[tokio::test]
async fn shell_options_of_a_command_apply_to_the_next() {
    let place = Place::new();
    let mut session = place.session();
    session.run("set -eu").await.unwrap();
    assert_eq!(session.run("false; echo not reached").await.unwrap(), Ended::Exited(1));
    assert_eq!(session.run("echo again").await.unwrap(), Ended::Exited(0));
    assert_eq!(place.lines(), ["again"]);
}

#[tokio::test]
async fn trace_shows_only_the_commands_themselves() {
    let (lines, _) = run(&Place::new(), &["set -x", "echo a"]).await;
    assert!(lines.contains(&"+ echo a".to_owned()), "{lines:?}");
    let traced = lines.iter().filter(|line| line.starts_with('+')).count();
    assert_eq!(traced, 2, "the command and the reading of its file: {lines:?}");
}

#[tokio::test]
async fn standard_input_is_empty() {
    let (lines, ended) = run(&Place::new(), &["cat; read line || echo none", "echo next"]).await;
    assert_eq!((lines, ended), (vec!["none".to_owned(), "next".to_owned()], Ended::Exited(0)));
}

#[tokio::test]
async fn text_is_expanded_as_between_double_quotes() {
    let place = Place::new();
    let mut session = place.session();
    session.run("A='x  y *'; B=\"$(printf 'p\\nq')\"").await.unwrap();
    for (text, expanded) in [
        ("a 'b' \"c\" *", "a 'b' \"c\" *"),
        ("$A-${B}-$(echo \"1 2\")-`echo 3`", "x  y *-p\nq-1 2-3"),
        (r"\$A \\ \n", r"$A \ \n"),
        ("$NOT_SET", ""),
        ("END_\n$A\n", "END_\nx  y *\n"),
    ] {
        assert_eq!(session.expand(text).await.unwrap(), expanded, "{text}");
    }
    assert_eq!(place.lines(), [""; 0]);
}

#[tokio::test]
async fn variable_is_read_whether_exported_or_not() {
    let place = Place { environment: [("GIVEN".to_owned(), "é".to_owned())].into(), ..Place::new() };
    let mut session = place.session();
    session.run("A='1\n'; export B=; unset C").await.unwrap();
    for (name, value) in [("A", Some("1\n")), ("B", Some("")), ("C", None), ("GIVEN", Some("é"))] {
        assert_eq!(session.variable(name).await.unwrap().as_deref(), value, "{name}");
    }
}

#[tokio::test]
async fn only_chosen_variables_of_the_machine_are_inherited() {
    let (lines, _) = run(&Place::new(), &["env"]).await;
    let names: Vec<_> = lines.iter().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
    let of_the_shell = ["PWD", "OLDPWD", "SHLVL", "_", "CODEPIPELINE_LOCAL_FAMILY"];
    assert!(names.contains(&"PATH"), "{names:?}");
    for name in names {
        assert!(super::super::process::INHERITED.contains(&name) || of_the_shell.contains(&name), "{name}");
    }
}
