//! What a command's processes can find out about the worker that started them.

use super::worker::{Scene, needed};
use crate::support::tee::values;

/// In the function's environment. Only this test has them, since the command looks at all processes of its user.
const KEY_ID: &str = "MARKERofthefunctionskeyid";
const KEY: &str = "MARKER-of-the-functions-secret-key";
const TOKEN: &str = "MARKER-of-the-functions-session-token";
const OTHER: &str = "MARKER-of-the-functions-own-variable";
/// In the environment of a process that is not shielded (probe.sh).
const WITNESS: &str = "MARKER-of-the-witness";

/// What /proc protects (proc(5)): each needs the right to trace the process.
const PROTECTED: [&str; 15] = [
    "environ",
    "maps",
    "smaps",
    "auxv",
    "io",
    "cwd",
    "root",
    "exe",
    "fd",
    "map_files",
    "mem",
    "memory",
    "open-files",
    "threads-environ",
    "threads-mem",
];

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commands_processes_find_no_credentials_anywhere() {
    needed(
        &["unshare", "--user", "--map-root-user"],
        "to be root of a user namespace, as which a command could try to look at the worker. Where it is forbidden, allow it \
         for the test: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1, \
         user.max_user_namespaces above 0, and in a container no seccomp filter that forbids it",
    );
    let variables = [
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("DATABASE_PASSWORD", OTHER),
    ];
    let mut scene = Scene::new(&variables).await;

    let booty = scene.run(include_str!("probe.sh"), &[("witness.txt", "a line\n")]).await.succeeded();
    scene.stop().await;

    // The probe can find what is there to be found.
    for file in ["environ", "memory", "threads-environ"] {
        assert!(
            holds(&booty[&format!("child/witness/{file}")], WITNESS),
            "the probe finds nothing in anybody's {file}"
        );
    }
    assert!(holds(&booty["child/disk/files"], "a line\n"), "the probe finds no files");
    let tries = |who: &str| String::from_utf8(booty[&format!("{who}/tries")].clone()).unwrap();
    let child = tries("child");
    for name in PROTECTED {
        assert!(child.contains(&format!("witness {name} got")), "{name} of the witness:\n{child}");
    }
    // It did not get it from the worker: not as a child, not from another session, not as root of a user namespace.
    for who in ["child", "stranger", "root"] {
        for name in PROTECTED {
            assert!(tries(who).contains(&format!("worker {name} nothing")), "{name} as {who}:\n{}", tries(who));
        }
    }
    // Standard input, output, error, and the folder that `ls` reads.
    assert_eq!(String::from_utf8_lossy(&booty["child/own/open-files"]), "0\n1\n2\n3\n");
    // Set-user-ID programs are of no use.
    assert!(holds(&booty["child/own/status"], "NoNewPrivs:\t1"));

    let mut secrets: Vec<String> = [KEY_ID, KEY, TOKEN, OTHER].map(str::to_owned).into();
    for member in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        let of_the_job = values(&scene.heard, member);
        assert!(!of_the_job.is_empty(), "the worker was sent no {member}");
        secrets.extend(of_the_job);
    }
    let found: Vec<_> = booty
        .iter()
        .flat_map(|(file, bytes)| {
            secrets.iter().filter(|secret| holds(bytes, secret)).map(move |secret| (file, secret))
        })
        .collect();
    assert!(found.is_empty(), "the command has found {found:?}");
}
