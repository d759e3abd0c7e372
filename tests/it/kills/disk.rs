//! A full work folder: the job fails and says so, and leaves nothing behind.

use super::lone::{Lone, noise};
use crate::support::small_disk::with_small_disk;
use crate::support::zip;

/// Reports what the work folder holds: the folders of jobs. `$HOME` is in one of them.
const COUNT: &str = r#"
if [ -e large ]; then head -c 4000000 /dev/zero > "$OUTPUT_OUT/large"; fi
cp small "$OUTPUT_OUT"
echo "$(ls -A "$HOME/../.." | wc -l) folder, $(df -k --output=size "$HOME" | tail -n 1 | tr -d ' ') KiB" > "$SUMMARY""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fills_the_disk_says_so_and_frees_it() {
    let lone = Lone::start(COUNT).await;
    std::fs::create_dir(lone.work_folder()).unwrap();
    let before = with_small_disk(&lone.work_folder(), "size=1m", &[]);
    let function = lone.function(&before.iter().map(String::as_str).collect::<Vec<_>>());
    let large = String::from_utf8(noise(4 << 20).into_iter().map(|byte| b'a' + byte % 26).collect()).unwrap();
    let sources = [
        (vec![("small", large.as_str())], "failed", "the disk that holds the job's folder is full"),
        (vec![("small", "file")], "succeeded", "1 folder, 1024 KiB"),
        (vec![("small", "file"), ("large", "output")], "failed", "No space left on device"),
        (vec![("small", "file")], "succeeded", "1 folder, 1024 KiB"),
    ];
    for (source, end, says) in &sources {
        lone.world.put_source(zip(source)).await;
        lone.run().await;
        assert_eq!(lone.ticked(&function, end).await, 1, "{}", lone.log());
        let said = lone.said().await;
        assert!(said.contains(says), "{said}\n{}", lone.log());
    }
    function.stop().await;
    lone.is_over_with(sources.len()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_a_folder_names_it_and_what_to_change() {
    let lone = Lone::start(COUNT).await;
    let folder = lone.work_folder();
    std::fs::create_dir(&folder).unwrap();
    // There is room for the disk's own folder, the worker's and the job's, but not for anything in the job's.
    let before = with_small_disk(&folder, "size=1m,nr_inodes=3", &[]);
    let function = lone.function(&before.iter().map(String::as_str).collect::<Vec<_>>());
    lone.run().await;
    assert_eq!(lone.ticked(&function, "failed").await, 1, "{}", lone.log());
    let said = lone.said().await;
    let named = format!("{}/codepipeline-worker-0/", folder.display());
    assert!(said.starts_with("WorkFolderNotCreated: ") && said.contains(&named), "{said}");
    assert!(said.contains("(EphemeralStorageSize)") && said.contains("WORK_FOLDER"), "{said}");
    function.stop().await;
    lone.is_over_with(1).await;
}
