//! No memory left: the command fails, or the worker dies.
//!
//! The limit here applies to each process (`RLIMIT_DATA`). On Lambda it applies to the sandbox, and exceeding it kills
//! every process. That is a killed worker, as in `killing.rs`.

use codepipeline_local::runtime_api::Invocation;

use super::lone::Lone;

/// `tail` keeps a line of any length.
const GREEDY: &str = "if [ -e EFFECTS/eaten ]; then echo modest > $SUMMARY; exit; fi\n\
                      touch EFFECTS/eaten; head -c 2000000000 /dev/zero | tail -n 1 > /dev/null";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_out_of_memory_fails_and_its_worker_continues() {
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

/// The command takes away its worker's memory, and leaves it much to stage out.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_out_of_memory_dies_and_the_next_reports_its_job() {
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
