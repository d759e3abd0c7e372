use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn workspace(own: &Path) -> Workspace {
    Workspace::create(own, &Job::of_tests("Test", "LinkCheck")).unwrap()
}

#[test]
fn ids_cannot_lead_out_of_the_work_folder() {
    assert_eq!(safe_component("../../etc"), "_2e_2e_2f_2e_2e_2fetc");
    assert_eq!(safe_component("11111111-abcd"), "11111111-abcd");
    assert!(safe_component(&"/".repeat(512)).len() < 255);
}

#[test]
fn artifact_names_that_are_paths_are_refused() {
    for name in ["", "..", "a/b", "a.b", &"a".repeat(101)] {
        assert!(checked_name(name).is_err(), "{name}");
    }
}

#[test]
fn a_jobs_folder_is_removed_where_its_command_moved_it() {
    let parent = tempfile::tempdir().unwrap();
    let (own, moved, target) = (parent.path().join("own"), parent.path().join("moved"), parent.path().join("target"));
    let workspace = workspace(&own);
    fs::write(workspace.home().join("large"), "x").unwrap();
    let name = workspace.root().file_name().unwrap().to_owned();
    fs::create_dir_all(target.join(&name)).unwrap();
    fs::write(target.join(&name).join("kept"), "x").unwrap();
    fs::set_permissions(&target, fs::Permissions::from_mode(0o755)).unwrap();
    // A command can do this.
    fs::rename(&own, &moved).unwrap();
    symlink(&target, &own).unwrap();
    fs::set_permissions(&moved, fs::Permissions::from_mode(0o000)).unwrap();

    workspace.remove();

    fs::set_permissions(&moved, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(fs::read_dir(&moved).unwrap().count(), 0);
    assert!(target.join(&name).join("kept").exists());
    assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o755);
}

#[test]
fn a_link_instead_of_a_jobs_folder_is_removed_alone() {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::write(target.join("kept"), "x").unwrap();
    let workspace = workspace(&parent.path().join("own"));
    fs::remove_dir_all(workspace.root()).unwrap();
    symlink(&target, workspace.root()).unwrap();
    let own = workspace.root().parent().unwrap().to_owned();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o500)).unwrap();

    workspace.remove();

    assert!(workspace.root().symlink_metadata().is_err() && target.join("kept").exists());
}
