//! Finds misspelt variables: those whose names are close to a name of the worker's.

use strsim::osa_distance;

use super::variables::{VARIABLES, Variable, is_ours};
use crate::settings::{Environment, Problems};

/// Prefixes of the variables that Lambda and the SDKs set or read. Such a name is never a misspelt one of the worker's.
const FOREIGN: [&str; 3] = ["AWS_", "LAMBDA_", "_"];

/// Words that users append to a name by mistake: `LEDGER_BUCKET_NAME`.
const EXTRA_WORDS: [&str; 12] =
    ["ARN", "BYTES", "DIR", "FILE", "JSON", "MS", "NAME", "PATH", "S", "SEC", "SECONDS", "VALUE"];

/// A name of at least this length is recognised with two mistakes. A shorter one with two mistakes may be another word.
const LONG: usize = 12;

/// Reports each variable whose name is close to one of the worker's. `named` are the variables that ACTIONS names.
pub(super) fn check(environment: &Environment, named: &[String], problems: &mut Problems) {
    let foreign = |name: &str| FOREIGN.iter().any(|prefix| name.starts_with(prefix));
    let unknown = environment.names().filter(|name| !is_ours(name) && !foreign(name));
    for name in unknown.filter(|name| !named.iter().any(|known| known == name)) {
        if let Some(meant) = closest(name) {
            problems.add(name, format_args!("is not a variable of the worker; did you mean {meant}?"));
        }
    }
}

fn closest(name: &str) -> Option<&'static str> {
    let given = plain(name);
    let distances = VARIABLES.iter().map(Variable::name).filter_map(|ours| Some((distance(&given, ours)?, ours)));
    distances.min().map(|(_, ours)| ours)
}

/// The number of mistakes between `given`, as [`plain`] returns it, and a name of the worker's. `None` if there are too many.
fn distance(given: &str, ours: &str) -> Option<usize> {
    let ours = plain(ours);
    let most = if ours.len() < LONG { 1 } else { 2 };
    let mistakes = osa_distance(given, &ours);
    let extended = given.strip_prefix(&ours).is_some_and(|extra| EXTRA_WORDS.contains(&extra));
    (mistakes <= most || extended).then_some(mistakes)
}

