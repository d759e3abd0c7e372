use super::*;

#[test]
fn a_living_workers_folder_and_lock_stay() {
    let parent = tempfile::tempdir().unwrap();
    let top = parent.path();
    let nowhere = Path::new("/nowhere");
    let protected = Protected { folder: nowhere, own: nowhere, record: nowhere };
    let before = Listing::take(top, &protected).unwrap();
    let living = super::super::WorkerFolder::take(top).unwrap();
    for name in ["codepipeline-worker-7", "codepipeline-worker-8.lock"] {
        std::fs::create_dir(top.join(name)).unwrap();
    }
    let removed = before.remove_others(top, &protected).unwrap();
    assert_eq!((removed.size.entries, removed.left), (2, 0));
    assert!(living.path().exists() && living.path().with_extension("lock").exists());
    assert_eq!(std::fs::read_dir(top).unwrap().count(), 2);
}

#[test]
fn folders_with_a_mount_point_stay() {
    let parent = tempfile::tempdir().unwrap();
    let top = parent.path();
    let nowhere = Path::new("/nowhere");
    let protected = Protected { folder: nowhere, own: nowhere, record: nowhere };
    std::fs::create_dir(top.join("old-disk")).unwrap();
    let before = Listing::take(top, &protected).unwrap();
    for folder in ["old-disk", "new/disk", "other"] {
        std::fs::create_dir_all(top.join(folder)).unwrap();
        std::fs::write(top.join(folder).join("file"), "x").unwrap();
    }
    let mounts = [top.to_owned(), top.join("old-disk"), top.join("new/disk")];
    let removed = before.remove_others_around(&mounts, top, &protected).unwrap();
    assert!(top.join("old-disk/file").exists() && top.join("new/disk/file").exists() && !top.join("other").exists());
    assert_eq!((removed.size.entries, removed.left), (2, 1));
}
