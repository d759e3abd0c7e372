use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::WorkerFolder;
use super::*;

mod next_process;

/// A work folder with a worker's folder and a job's folder in it.
struct Scene {
    parent: tempfile::TempDir,
    top: PathBuf,
    own: WorkerFolder,
    job: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let parent = tempfile::tempdir().unwrap();
        let top = parent.path().join("work");
        let own = WorkerFolder::take(&top).unwrap();
        let job = own.path().join("job");
        fs::create_dir(&job).unwrap();
        Self { parent, top, own, job }
    }

    fn leftovers(&self) -> Leftovers {
        Leftovers::of_job(&self.top, self.own.path(), &self.job)
    }

    /// Runs `command` between the listing and the removal of new files.
    fn clean_after(&self, command: impl FnOnce(&Path)) {
        let leftovers = self.leftovers();
        leftovers.list_files();
        command(&self.top);
        leftovers.remove();
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.top).unwrap();
        let mut names: Vec<_> = entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

const WORKERS: [&str; 2] = ["codepipeline-worker-0", "codepipeline-worker-0.lock"];

#[test]
fn all_files_that_a_command_adds_are_removed() {
    let scene = Scene::new();
    scene.clean_after(|top| {
        fs::write(top.join("file"), "x").unwrap();
        fs::write(top.join(".hidden"), "x").unwrap();
        fs::write(top.join("codepipeline-worker"), "x").unwrap();
        fs::create_dir_all(top.join("locked/inner")).unwrap();
        fs::write(top.join("locked/inner/file"), "x").unwrap();
        fs::set_permissions(top.join("locked"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::write(top.join("codepipeline-worker-0/outside-the-job"), "x").unwrap();
        let _listening = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
    });
    assert_eq!(scene.names(), WORKERS);
    assert_eq!(fs::read_dir(scene.own.path()).unwrap().count(), 1, "only the job's folder, which other code removes");
}

#[test]
fn files_from_before_stay() {
    let scene = Scene::new();
    fs::write(scene.top.join("grows"), "1").unwrap();
    fs::write(scene.top.join("replaced"), "1").unwrap();
    fs::create_dir_all(scene.top.join("folder/inner")).unwrap();
    fs::write(scene.top.join("folder/inner/old"), "1").unwrap();
    scene.clean_after(|top| {
        fs::write(top.join("grows"), "a longer text").unwrap();
        fs::write(top.join("new"), "2").unwrap();
        fs::rename(top.join("new"), top.join("replaced")).unwrap();
        fs::write(top.join("folder/inner/new"), "2").unwrap();
        fs::create_dir(top.join("folder/new")).unwrap();
    });
    assert_eq!(scene.names(), [&WORKERS[..], &["folder", "grows", "replaced"]].concat());
    assert_eq!(fs::read_to_string(scene.top.join("replaced")).unwrap(), "2");
    assert!(scene.top.join("folder/inner/old").exists());
    assert!(!scene.top.join("folder/inner/new").exists() && !scene.top.join("folder/new").exists());
}

#[test]
fn a_link_is_removed_and_its_target_stays() {
    let scene = Scene::new();
    let outside = scene.parent.path().join("outside");
    fs::create_dir_all(outside.join("folder")).unwrap();
    fs::write(outside.join("kept"), "x").unwrap();
    fs::create_dir(scene.top.join("was-a-folder")).unwrap();
    symlink(&outside, scene.top.join("old-link")).unwrap();
    scene.clean_after(|top| {
        symlink(&outside, top.join("link")).unwrap();
        symlink(outside.join("kept"), top.join("link-to-a-file")).unwrap();
        fs::create_dir(top.join("folder")).unwrap();
        symlink(&outside, top.join("folder/link")).unwrap();
        fs::remove_dir(top.join("was-a-folder")).unwrap();
        symlink(&outside, top.join("was-a-folder")).unwrap();
    });
    assert_eq!(scene.names(), [&WORKERS[..], &["old-link"]].concat());
    assert!(outside.join("kept").exists() && outside.join("folder").exists());
}

#[test]
fn other_workers_folders_and_locks_stay() {
    let scene = Scene::new();
    let mut other = None;
    scene.clean_after(|top| {
        let taken = WorkerFolder::take(top).unwrap();
        fs::write(taken.path().join("busy"), "x").unwrap();
        other = Some(taken);
    });
    assert!(other.unwrap().path().join("busy").exists());
    assert!(scene.top.join("codepipeline-worker-1.lock").exists());
}

#[test]
fn nothing_is_removed_while_another_worker_lives() {
    let scene = Scene::new();
    let other = WorkerFolder::take(&scene.top).unwrap();
    scene.clean_after(|top| fs::write(top.join("its-work"), "x").unwrap());
    assert!(scene.top.join("its-work").exists() && !scene.own.path().join(RECORD).exists());
    drop(other);
    let mut came = None;
    scene.clean_after(|top| {
        fs::write(top.join("its-next-work"), "x").unwrap();
        came = Some(WorkerFolder::take(top).unwrap());
    });
    assert!(scene.top.join("its-next-work").exists() && !scene.own.path().join(RECORD).exists());
}

#[test]
fn a_workers_name_does_not_protect_a_commands_file() {
    let scene = Scene::new();
    scene.clean_after(|top| {
        fs::write(top.join("codepipeline-worker-7.lock"), "large").unwrap();
        fs::write(top.join("codepipeline-worker-7"), "large").unwrap();
        fs::create_dir_all(top.join("codepipeline-worker-8/full")).unwrap();
        fs::create_dir_all(top.join("codepipeline-worker-9.lock/full")).unwrap();
        fs::write(top.join("codepipeline-worker-0.lock"), "large").unwrap();
    });
    assert_eq!(scene.names(), WORKERS);
    assert_eq!(fs::metadata(scene.top.join(WORKERS[1])).unwrap().len(), 0);
}

#[test]
fn a_folder_instead_of_a_workers_file_is_removed() {
    let scene = Scene::new();
    let lock = scene.top.join(WORKERS[1]);
    scene.clean_after(|_| {
        for file in [scene.own.path().join(RECORD), scene.own.path().join(".listing.new"), lock.clone()] {
            let _ = fs::remove_file(&file);
            fs::create_dir_all(file.join("full")).unwrap();
        }
    });
    assert_eq!(fs::read_dir(scene.own.path()).unwrap().count(), 1, "only the job's folder");
    assert_eq!(fs::metadata(lock).unwrap().len(), 0);
}

#[test]
fn locked_folders_from_before_are_cleaned() {
    let scene = Scene::new();
    let old = scene.top.join("old");
    fs::create_dir(&old).unwrap();
    scene.clean_after(|_| {
        fs::write(old.join("new"), "x").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(&scene.top, fs::Permissions::from_mode(0o000)).unwrap();
    });
    assert!(old.exists() && !old.join("new").exists());
}

#[test]
fn folders_beyond_the_limit_of_a_listing_are_left_alone() {
    let scene = Scene::new();
    let full = scene.top.join("full");
    fs::create_dir(&full).unwrap();
    for number in 0..=2_000 {
        fs::write(full.join(number.to_string()), "").unwrap();
    }
    scene.clean_after(|top| {
        fs::write(full.join("new"), "x").unwrap();
        fs::write(top.join("left"), "x").unwrap();
    });
    assert_eq!(fs::read_dir(&full).unwrap().count(), 2_002);
    assert!(!scene.top.join("left").exists());
}