/// The name in upper case, without the separators of its words.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// "Defined runtime environment variables", Lambda's developer guide, with those of extensions, tracing and the SDKs.
    const ON_LAMBDA: &str = "_HANDLER _X_AMZN_TRACE_ID AWS_DEFAULT_REGION AWS_REGION AWS_EXECUTION_ENV \
        AWS_LAMBDA_FUNCTION_NAME AWS_LAMBDA_FUNCTION_MEMORY_SIZE AWS_LAMBDA_FUNCTION_VERSION AWS_LAMBDA_INITIALIZATION_TYPE \
        AWS_LAMBDA_LOG_GROUP_NAME AWS_LAMBDA_LOG_STREAM_NAME AWS_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY \
        AWS_SESSION_TOKEN AWS_LAMBDA_RUNTIME_API AWS_LAMBDA_LOG_FORMAT AWS_LAMBDA_LOG_LEVEL AWS_LAMBDA_MAX_CONCURRENCY \
        AWS_LAMBDA_METADATA_API AWS_LAMBDA_METADATA_TOKEN AWS_LAMBDA_DOTNET_PREJIT AWS_XRAY_CONTEXT_MISSING \
        AWS_XRAY_DAEMON_ADDRESS _AWS_XRAY_DAEMON_ADDRESS _AWS_XRAY_DAEMON_PORT _LAMBDA_TELEMETRY_LOG_FD LAMBDA_TASK_ROOT \
        LAMBDA_RUNTIME_DIR LANG PATH LD_LIBRARY_PATH NODE_PATH NODE_OPTIONS PYTHONPATH GEM_PATH TZ SHLVL PWD \
        AWS_ENDPOINT_URL AWS_ENDPOINT_URL_S3 AWS_PROFILE AWS_CONFIG_FILE AWS_MAX_ATTEMPTS AWS_RETRY_MODE AWS_STS_REGIONAL_ENDPOINTS \
        AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_LAMBDA_EXEC_WRAPPER SSL_CERT_FILE \
        OTEL_EXPORTER_OTLP_ENDPOINT OTEL_SERVICE_NAME OTEL_PROPAGATORS OPENTELEMETRY_COLLECTOR_CONFIG_FILE DD_API_KEY \
        DD_API_KEY_SECRET_ARN DD_SITE DD_ENV DD_LOG_LEVEL DD_SERVICE DD_FLUSH_TO_LOG NEW_RELIC_LICENSE_KEY \
        NEW_RELIC_LAMBDA_EXTENSION_ENABLED PARAMETERS_SECRETS_EXTENSION_HTTP_PORT PARAMETERS_SECRETS_EXTENSION_CACHE_SIZE \
        SECRETS_MANAGER_TTL SSM_PARAMETER_STORE_TTL SENTRY_DSN POWERTOOLS_SERVICE_NAME LOG_LEVEL STAGE BUCKET TABLE_NAME \
        WEBHOOK_SECRET CHECKS_KEY HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy no_proxy";

    /// Variables that a terminal, a desktop, cargo, GitHub's and GitLab's runners set.
    const OF_DEVELOPERS: &str = "HOME USER LOGNAME SHELL TERM EDITOR VISUAL PAGER LESS LS_COLORS LC_ALL LC_CTYPE DISPLAY \
        WAYLAND_DISPLAY XDG_RUNTIME_DIR XDG_SESSION_TYPE XDG_CONFIG_HOME DBUS_SESSION_BUS_ADDRESS SSH_AUTH_SOCK SSH_CONNECTION \
        GPG_TTY OLDPWD HOSTNAME HISTFILE HISTSIZE PS1 MAIL LESSOPEN MANPATH INFOPATH COLORTERM TERM_PROGRAM VSCODE_PID \
        CARGO CARGO_HOME CARGO_MANIFEST_DIR CARGO_PKG_NAME CARGO_TARGET_DIR RUSTUP_HOME RUSTUP_TOOLCHAIN RUST_BACKTRACE \
        RUST_LOG_STYLE RUST_LIB_BACKTRACE RUST_RECURSION_COUNT RUSTFLAGS RUSTDOCFLAGS RUST_MIN_STACK RUST_SRC_PATH OUT_DIR \
        PROPTEST_CASES NVM_DIR JAVA_HOME GOPATH GOROOT VIRTUAL_ENV CONDA_PREFIX HOMEBREW_PREFIX DOCKER_HOST KUBECONFIG \
        TMPDIR TEMP TMP TIMEOUT WORKDIR WORKSPACE WORK OPTIONS OPTIONS_FILE FRACTIONS MAX_RETRIES MAX_BYTES FUNCTION_NAME \
        CI GITHUB_ACTION GITHUB_ACTIONS GITHUB_ACTION_PATH GITHUB_WORKSPACE GITHUB_RUN_ID RUNNER_TEMP ACTIONS_RUNTIME_URL \
        ACTIONS_RUNTIME_TOKEN ACTIONS_CACHE_URL ACTIONS_RESULTS_URL ACTIONS_ID_TOKEN_REQUEST_URL \
        ACTIONS_ID_TOKEN_REQUEST_TOKEN ACTIONS_STEP_DEBUG ACTIONS_RUNNER_DEBUG ACTIONS_ORCHESTRATION_ID GITLAB_CI CI_JOB_ID \
        CI_CONCURRENT_ID BUILDKITE CODEBUILD_BUILD_ID JENKINS_URL SAM_CLI_TELEMETRY WEB_CONCURRENCY CURRENCY";

    #[test]
    fn names_close_to_ours_are_recognised() {
        for (given, meant) in [
            ("LEDGER_BUCKE", "LEDGER_BUCKET"),
            ("LEDGERBUCKET", "LEDGER_BUCKET"),
            ("ledger_bucket", "LEDGER_BUCKET"),
            ("Ledger-Bukcet", "LEDGER_BUCKET"),
            ("LEDGER_BUCKET_NAME", "LEDGER_BUCKET"),
            ("CONCURENCY", "CONCURRENCY"),
            ("MAX_UNPACKED_BYTE", "MAX_UNPACKED_BYTES"),
            ("MAX_UNPACK_BYTES", "MAX_UNPACKED_BYTES"),
            ("ACTION", "ACTIONS"),
            ("ACTION_FILE", "ACTIONS_FILE"),
            ("ACTIONS_PATH", "ACTIONS"),
            ("STAGING_TIMEOUT_SECONDS", "STAGING_TIMEOUT"),
            ("FUNTION_TIMOUT", "FUNCTION_TIMEOUT"),
            ("CLIENT_TOKEN_SECRET", "CLIENT_TOKENS_SECRET"),
            ("WORKFOLDER", "WORK_FOLDER"),
            ("RUSTLOG", "RUST_LOG"),
        ] {
            assert_eq!(closest(given), Some(meant), "{given}");
        }
    }

    #[test]
    fn no_usual_variable_is_a_misspelt_one() {
        let mut problems = Problems::default();
        let names = ON_LAMBDA.split_whitespace().chain(OF_DEVELOPERS.split_whitespace());
        check(&names.map(|name| (name, "s3cr3t")).collect(), &[], &mut problems);
        assert_eq!(problems.into_result(()), Ok(()));
    }

    #[test]
    fn our_names_are_too_far_apart_to_be_confused() {
        for variable in &VARIABLES {
            assert_eq!(closest(variable.name()), Some(variable.name()));
        }
    }

    #[test]
    fn a_variable_that_actions_names_is_no_mistake() {
        let environment: Environment = [("ACTION", "key")].into_iter().collect();
        let mut problems = Problems::default();
        check(&environment, &["ACTION".to_owned()], &mut problems);
        assert_eq!(problems.into_result(()), Ok(()));
    }
}
