//! No memory left: for the command, which is a failure, and for the worker, which is its death.
//!
//! The limit here is each process's own (`RLIMIT_DATA`). On Lambda it is the sandbox's, and whoever breaks it takes all the
//! others along: that is a worker killed, as in `killing.rs`.

use codepipeline_local::runtime_api::Invocation;

use super::lone::Lone;

/// `tail` keeps a line, however long.
const GREEDY: &str = "if [ -e EFFECTS/eaten ]; then echo modest > $SUMMARY; exit; fi\n\
                      touch EFFECTS/eaten; head -c 2000000000 /dev/zero | tail -n 1 > /dev/null";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_out_of_memory_fails_and_its_worker_goes_on() {
    let lone = Lone::start(GREEDY).await;
    let function = lone.function(&["prlimit", "--data=400000000", "--"]);
    lone.run().await;
    assert_eq!(lone.ticked(&function, "failed").await, 1, "{}", lone.log());
    let said = lone.said().await;
    assert!(said.contains("exit code 1") && said.contains("memory exhausted"), "{said}");

    lone.run().await;
    assert_eq!(lone.ticked(&function, "succeeded").await, 1, "{}", lone.log());
    assert_eq!(lone.said().await, "modest");
    function.stop().await;
    lone.is_over_with(2).await;
}

/// The command takes its own worker's memory away, and gives it much to stage out.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_out_of_memory_dies_and_its_job_is_reported_by_the_next() {
    let command = r#"head -c 67108864 /dev/urandom > "$OUTPUT_OUT/large"; prlimit --pid $PPID --data=1:1"#;
    let lone = Lone::start(command).await;
    lone.run().await;
    let function = lone.function(&[]);
    let end = lone.tick(&function).await;
    let Invocation::Exited { status } = &end else { panic!("{end:?}\n{}", lone.log()) };
    assert!(status.contains("SIGABRT"), "{status}\n{}", lone.log());
    function.stop().await;
    lone.successor_reports_a_death().await;
}
