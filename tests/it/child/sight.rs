//! A command's processes can't read the worker's secrets.

use super::worker::{Scene, needed};
use crate::support::tee::values;

/// Values in the function's environment. They are unique to this test, because the command reads all processes of its user.
const KEY_ID: &str = "MARKERofthefunctionskeyid";
const KEY: &str = "MARKER-of-the-functions-secret-key";
const TOKEN: &str = "MARKER-of-the-functions-session-token";
const OTHER: &str = "MARKER-of-the-functions-own-variable";
/// A value in the environment of a process that is not protected (probe.sh).
const WITNESS: &str = "MARKER-of-the-witness";

/// The files of /proc that need the right to trace the process (proc(5)).
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
        "to become root of a user namespace, as a hostile command can. If the system denies it, allow it for the test: sysctl -w \
         kernel.apparmor_restrict_unprivileged_userns=0 or kernel.unprivileged_userns_clone=1, user.max_user_namespaces above 0, \
         and in a container no seccomp filter that denies it",
    );
    let variables = [
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", KEY),
        ("AWS_SESSION_TOKEN", TOKEN),
        ("DATABASE_PASSWORD", OTHER),
    ];
    let mut scene = Scene::new(&variables).await;

    let found_files = scene.run(include_str!("probe.sh"), &[("witness.txt", "a line\n")]).await.succeeded();
    scene.stop().await;

    // The probe finds the secrets of the unprotected process.
    for file in ["environ", "memory", "threads-environ"] {
        assert!(holds(&found_files[&format!("child/witness/{file}")], WITNESS), "the probe finds no secret in {file}");
    }
    assert!(holds(&found_files["child/disk/files"], "a line\n"), "the probe finds no files");
    let tries = |who: &str| String::from_utf8(found_files[&format!("{who}/tries")].clone()).unwrap();
    let child = tries("child");
    for name in PROTECTED {
        assert!(child.contains(&format!("witness {name} got")), "{name} of the witness:\n{child}");
    }
    // It reads none from the worker: not as a child, not from another session, not as root of a user namespace.
    for who in ["child", "stranger", "root"] {
        for name in PROTECTED {
            assert!(tries(who).contains(&format!("worker {name} nothing")), "{name} as {who}:\n{}", tries(who));
        }
    }
    // Standard input, output, error, and the folder that `ls` reads.
    assert_eq!(String::from_utf8_lossy(&found_files["child/own/open-files"]), "0\n1\n2\n3\n");
    // Set-user-ID programs have no effect.
    assert!(holds(&found_files["child/own/status"], "NoNewPrivs:\t1"));

    let mut secrets: Vec<String> = [KEY_ID, KEY, TOKEN, OTHER].map(str::to_owned).into();
    for member in ["accessKeyId", "secretAccessKey", "sessionToken"] {
        let of_the_job = values(&scene.heard, member);
        assert!(!of_the_job.is_empty(), "the worker was sent no {member}");
        secrets.extend(of_the_job);
    }
    let found: Vec<_> = found_files
        .iter()
        .flat_map(|(file, bytes)| {
            secrets.iter().filter(|secret| holds(bytes, secret)).map(move |secret| (file, secret))
        })
        .collect();
    assert!(found.is_empty(), "the command found {found:?}");
}
