//! The results of an action. The worker copies an output if the action names an object, and packs it if the action works on files.
//! Otherwise it writes no output. Other results are variables, ids and revisions.

mod data;
mod source;

use std::collections::BTreeMap;
use std::time::Duration;

use codepipeline_worker::actions::{Action, Served, Turn};
use codepipeline_worker::job::{Failure, Finished, ObjectPlace, Outcome};
use codepipeline_worker::worker::{Summary, Worker};

use crate::support::{World, action_type, custom, invoke, lifecycle, output, zip};

/// An action that leaves objects in S3, and also files if `files` is set.
#[derive(Clone)]
struct Leaves {
    outputs: BTreeMap<String, ObjectPlace>,
    files: bool,
}

impl Leaves {
    /// `names` are artifacts. The object of each is `NAME.bin`.
    fn new(names: &[&str], files: bool) -> Self {
        let place = |name: &str| ObjectPlace { bucket: "results".to_owned(), key: format!("{name}.bin") };
        Self { outputs: names.iter().map(|&name| (name.to_owned(), place(name))).collect(), files }
    }
}

impl Action for Leaves {
    async fn start(&self, turn: Turn) -> Result<Outcome, Failure> {
        if self.files {
            std::fs::write(turn.workspace.output("Packed").join("made"), "here").unwrap();
        }
        let outputs = self.outputs.clone();
        let external_execution_id = Some("run-7".to_owned());
        Ok(Outcome::Finished(Finished { outputs, external_execution_id, ..Finished::default() }))
    }

    fn wants_files(&self) -> bool {
        self.files
    }
}

/// Runs an action with the output artifacts `Copied` and `Packed`.
async fn ran(leaves: Leaves) -> (World, Summary) {
    let world = World::new().await;
    world.s3.create_bucket().bucket("results").send().await.unwrap();
    let left = world.s3.put_object().bucket("results").key("Copied.bin").body(b"left by the work".to_vec().into());
    left.send().await.unwrap();
    world.create_type("Build", "Leaves", &[]).await;
    let build = custom("Build", "Build", "Leaves");
    let build = build.output_artifacts(output("Copied")).output_artifacts(output("Packed"));
    world.create_pipeline("p", vec![("Build", vec![build])]).await;
    world.put_source(zip(&[("a", "b")])).await;
    world.start("p").await;
    world.until_begun("p", "Build").await;
    let served = Served::new(action_type("Build", "Custom", "Leaves"), Duration::from_secs(60), leaves);
    let lifecycle = lifecycle(&world.sdk_config, world.work_folder());
    let summary = invoke(&Worker::new(lifecycle, vec![served], 1, Duration::from_secs(60))).await;
    (world, summary)
}

/// The objects of the action's two outputs, if they exist.
async fn outputs(world: &World) -> Vec<Option<Vec<u8>>> {
    let listed = world.codepipeline.list_action_executions().pipeline_name("p").send().await.unwrap();
    let action = listed.action_execution_details().iter().find(|it| it.action_name() == Some("Build")).unwrap();
    let mut found = Vec::new();
    for artifact in action.output().unwrap().output_artifacts() {
        let place = artifact.s3_location().unwrap();
        let got = world.s3.get_object().bucket(place.bucket().unwrap()).key(place.key().unwrap()).send().await;
        found.push(match got {
            Ok(object) => Some(object.body.collect().await.unwrap().to_vec()),
            Err(_) => None,
        });
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn named_outputs_are_copied_and_others_packed() {
    let (world, summary) = ran(Leaves::new(&["Copied"], true)).await;
    assert_eq!(summary.succeeded, 1);
    let [copied, packed] = outputs(&world).await.try_into().unwrap();
    assert_eq!(copied.as_deref(), Some(&b"left by the work"[..]));
    let mut packed = ::zip::ZipArchive::new(std::io::Cursor::new(packed.unwrap())).unwrap();
    assert_eq!(std::io::read_to_string(packed.by_name("made").unwrap()).unwrap(), "here");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_files_only_named_outputs_are_written() {
    let (world, summary) = ran(Leaves::new(&["Copied"], false)).await;
    assert_eq!(summary.succeeded, 1);
    assert_eq!(outputs(&world).await, [Some(b"left by the work".to_vec()), None]);
    let (world, summary) = ran(Leaves::new(&[], false)).await;
    assert_eq!(summary.succeeded, 1);
    assert_eq!(outputs(&world).await, [None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_output_object_fails_the_job() {
    for (names, kind, start) in [
        (&["Packed"][..], "RevisionUnavailable", "ArtifactNotFound: artifact `Packed` (s3://results/Packed.bin): "),
        (&["Copied", "Other"], "JobFailed", "UnknownOutputArtifact: "),
    ] {
        let (world, summary) = ran(Leaves::new(names, false)).await;
        assert_eq!(summary.failed, 1);
        let failed = world.action("p", "Build").await.unwrap();
        let error = failed.error_details().unwrap();
        assert_eq!(error.code(), Some(kind));
        assert!(error.message().unwrap().starts_with(start), "{:?}", error.message());
        assert_eq!(failed.external_execution_id(), Some("run-7"));
    }
}
