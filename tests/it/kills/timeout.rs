//! After the function's timeout, Lambda kills a worker that can't end itself.

use std::time::Duration;

use codepipeline_local::runtime_api::Invocation;

use super::lone::Lone;

/// The shortest timeout that lets a worker take this command, and a second more: 11 s more than its job needs.
const SHORT: Duration = Duration::from_secs(30);

/// The command stops its own worker, so that no thread sees the deadline.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_at_the_timeout_has_its_job_reported() {
    let lone = Lone::start("kill -STOP $PPID; sleep 1000").await;
    let function = lone.hasty_function(SHORT);
    // The first invocation is slow, so it finds nothing to do.
    assert_eq!(lone.ticked(&function, "polled").await, 0, "{}", lone.log());
    lone.run().await;
    assert_eq!(lone.tick(&function).await, Invocation::TimedOut, "{}", lone.log());
    assert!(!lone.log().contains("the invocation did not end at its deadline"), "{}", lone.log());
    function.stop().await;
    lone.successor_reports_a_death().await;
}
