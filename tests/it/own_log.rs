//! The lines that an action in Rust writes with `Turn::log`.

use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Finished, Outcome};
use codepipeline_worker::telemetry;
use codepipeline_worker::testing::TestWorker;
use secrecy::ExposeSecret;
use tracing::Level;

use crate::support::log::{Written, keep_statements_on};
use crate::support::{World, action_type, custom, zip};

const SECRET: &str = "MARKER-token";

/// Logs a secret of its configuration, in its own task and in a thread, and a part of a link to its input.
struct Talkative;

impl Action for Talkative {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        let token = turn.job.configuration.required("Token")?.to_owned();
        let log = turn.log();
        log.info(format_args!("asked with {token}"));
        log.debug("a detail");
        let link = turn.links.to_read(&turn.job.inputs[0]).await?.url;
        let parameters = link.expose_secret().split(['?', '&']);
        let session: Vec<_> = parameters.filter_map(|it| it.strip_prefix("X-Amz-Security-Token=")).collect();
        log.info(format_args!("linked with {}", session[0]));
        // The test's subscriber is that of its thread. In a function all threads have the same one.
        let subscriber = tracing::dispatcher::get_default(Clone::clone);
        let in_thread = move || log.warn(format!("refused {token}\u{1b}[0m"));
        let thread = move || tracing::dispatcher::with_default(&subscriber, in_thread);
        tokio::task::spawn_blocking(thread).await.unwrap();
        Ok(Outcome::Finished(Finished::default()))
    }
}

#[tokio::test]
async fn lines_of_an_action_have_its_ids_and_no_secret() {
    let world = World::new().await;
    world.create_type("Test", "Talk", &["Token!"]).await;
    let action = custom("Talk", "Test", "Talk").configuration("Token", SECRET);
    world.create_pipeline("p", vec![("Test", vec![action])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Talk").await;
    let served = Served::new(action_type("Test", "Custom", "Talk"), Duration::from_secs(60), Talkative);
    let worker = TestWorker::new(vec![served.secrets(["Token"])], &world.sdk_config);

    keep_statements_on();
    let written = Written::default();
    let writer = written.clone();
    let subscriber = telemetry::subscriber(Level::INFO, move || writer.clone());
    let summary = {
        let _guard = tracing::subscriber::set_default(subscriber);
        worker.invoke().await
    };

    assert_eq!(summary.succeeded, 1);
    let (text, lines) = (written.text(), written.lines());
    let own: Vec<_> = lines.iter().filter(|line| line["target"] == "codepipeline_worker::actions::log").collect();
    let said: Vec<_> = own.iter().map(|it| (it["level"].as_str().unwrap(), it["message"].as_str().unwrap())).collect();
    assert_eq!(said, [("INFO", "asked with ****"), ("INFO", "linked with ****"), ("WARN", "refused ****")]);
    for line in own {
        assert!(line["jobId"].is_string() && line["pipeline"] == "p" && line["action"] == "Talk", "{line}");
    }
    assert!(!text.contains(SECRET), "{text}");
}
