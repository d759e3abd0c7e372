//! A small disk for one process and its children: a tmpfs in their own mount namespace.

use std::path::Path;
use std::process::Command;

const MOUNT: &str = r#"mount -t tmpfs -o "$1" none "$2"; shift 2; exec "$@""#;

const NEED: &str = "this test needs a small disk, a tmpfs that it mounts in a mount namespace of its own (with `unshare` and `mount` of \
    util-linux). Run it as root, in a container as one with CAP_SYS_ADMIN (docker run --privileged); or let ordinary users make \
    user namespaces: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 where there is such a setting, \
    kernel.unprivileged_userns_clone=1 likewise, and user.max_user_namespaces above 0";

/// The beginning of a command line. The rest of the line runs with a tmpfs at `folder`, mounted with these `options`.
/// If `becoming` is not empty, it is a command that changes root into another user.
///
/// Root mounts the tmpfs in a mount namespace. A user who may not do that becomes root in a user namespace first. This
/// function tries the mount itself, and fails the test if neither works.
pub(crate) fn with_small_disk(folder: &Path, options: &str, becoming: &[&str]) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let mounting = ["--mount", "sh", "-euc", MOUNT, "sh", options, folder];
    // A user namespace maps only one user, so the user changes before the namespace begins.
    let ways = [
        [&["unshare"], &mounting[..], becoming].concat(),
        [becoming, &["unshare", "--user", "--map-root-user"], &mounting[..]].concat(),
    ];
    let mut refused = String::new();
    for way in ways {
        let way: Vec<String> = way.into_iter().map(str::to_owned).collect();
        let said = match Command::new(&way[0]).args(&way[1..]).arg("true").output() {
            Ok(output) if output.status.success() => return way,
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => format!("{}: {error}", way[0]),
        };
        refused.push_str(&format!("\n`{}` said: {said}", way.join(" ")));
    }
    panic!("{NEED}.{refused}");
}
