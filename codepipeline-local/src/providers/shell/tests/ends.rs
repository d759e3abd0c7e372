//! How commands and sessions end.

use std::fs;

use super::*;

/// Whether the process runs. A zombie does not.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}

/// Waits until the killed process has ended.
async fn gone(pid: &str) {
    let ends = async {
        while runs(pid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME, ends).await.unwrap_or_else(|_| panic!("process {pid} still runs"));
}

#[tokio::test]
async fn status_of_the_command_is_reported() {
    for (command, ended) in [
        ("true", Ended::Exited(0)),
        ("(exit 255)", Ended::Exited(255)),
        ("kill -9 $$", Ended::Killed(9)),
        ("sh -c 'kill -9 $$'", Ended::Exited(137)),
        ("no-such-program-here", Ended::Exited(127)),
        ("if", Ended::Exited(2)),
        ("exec true", Ended::Exited(0)),
        ("", Ended::Exited(0)),
    ] {
        assert_eq!(run(&Place::new(), &[command]).await.1, ended, "{command}");
    }
    assert!(Ended::Exited(0).is_success() && !Ended::Exited(1).is_success() && !Ended::Killed(9).is_success());
    assert_eq!(Ended::Exited(3).to_string(), "exit status 3");
    assert_eq!(Ended::Killed(9).to_string(), "signal 9");
}

#[tokio::test]
async fn background_child_delays_nothing_and_ends_with_it() {
    let place = Place::new();
    let mut session = place.session();
    session.run("sleep 1000 & echo $!").await.unwrap();
    let pid = place.lines().remove(0);
    session.run("true").await.unwrap();
    assert!(runs(&pid));
    session.end().await;
    gone(&pid).await;
}

#[tokio::test]
async fn child_of_an_ended_shell_ends() {
    let place = Place::new();
    let mut session = place.session();
    session.run("sleep 1000 & echo $!; exit 1").await.unwrap();
    gone(&place.lines().remove(0)).await;
}

#[tokio::test]
async fn daemon_in_a_group_of_its_own_ends_with_the_session() {
    let place = Place::new();
    let mut session = place.session();
    // With job control, a child in the background gets a group of its own. Its parent ends, so that it is no descendant any more.
    session.run("bash -c 'set -m; sleep 1000 >/dev/null 2>&1 & echo $!'").await.unwrap();
    let pid = place.lines().remove(0);
    assert!(runs(&pid));
    session.end().await;
    gone(&pid).await;
}

#[tokio::test]
async fn dropping_the_future_kills_everything() {
    let place = Place::new();
    let lines = place.lines.clone();
    let task =
        tokio::spawn(async move { place.session().run("trap '' TERM; sleep 1000 & echo $$ $!; wait").await.map(drop) });
    let printed = async {
        while lines.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIME, printed).await.unwrap();
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    let pids = lines.lock().unwrap()[0].clone();
    for pid in pids.split(' ') {
        gone(pid).await;
    }
}

#[tokio::test]
async fn command_gets_sigterm_when_the_time_is_up() {
    let mut place = Place::new();
    place.limits.time = Duration::from_millis(300);
    let mut session = place.session();
    let problem = session.run("trap 'touch ended; exit' TERM; while :; do sleep 0.01; done").await.unwrap_err();
    assert_eq!(problem.to_string(), "the commands took longer than 0.3 s and were stopped");
    assert!(place.folder.path().join("ended").exists());
}

#[tokio::test]
async fn command_that_ignores_sigterm_is_killed() {
    let mut place = Place::new();
    place.limits.time = Duration::from_millis(300);
    place.limits.grace = Duration::from_millis(50);
    let problem = place.session().run("trap '' TERM; echo $$; while :; do sleep 0.01; done").await.unwrap_err();
    assert!(matches!(problem, ShellError::TimedOut(_)), "{problem}");
    gone(&place.lines().remove(0)).await;
}

#[tokio::test]
async fn shell_that_cannot_start_is_named() {
    let place = Place::new();
    let folder = place.folder.path().join("missing");
    let mut session = Session::new(Settings { folder: &folder, ..place.session().settings });
    let problem = session.run("true").await.unwrap_err().to_string();
    assert!(problem.starts_with("could not start /bin/sh in ") && problem.contains("missing"), "{problem}");
}
