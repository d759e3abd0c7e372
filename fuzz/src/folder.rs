//! Unpacks an archive into a folder and checks the promises that hold for every archive.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use bytes::Bytes;
use codepipeline_worker::artifacts::{Problem, UnpackLimits, fuzzing};
use peak_alloc::PeakAlloc;
use tokio::runtime::Runtime;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// Limits that inputs of a few hundred bytes can reach.
const LIMITS: UnpackLimits = UnpackLimits { max_unpacked_bytes: 256 * 1024, max_entries: 60 };
/// The limit for memory in addition to the artifact's own bytes. Unpacking needs buffers for a range of 1 MiB (and one more for a zip's
/// directory), the regions of a sparse file, and the lists of deferred links and folders.
const MAX_MEMORY: usize = 8 * 1024 * 1024;
const CANARY: &str = "untouched";

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("the runtime starts")
});
static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
    let shm = Path::new("/dev/shm");
    let memory = if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() };
    let name = "codepipeline-worker-fuzz";
    // Removes the folders of processes that were killed.
    for entry in fs::read_dir(&memory).expect("the folder for temporary files can be read").flatten() {
        let pid =
            entry.file_name().to_str().and_then(|it| it.strip_prefix(name)?.strip_prefix('-')?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let root = memory.join(format!("{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("job/in")).expect("the folder can be created");
    for canary in ["canary", "job/canary", "job/in/canary"] {
        fs::write(root.join(canary), CANARY).expect("a file can be written");
    }
    symlink("in", root.join("job/link")).expect("the link can be created");
    root
});

/// Unpacks the object and checks the folder and its surroundings.
///
/// # Panics
/// If anything changed outside the folder, a limit was exceeded, or the error is not one that an archive can cause.
pub fn unpack_and_check(object: &[u8]) {
    let folder = ROOT.join("job/in/App");
    LazyLock::force(&BEFORE);
    fs::create_dir(&folder).expect("the folder of the previous input was removed");
    let object = Bytes::copy_from_slice(object);
    // A larger object arrives in two responses, as a real object with several ranges does.
    let head = if object.len() <= 4096 { object.len() } else { 1024 };
    let handle = RUNTIME.handle();

    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = fuzzing::unpack(object, head, &folder, &LIMITS, handle);
    let memory = MEMORY.peak_usage().saturating_sub(before);
    assert!(memory <= MAX_MEMORY, "unpacking used {memory} bytes of memory at once");

    let mut found = Found::default();
    walk(&folder, &mut found);
    let bytes: u64 = found.sizes.values().sum();
    let limit = LIMITS.max_entries;
    assert!(bytes <= LIMITS.max_unpacked_bytes, "{bytes} bytes were written");
    assert!(found.files <= limit && found.others <= limit, "{} files, {} others", found.files, found.others);
    match result {
        Ok(staged) => {
            assert_eq!(staged.entries, found.files + found.others, "the reported number of entries");
            // Replaced files also count.
            assert!((bytes..=LIMITS.max_unpacked_bytes).contains(&staged.bytes), "{} of {bytes} bytes", staged.bytes);
            assert_eq!(found.locked, 0, "folders that their owner can't use");
        }
        Err(problem) => check_problem(&problem),
    }
    fs::remove_dir_all(&folder).expect("the folder can be removed");
    check_outside();
}

/// Checks that the error concerns the archive, and that its message can be logged.
fn check_problem(problem: &Problem) {
    let of_the_archive = matches!(problem, Problem::Archive(_) | Problem::TooLarge(_) | Problem::TooMany(..));
    assert!(of_the_archive, "{problem:?}");
    let text = problem.to_string();
    assert!(text.chars().count() < 600 && !text.contains(char::is_control), "{text:?}");
}

#[derive(Default)]
struct Found {
    files: u64,
    /// Folders and links.
    others: u64,
    /// Folders that their owner may not read, change or enter.
    locked: u64,
    /// By inode, because a hard link takes no more bytes.
    sizes: HashMap<u64, u64>,
}

fn walk(folder: &Path, found: &mut Found) {
    for entry in fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        let metadata = fs::symlink_metadata(&path).expect("a listed file exists");
        if metadata.is_symlink() {
            // The target may be anything. It is not followed.
            let target = fs::read_link(&path).expect("a link has a target");
            assert!((1..=4095).contains(&target.as_os_str().len()), "{path:?} -> {target:?}");
            found.others += 1;
            continue;
        }
        assert_eq!(metadata.mode() & 0o7000, 0, "a special mode bit was set");
        if metadata.is_dir() {
            found.others += 1;
            if metadata.mode() & 0o700 != 0o700 {
                found.locked += 1;
                fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).expect("the folder belongs to this user");
            }
            walk(&path, found);
        } else {
            assert!(metadata.is_file(), "{path:?} is neither file nor folder nor link");
            found.files += 1;
            found.sizes.insert(metadata.ino(), metadata.len());
        }
    }
}

/// The mode, the number of links, and the two modification times in seconds and nanoseconds.
type State = (u32, u64, i64, i64, i64, i64);

/// The state of a path. Unpacking must not change it.
fn state(path: &str) -> State {
    let of = fs::symlink_metadata(ROOT.join(path)).expect("the path outside the folder exists");
    (of.mode(), of.nlink(), of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec())
}

const OUTSIDE: [&str; 6] = ["", "job", "canary", "job/canary", "job/in/canary", "job/link"];
static BEFORE: LazyLock<Vec<State>> = LazyLock::new(|| OUTSIDE.map(state).to_vec());

fn check_outside() {
    for (folder, expected) in
        [("", &["canary", "job"][..]), ("job", &["canary", "in", "link"]), ("job/in", &["canary"])]
    {
        let entries = fs::read_dir(ROOT.join(folder)).expect("the folder can be read");
        let mut names: Vec<_> = entries.map(|entry| entry.expect("the folder can be read").file_name()).collect();
        names.sort();
        assert_eq!(names, expected, "in `{folder}`, outside the artifact's folder");
        let canary = ROOT.join(folder).join("canary");
        assert_eq!(fs::read(&canary).expect("the canary exists"), CANARY.as_bytes());
    }
    assert_eq!(OUTSIDE.map(state)[..], BEFORE[..], "modes, names and times outside");
}
