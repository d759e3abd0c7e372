//! The next process cleans after a worker death, by the listing that the dead process left.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::super::super::WorkerFolder;
use super::super::*;
use super::Scene;

#[test]
fn the_next_process_removes_leftovers() {
    let scene = Scene::new();
    fs::write(scene.top.join("before"), "x").unwrap();
    scene.leftovers().list_files();
    fs::write(scene.top.join("left"), "x").unwrap();
    fs::set_permissions(scene.own.path(), fs::Permissions::from_mode(0o000)).unwrap();
    drop(scene.own);

    let next = WorkerFolder::take_and_clean(&scene.top).unwrap();
    assert!(scene.top.join("before").exists() && !scene.top.join("left").exists());
    assert_eq!(fs::read_dir(next.path()).unwrap().count(), 0);
}

#[test]
fn without_a_valid_listing_all_files_stay() {
    for record in [None, Some(&b""[..]), Some(b"fbefore\0")] {
        let scene = Scene::new();
        if let Some(record) = record {
            fs::write(scene.own.path().join(RECORD), record).unwrap();
        }
        fs::write(scene.top.join("left"), "x").unwrap();
        drop(scene.own);
        let _next = WorkerFolder::take_and_clean(&scene.top).unwrap();
        assert!(scene.top.join("left").exists());
    }
}

#[test]
fn a_forged_listing_affects_nothing_outside() {
    let scene = Scene::new();
    let outside = scene.parent.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("kept"), "x").unwrap();
    symlink(&outside, scene.top.join("link")).unwrap();
    fs::write(scene.own.path().join(RECORD), b"dlink\0d../outside\0d\0d/\0end").unwrap();
    drop(scene.own);
    let _next = WorkerFolder::take_and_clean(&scene.top).unwrap();
    assert!(outside.join("kept").exists());
    assert!(scene.top.join("codepipeline-worker-0.lock").exists());
}

#[test]
fn without_cleaning_nothing_is_removed() {
    let scene = Scene::new();
    scene.leftovers().list_files();
    fs::write(scene.top.join("left"), "x").unwrap();
    drop(scene.own);
    let _next = WorkerFolder::take(&scene.top).unwrap();
    assert!(scene.top.join("left").exists());
}

#[test]
fn a_listing_is_read_back_unchanged() {
    let scene = Scene::new();
    fs::create_dir_all(scene.top.join("a folder\nwith/a line's end")).unwrap();
    let protected = Protected { folder: &scene.job, own: scene.own.path(), record: &scene.own.path().join(RECORD) };
    let listing = Listing::take(&scene.top, &protected).unwrap();
    let file = scene.parent.path().join("listing");
    listing.write(&file).unwrap();
    assert_eq!(Listing::read(&file), Some(listing));
}

#[test]
fn nothing_is_written_through_a_link_at_the_listing() {
    let scene = Scene::new();
    let elsewhere = scene.parent.path().join("elsewhere");
    symlink(&elsewhere, scene.own.path().join(".listing.new")).unwrap();
    scene.leftovers().list_files();
    assert!(!elsewhere.exists());
}
