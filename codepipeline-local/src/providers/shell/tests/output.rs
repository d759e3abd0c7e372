//! How output arrives.

use super::*;

#[tokio::test]
async fn lines_arrive_while_the_command_runs() {
    let mut place = Place::new();
    let answer = place.folder.path().join("answer");
    place.show = Box::new(move |line| {
        if line == "asked" {
            std::fs::write(&answer, "").unwrap();
        }
    });
    // The command ends only if its first line was shown.
    let mut session = place.session();
    let ended = session.run("echo asked; until [ -e answer ]; do sleep 0.01; done").await.unwrap();
    assert_eq!(ended, Ended::Exited(0));
}

#[tokio::test]
async fn output_may_be_anything() {
    let command = r"printf 'a\377b\n'; printf 'c\r\n' >&2; printf '\303\251'";
    let (mut lines, _) = run(&Place::new(), &[command]).await;
    lines.sort();
    assert_eq!(lines, ["a\u{fffd}b", "c", "é"]);
}

#[tokio::test]
async fn line_of_a_megabyte_arrives_whole() {
    let (lines, _) = run(&Place::new(), &["head -c 1000000 /dev/zero | tr '\\0' x; echo", "echo end"]).await;
    assert_eq!(lines.iter().map(String::len).collect::<Vec<_>>(), [1_000_000, 3]);
}

#[tokio::test]
async fn all_output_arrives_before_the_command_ends() {
    let place = Place::new();
    let mut session = place.session();
    for _ in 0..20 {
        session.run("i=0; while [ $i -lt 200 ]; do i=$((i+1)); echo out; echo err >&2; done").await.unwrap();
        assert_eq!(place.lines().len(), 400);
    }
}

#[tokio::test]
async fn redirected_shell_still_reports_its_status() {
    let place = Place::new();
    let mut session = place.session();
    session.run("exec >log 2>&1").await.unwrap();
    assert_eq!(session.run("echo hidden; (exit 4)").await.unwrap(), Ended::Exited(4));
    assert_eq!(std::fs::read_to_string(place.folder.path().join("log")).unwrap(), "hidden\n");
}

#[tokio::test]
async fn too_much_output_stops_the_commands() {
    let mut place = Place::new();
    place.limits.output = 10;
    let problem = place.session().run("while :; do echo 12345; done").await.unwrap_err();
    assert!(matches!(problem, ShellError::TooMuchOutput(10)), "{problem}");
    assert_eq!(place.lines(), ["12345", "1234"]);
}
