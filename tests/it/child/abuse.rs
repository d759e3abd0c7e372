//! Commands that use up resources. Each job is reported, and leaves no files.

use super::worker::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn gigabytes_of_output_take_no_memory() {
    // Measures the worker's peak before and after a flood of lines and a flood without line ends.
    let script = r#"
        peak() { awk '/VmHWM/ { print $2 }' "/proc/$PPID/status"; }
        yes | head -c 100000000
        before=$(peak)
        yes | head -c 1000000000 >&2
        head -c 1000000000 /dev/zero
        echo "$before $(peak)" > "$OUTPUT_OUT/peaks"
    "#;
    let mut scene = Scene::new(&[]).await;
    let output = scene.run(script, &[]).await.succeeded();
    let peaks = String::from_utf8(output["peaks"].clone()).unwrap();
    let (before, after) = peaks.trim().split_once(' ').unwrap();
    // The kernel sums its counters up per CPU, so a later peak can read a little lower.
    let grown = after.parse::<u64>().unwrap().saturating_sub(before.parse::<u64>().unwrap());
    assert!(grown < 1024, "2 GB of output took {grown} KiB");
    scene.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_work_folder_fails_only_the_job_that_fills_it() {
    let mut scene = Scene::with_room(20_000_000).await;
    let fill = r#"
        i=0; while head -c 1000000 /dev/zero > "$TMPDIR/$i"; do i=$((i+1)); done
        echo "full at $i MB"; echo summary > "$SUMMARY" || exit 5
    "#;
    let message = scene.run(fill, &[]).await.failed();
    assert!(message.starts_with("CommandFailed: ") && message.contains("exit code 5"), "{message}");
    assert!(message.contains("No space left on device") && message.contains("full at 1"), "{message}");
    scene.run(r#"head -c 15000000 /dev/zero > "$TMPDIR/large""#, &[]).await.succeeded();
}

/// Leaves locked folders, a chain of folders longer than any path, a pipe, links of both kinds and many files. Then locks the folders
/// around them.
const CLUTTER: &str = r#"
    job=$(cd "$HOME/.." && pwd -P); worker=$(dirname "$job")
    cd "$TMPDIR"
    mkdir -p locked/inner && echo x > locked/inner/file && chmod 000 locked/inner locked
    hundred=$(printf 'a-folder-within-a-folder/%.0s' $(seq 100))
    for chain in 1 2 3; do mkdir -p "$hundred" && cd -P "$hundred" || exit 9; done
    cd "$TMPDIR" && mkfifo pipe && echo x > one && ln one two && ln -s / three && chmod 000 one
    mkdir many && cd many && seq 5000 | split -a 4 -l 1
    chmod 000 "$TMPDIR" "$HOME" && chmod 000 "$job" && chmod 000 "$worker"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn all_files_in_a_jobs_folder_are_removed() {
    let mut scene = Scene::new(&[]).await;
    let message = scene.run(CLUTTER, &[]).await.failed();
    assert!(message.contains("`Out`") && message.contains("Permission denied"), "{message}");
    scene.assert_clean();
    // The command also locked the worker's own folder. It is usable again.
    scene.run("true", &[]).await.succeeded();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_pipe_in_an_output_is_skipped() {
    let mut scene = Scene::new(&[]).await;
    let output = scene.run("mkfifo $OUTPUT_OUT/a-pipe; echo > $OUTPUT_OUT/a-file", &[]).await.succeeded();
    assert_eq!(output.into_keys().collect::<Vec<_>>(), ["a-file"]);
    assert!(scene.logged().contains("a-pipe"), "the log does not name the pipe");
    scene.assert_clean();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_names_the_output_that_cannot_be_packed() {
    let mut scene = Scene::new(&[]).await;
    for (script, expected) in [
        ("mkdir $OUTPUT_OUT/locked; chmod 000 $OUTPUT_OUT/locked", "locked"),
        ("echo > $OUTPUT_OUT/unreadable; chmod 000 $OUTPUT_OUT/unreadable", "unreadable"),
        ("rm -r $OUTPUT_OUT", "Out"),
        ("rm -r $OUTPUT_OUT; ln -s / $OUTPUT_OUT", "Out"),
    ] {
        let message = scene.run(script, &[]).await.failed();
        assert!(message.contains("`Out`") && message.contains(expected), "{script}: {message}");
        scene.assert_clean();
    }
}
