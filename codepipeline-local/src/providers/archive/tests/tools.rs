//! Archives that git and GNU tar make.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::{tree, unpacked};

/// A folder with files of two modes, a link, a long name and a name that is not ASCII.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let long = "long-name/".repeat(15);
    std::fs::create_dir_all(path.join(&long)).unwrap();
    for (name, mode) in
        [("run.sh", 0o755), ("ü.txt", 0o644), ("long-name/empty", 0o644), (&format!("{long}file"), 0o644)]
    {
        std::fs::write(path.join(name), if name.ends_with("empty") { "" } else { name }).unwrap();
        std::fs::set_permissions(path.join(name), PermissionsExt::from_mode(mode)).unwrap();
    }
    symlink("run.sh", path.join("link")).unwrap();
    folder
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn archives_of_gnu_tar_unpack() {
    let folder = folder();
    let expected = tree(folder.path());
    for format in ["gnu", "pax", "ustar"] {
        for flag in ["-c", "-cz"] {
            let format = format!("--format={format}");
            let archive = run(folder.path(), "tar", &[flag, &format, "."]);
            assert_eq!(unpacked(&archive).unwrap(), expected, "{format} {flag}");
        }
    }
}

#[test]
fn archives_of_git_unpack() {
    let folder = folder();
    let expected = tree(folder.path());
    let git = |arguments: &[&str]| {
        let settings = ["-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "tar.umask=022"];
        run(folder.path(), "git", &[&settings[..], arguments].concat())
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "first"]);
    for format in ["zip", "tar", "tar.gz"] {
        let archive = git(&["archive", "--format", format, "HEAD"]);
        assert_eq!(unpacked(&archive).unwrap(), expected, "{format}");
    }
}
