//! The content of a request for a role's credentials: how long they are valid, the session's name and its tags.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::job::Job;

/// How long credentials stay valid after the end of a command that uses all of its time.
const MARGIN: Duration = Duration::from_secs(60);
/// The shortest session (API reference, `AssumeRole`, `DurationSeconds`).
const SHORTEST: i32 = 900;
/// The longest session of a role that a role assumes, as the function's role does ("Role chaining", IAM User Guide). Every role
/// allows it, because it is the least value of a role's `MaxSessionDuration`.
const LONGEST: i32 = 3600;

/// The longest value of a session tag, in characters (API reference, `AssumeRole`, `Tags`).
const LONGEST_VALUE: usize = 256;

/// The tags of a session, each with its key.
pub(super) type Tags<'a> = Vec<(&'static str, &'a str)>;

/// How long the credentials of a command are valid that may take `timeout`, in seconds.
pub(super) fn duration_seconds(timeout: Duration) -> i32 {
    let seconds = i32::try_from(timeout.saturating_add(MARGIN).as_secs()).unwrap_or(i32::MAX);
    seconds.clamp(SHORTEST, LONGEST)
}

/// The session's name: the SHA-256 of the job's id in 64 hexadecimal digits, which is the longest name. A third-party job's id may
/// have characters that a name may not have. `printf %s JOB_ID | sha256sum` finds a job's session in CloudTrail.
pub(super) fn session_name(job_id: &str) -> String {
    let mut name = String::with_capacity(64);
    for byte in Sha256::digest(job_id.as_bytes()) {
        name.push_str(&format!("{byte:02x}"));
    }
    name
}

/// The session's tags: the pipeline, the stage and the action, as far as the job names them. Lambda Invoke jobs name none.
///
/// CodePipeline allows 100 characters of `A-Za-z0-9.@_-` in these names (API model), and STS allows them all in a tag. A name that
/// breaks this is left out: STS would refuse the whole request.
pub(super) fn tags(job: &Job) -> Tags<'_> {
    let pipeline = &job.pipeline;
    let names =
        [("Pipeline", &pipeline.pipeline_name), ("Stage", &pipeline.stage_name), ("Action", &pipeline.action_name)];
    let named = names.into_iter().filter_map(|(key, name)| Some((key, name.as_deref()?)));
    named.filter(|(_, value)| is_value(value)).collect()
}

/// Whether STS takes the text as the value of a tag (API reference, `Tag`), of the characters in ASCII.
fn is_value(text: &str) -> bool {
    (1..=LONGEST_VALUE).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:/=+-@ ".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::PipelineContext;

    fn job(pipeline: PipelineContext) -> Job {
        Job { pipeline, ..Job::of_tests("Deploy", "Shell") }
    }

    #[test]
    fn session_covers_the_command_within_the_limits() {
        for (timeout, expected) in
            [(1, 900), (300, 900), (840, 900), (841, 901), (873, 933), (3540, 3600), (4000, 3600)]
        {
            assert_eq!(duration_seconds(Duration::from_secs(timeout)), expected, "{timeout} s");
        }
        assert_eq!(duration_seconds(Duration::MAX), 3600);
    }

    #[test]
    fn session_name_is_the_digest_of_the_job_id() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(session_name("abc"), expected);
        assert_eq!(session_name("ü job/with:anything").len(), 64);
    }

    #[test]
    fn tags_are_the_names_that_the_job_has() {
        let text = |text: &str| Some(text.to_owned());
        let all = PipelineContext {
            pipeline_name: text("web.prod@eu_1-a"),
            stage_name: text("Stage"),
            action_name: text(&"x".repeat(100)),
            ..PipelineContext::default()
        };
        let expected = vec![
            ("Pipeline", "web.prod@eu_1-a".to_owned()),
            ("Stage", "Stage".to_owned()),
            ("Action", "x".repeat(100)),
        ];
        let owned =
            |job: &Job| -> Vec<_> { tags(job).into_iter().map(|(key, value)| (key, value.to_owned())).collect() };
        assert_eq!(owned(&job(all)), expected);
        assert!(tags(&job(PipelineContext::default())).is_empty());
        for name in ["", "a;b", "é", &"x".repeat(257)] {
            let odd = PipelineContext { pipeline_name: text(name), ..PipelineContext::default() };
            assert!(tags(&job(odd)).is_empty(), "{name}");
        }
    }
}
