//! Logs one flat JSON object per line to stdout, where Lambda collects the lines.

mod lines;

use std::io;
use std::time::Duration;

use json_subscriber::JsonLayer;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, Targets, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, registry};

use self::lines::LineByLine;

/// The target of the lines with metrics.
const METRICS: &str = concat!(env!("CARGO_CRATE_NAME"), "::metrics");

/// Parses a level's name. Returns `None` for anything else, also for the longer filters of `RUST_LOG`, because the environment must
/// not raise the dependencies' level.
pub fn level(name: &str) -> Option<Level> {
    name.trim().parse().ok()
}

/// A duration as a line of the log has it.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A subscriber that writes this crate's lines at `level` or above, and lines of dependencies at INFO or above. SDKs print whole
/// requests and responses at TRACE, including credentials and configuration, so no variable changes this.
///
/// Fields of the spans around an event (`jobId`, `requestId`) become members of the line, at every level.
pub fn subscriber<W>(level: Level, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut layer = JsonLayer::new(LineByLine::new(writer));
    layer.with_timer("timestamp", tracing_subscriber::fmt::time::SystemTime);
    layer.with_level("level");
    layer.with_target("target");
    layer.with_flattened_event();
    layer.with_top_level_flattened_span_list();
    let others = Level::INFO.min(level);
    let filter = Targets::new()
        .with_default(LevelFilter::from_level(others))
        // This target prints each failed invocation's error with its Rust type; `bootstrap` logs that error in its own words.
        .with_target("lambda_runtime::layers::panic", LevelFilter::OFF)
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::from_level(level))
        // CloudWatch counts these lines, at every level.
        .with_target(METRICS, LevelFilter::INFO);
    let spans = filter_fn(|metadata| metadata.is_span() && *metadata.level() <= Level::INFO);
    registry().with(layer.with_filter(filter.or(spans.with_max_level_hint(Level::INFO))))
}

/// Installs [`subscriber`] on stdout for the process, and a panic hook. The hook logs the place of a panic, but not its message, which
/// may hold a secret.
pub fn install(level: Level) {
    // A second call in one process (tests) leaves the first subscriber in place.
    let _ = tracing::subscriber::set_global_default(subscriber(level, io::stdout));
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panicLocation = place, "panicked; the message is withheld, because it may hold a secret");
    }));
}

/// Logs a JSON object with metrics. Its members become members of the line, next to the ids of the spans.
pub fn log_metrics(object: &[u8]) {
    let emf = String::from_utf8_lossy(object);
    tracing::info!(target: METRICS, emf = emf.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(level: Level, what: impl FnOnce()) -> Vec<serde_json::Value> {
        let lines = Lines::default();
        let writer = lines.clone();
        tracing::subscriber::with_default(subscriber(level, move || writer.clone()), what);
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[test]
    fn a_line_is_flat_and_has_the_fields_of_its_spans() {
        let lines = logged(Level::INFO, || {
            let span = tracing::info_span!("job", jobId = "1", pipeline = "p");
            span.in_scope(|| tracing::info!(artifact = "a", "staged in"));
        });
        let line = &lines[0];
        assert_eq!(line["jobId"], "1");
        assert_eq!(line["pipeline"], "p");
        assert_eq!(line["artifact"], "a");
        assert_eq!(line["message"], "staged in");
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn a_quieter_level_keeps_the_fields_of_spans() {
        let lines = logged(Level::ERROR, || {
            tracing::info_span!(target: "lambda_runtime", "invoke", requestId = "1").in_scope(|| {
                tracing::info_span!("job", jobId = "2").in_scope(|| {
                    tracing::info!("quiet");
                    tracing::error!("loud");
                });
            });
        });
        let [line] = &lines[..] else { panic!("{lines:?}") };
        assert_eq!([&line["message"], &line["requestId"], &line["jobId"]], ["loud", "1", "2"]);
    }

    #[test]
    fn a_field_that_comes_later_is_in_each_line_after_it() {
        let lines = logged(Level::INFO, || {
            let span = tracing::info_span!("job", externalExecutionId = tracing::field::Empty, stage = None::<&str>);
            let _entered = span.enter();
            tracing::info!("before");
            span.record("externalExecutionId", "run-7");
            tracing::info!("after");
        });
        assert!(lines[0].get("externalExecutionId").is_none() && lines[1].get("stage").is_none(), "{lines:?}");
        assert_eq!(lines[1]["externalExecutionId"], "run-7");
    }

    #[test]
    fn metrics_are_members_of_a_line_with_ids_at_every_level() {
        let object = br#"{"_aws":{"a":["\"}"]},"N":1,"message":"metrics \\ \"x\""}"#;
        let lines = logged(Level::ERROR, || {
            let span = tracing::info_span!("job", jobId = "\"emf\":\"{}", failureCode = tracing::field::Empty);
            span.record("failureCode", "Code");
            span.in_scope(|| log_metrics(&[object.as_slice(), b"\n"].concat()));
        });
        let line = &lines[0];
        let expected: serde_json::Value = serde_json::from_slice(object).unwrap();
        for (member, value) in expected.as_object().unwrap() {
            assert_eq!(line[member], *value, "{line}");
        }
        assert_eq!([&line["jobId"], &line["level"], &line["failureCode"]], ["\"emf\":\"{}", "INFO", "Code"]);
        assert!(line["timestamp"].is_string() && line.get("emf").is_none(), "{line}");
    }

    #[test]
    fn dependencies_stay_at_info_even_when_we_trace() {
        let lines = logged(Level::TRACE, || {
            tracing::trace!("ours");
            tracing::debug!(target: "aws_smithy_runtime", "a whole request");
            tracing::trace!(target: "hyper", "bytes");
            tracing::info!(target: "lambda_runtime", "theirs");
            tracing::error!(target: "lambda_runtime::layers::panic", "Diagnostic");
        });
        let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["ours", "theirs"]);
    }

    #[test]
    fn a_quieter_level_quiets_dependencies_too() {
        let lines = logged(Level::ERROR, || tracing::info!(target: "lambda_runtime", "theirs"));
        assert!(lines.is_empty());
    }
}
