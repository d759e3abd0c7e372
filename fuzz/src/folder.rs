//! A folder that archives are unpacked into, and everything that must hold afterwards, whatever the archive was.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bytes::Bytes;
use codepipeline_worker::artifacts::{Limits, Problem, fuzzing};
use peak_alloc::PeakAlloc;
use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;
use tokio::runtime::Runtime;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Small enough to be reached by inputs of a few hundred bytes.
const LIMITS: Limits = Limits { max_unpacked_bytes: 256 * 1024, max_entries: 60 };
/// What an artifact may take beside its own bytes: buffers for a range of 1 MiB (and one more for a zip's directory), for
/// an entry's headers of 1 MiB in tar (which the library collects in a vector that doubles), and the lists of what is
/// made last.
const MOST_MEMORY: usize = 8 * 1024 * 1024;
const CANARY: &str = "untouched";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime can be made")
});
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let shm = Path::new("/dev/shm");
    let memory = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    let name = "codepipeline-worker-fuzz";
    // What a process left behind that was killed.
    for entry in fs::read_dir(&memory).expect("the folder for folders can be read").flatten() {
        let pid =
            entry.file_name().to_str().and_then(|it| it.strip_prefix(name)?.strip_prefix('-')?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let root = memory.join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("job/in")).expect("a folder can be made");
    for canary in ["canary", "job/canary", "job/in/canary"] {
        fs::write(root.join(canary), CANARY).expect("a file can be written");
    }
    symlink("in", root.join("job/link")).expect("a link can be made");
    root
});

/// Unpacks the object and checks what became of it and of what is around it.
///
/// # Panics
/// When anything was written outside the folder, a limit was passed, or the error is not one that an archive can cause.
pub fn unpack_and_check(object: &[u8]) {
    let folder = ROOT.join("job/in/App");
    fs::create_dir(&folder).expect("the folder of the input before was removed");
    let object = Bytes::copy_from_slice(object);
    // Larger objects come in two answers, as real ones do that have more than one range.
    let head = if object.len() <= 4096 { object.len() } else { 1024 };
    let handle = RUNTIME.handle();

    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = fuzzing::unpack(object, head, &folder, &LIMITS, handle);
    let memory = MEMORY.peak_usage().saturating_sub(before);
    assert!(memory <= MOST_MEMORY, "{memory} bytes of memory were used at once");

    let mut found = Found::default();
    walk(&folder, &folder, &mut found);
    let bytes: u64 = found.sizes.values().sum();
    assert!(bytes <= LIMITS.max_unpacked_bytes, "{bytes} bytes were written");
    assert!(found.nodes <= LIMITS.max_entries, "{} files, folders and links were made", found.nodes);
    match result {
        Ok(staged) => {
            assert_eq!((staged.bytes, staged.entries), (bytes, found.nodes), "what was reported and what is there")
        }
        Err(problem) => check_problem(&problem),
    }
    fs::remove_dir_all(&folder).expect("the folder can be removed");
    check_outside();
}

/// Only the archive is to blame for anything that goes wrong here.
fn check_problem(problem: &Problem) {
    let of_the_archive = matches!(problem, Problem::Archive(_) | Problem::TooLarge(_) | Problem::TooMany(..));
    assert!(of_the_archive, "{problem:?}");
    let text = problem.to_string();
    assert!(text.chars().count() < 600 && !text.contains(char::is_control), "{text:?}");
}

#[derive(Default)]
struct Found {
    nodes: u64,
    /// By inode: a hard link takes no more bytes.
    sizes: HashMap<u64, u64>,
}

fn walk(root: &Path, folder: &Path, found: &mut Found) {
    // The archive's mode for it may forbid to look in.
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).expect("the folder is ours");
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let metadata = fs::symlink_metadata(&path).expect("what is listed is there");
        found.nodes += 1;
        if metadata.is_symlink() {
            stays_inside(root, &path);
            continue;
        }
        assert_eq!(metadata.mode() & 0o7000, 0, "a special mode bit was set");
        if metadata.is_dir() {
            walk(root, &path, found);
        } else {
            assert!(metadata.is_file(), "{path:?} is neither file nor folder nor link");
            found.sizes.insert(metadata.ino(), metadata.len());
        }
    }
}

/// The kernel follows the link and fails with EXDEV as soon as a step leads out.
fn stays_inside(root: &Path, link: &Path) {
    let root_handle = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).expect("the folder is there");
    let inside = link.strip_prefix(root).expect("the link was found in the folder");
    let followed = openat2(&root_handle, inside, OFlags::PATH, Mode::empty(), ResolveFlags::BENEATH);
    assert_ne!(followed.err(), Some(Errno::XDEV), "{inside:?} leads to {:?}", fs::read_link(link));
}

fn check_outside() {
    for (folder, expected) in
        [("", &["canary", "job"][..]), ("job", &["canary", "in", "link"]), ("job/in", &["canary"])]
    {
        let entries = fs::read_dir(ROOT.join(folder)).expect("the folder can be read");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").file_name()).collect();
        names.sort();
        assert_eq!(names, expected, "in `{folder}` beside the artifact's folder");
        let canary = ROOT.join(folder).join("canary");
        assert_eq!(fs::read(&canary).expect("the canary is there"), CANARY.as_bytes());
        let metadata = fs::metadata(&canary).expect("the canary is there");
        assert_eq!(metadata.nlink(), 1, "a hard link leads out");
    }
}
