//! Logs one flat JSON object per line to stdout, where Lambda collects the lines.

use std::io;

use json_subscriber::JsonLayer;
use tracing::Level;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{Layer, registry};

/// Parses a level's name. Returns `None` for anything else, also for the longer filters of `RUST_LOG`, because the environment must
/// not raise the dependencies' level.
pub fn level(name: &str) -> Option<Level> {
    name.trim().parse().ok()
}

/// A subscriber that writes this crate's lines at `level` or above, and lines of dependencies at INFO or above. SDKs print whole
/// requests and responses at TRACE, including credentials and configuration, so no variable changes this.
///
/// Fields of the spans around an event (`job.id`, `pipeline.name`, `action.name`) become members of the line.
pub fn subscriber<W>(level: Level, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let mut layer = JsonLayer::new(writer);
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
        .with_target(env!("CARGO_CRATE_NAME"), LevelFilter::from_level(level));
    registry().with(layer.with_filter(filter))
}

/// Installs [`subscriber`] on stdout for the process, and a panic hook. The hook logs the place of a panic, but not its message, which
/// may hold a secret.
pub fn install(level: Level) {
    // A second call in one process (tests) leaves the first subscriber in place.
    let _ = tracing::subscriber::set_global_default(subscriber(level, io::stdout));
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic.location = place, "panicked; the message is withheld, because it may hold a secret");
    }));
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
            let span = tracing::info_span!("job", job.id = "1", pipeline.name = "p");
            span.in_scope(|| tracing::info!(artifact.name = "a", "staged in"));
        });
        let line = &lines[0];
        assert_eq!(line["job.id"], "1");
        assert_eq!(line["pipeline.name"], "p");
        assert_eq!(line["artifact.name"], "a");
        assert_eq!(line["message"], "staged in");
        assert_eq!(line["level"], "INFO");
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
