//! A full disk fails unpacking with a clear message. The test mounts a small disk in its own mount namespace.

use std::io::Write;
use std::process::Command;

use super::craft::{deflated, file, folder, link, zip};
use super::*;

#[path = "../../../../tests/it/support/small_disk.rs"]
mod small_disk;

const NAME: &str = "artifacts::unpack::tests::full_disk::a_full_disk_fails_with_a_clear_message";
/// Tells the test's own binary, when it is started again, that it is in the namespace, and where the disk is.
const DISK: &str = "UNPACK_TESTS_SMALL_DISK";

#[test]
#[expect(clippy::disallowed_methods, reason = "the test tells its child process what to do")]
fn a_full_disk_fails_with_a_clear_message() {
    if let Some(disk) = std::env::var_os(DISK) {
        return fill(Path::new(&disk));
    }
    let disk = tempfile::tempdir().unwrap();
    // 64 blocks and 50 inodes.
    let before = small_disk::with_small_disk(disk.path(), "size=256k,nr_inodes=50", &[]);
    let output = Command::new(&before[0])
        .args(&before[1..])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(DISK, disk.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let ran = output.status.success() && out.contains("1 passed");
    assert!(ran, "{out}\n{err}");
}

fn fill(disk: &Path) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let unpack_there = |object: Vec<u8>| {
        let into = disk.join("App");
        std::fs::create_dir(&into).unwrap();
        let result = unpack(&memory::source(object, runtime.handle()), "App", &into, LIMITS);
        std::fs::remove_dir_all(&into).unwrap();
        result
    };
    let names = || (0..100).map(|number| format!("{number}"));
    let mut header = ::tar::Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(1 << 20);
    let mut tar = ::tar::Builder::new(Vec::new());
    tar.append_data(&mut header, "large", &vec![1; 1 << 20][..]).unwrap();
    let tar = tar.into_inner().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&tar).unwrap();

    let small = || zip(&[file("a", b"A"), folder("b/"), link("c", "a")]);
    unpack_there(small()).unwrap();
    for (what, object) in [
        ("one large file", vec![1; 1 << 20]),
        ("a stored file", zip(&[file("large", &vec![1; 1 << 20])])),
        ("a bomb", zip(&[deflated("large", &vec![0; 1 << 20])])),
        ("a tar", tar),
        ("a tar.gz", gzip.finish().unwrap()),
        ("empty files", zip(&names().map(|name| file(name, b"")).collect::<Vec<_>>())),
        ("folders", zip(&names().map(|name| folder(&name)).collect::<Vec<_>>())),
        ("folders that are not named", zip(&[file(names().collect::<Vec<_>>().join("/"), b"")])),
        ("links", zip(&names().map(|name| link(&name, "x")).collect::<Vec<_>>())),
    ] {
        let Err(Problem::Disk(text)) = unpack_there(object) else { panic!("{what} did not fill the disk") };
        assert!(text.contains("is full") && text.contains("raise the function's ephemeral storage"), "{what}: {text}");
        unpack_there(small()).expect("the disk is empty again");
    }
}
