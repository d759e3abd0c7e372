//! A custom Source action: a command that writes the revision of its output.

use aws_sdk_codepipeline::types::builders::ActionDeclarationBuilder;
use aws_sdk_codepipeline::types::{ArtifactStore, ArtifactStoreType, PipelineDeclaration, StageDeclaration};
use serde_json::json;

use crate::support::{ROLE, STORE, World, action, custom, invoke, output, shell};

/// Makes a commit, as a clone would have. Writes its files to the output and its ids to the report files.
const CHECKOUT: &str = r#"
    git init -q .
    echo content > file
    git add file
    git -c user.name=a -c user.email=a@b.example commit -qm 'fix "it"'
    git archive HEAD | tar -x -C "$OUTPUT_SOURCE"
    {
      git log -1 --format='revision=%H%ncreated=%cI'
      printf 'summary<<EOF\n%s\nEOF\n' "$(git log -1 --format=%s)"
    } > "$REVISION"
    echo "CommitId=$(git rev-parse HEAD)" > "$OUTPUT_VARIABLES"
    git rev-parse --short HEAD > "$EXTERNAL_EXECUTION_ID"
"#;

async fn create_pipeline(world: &World, actions: [ActionDeclarationBuilder; 2]) {
    let store = ArtifactStore::builder().r#type(ArtifactStoreType::S3).location(STORE).build().unwrap();
    let mut pipeline = PipelineDeclaration::builder().name("p").role_arn(ROLE).artifact_store(store);
    for (stage, action) in ["Source", "Test"].into_iter().zip(actions) {
        let stage = StageDeclaration::builder().name(stage).actions(action.build().unwrap());
        pipeline = pipeline.stages(stage.build().unwrap());
    }
    world.codepipeline.create_pipeline().pipeline(pipeline.build().unwrap()).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_commands_revision_is_reported() {
    let world = World::new().await;
    world.create_type("Source", "Git", &["Command"]).await;
    world.create_type("Test", "Shell", &["Command"]).await;
    let git = action("Git", "Source", "Custom", "Git").namespace("Git").output_artifacts(output("Source"));
    let test = custom("Work", "Test", "Shell");
    let command = "echo #{Git.CommitId} $INPUT_SOURCE_REVISION $AWS_REGION $AWS_ACCOUNT_ID $(cat file) > $SUMMARY";
    create_pipeline(&world, [git.configuration("Command", CHECKOUT), test.configuration("Command", command)]).await;
    world.start("p").await;
    let worker = world.worker(&json!([shell("Source", "Git"), shell("Test", "Shell")]));

    world.until_begun("p", "Git").await;
    assert_eq!(invoke(&worker).await.failed, 0);
    world.until_begun("p", "Work").await;
    invoke(&worker).await;

    let state = world.state("p").await;
    let source = state.stage_states()[0].action_states()[0].clone();
    let revision = source.current_revision.unwrap();
    let id = revision.revision_id();
    assert!(id.len() >= 40 && id == revision.revision_change_id(), "{revision:?}");
    let executed = source.latest_execution.unwrap();
    assert!(id.starts_with(executed.external_execution_id().unwrap()), "{executed:?}");
    assert!(executed.summary().unwrap().starts_with("exit code 0 after "), "{executed:?}");
    let worked = world.action("p", "Work").await.unwrap();
    assert_eq!(worked.summary(), Some(format!("{id} {id} us-east-1 123456789012 content").as_str()), "{worked:?}");

    let listed = world.codepipeline.list_pipeline_executions().pipeline_name("p").send().await.unwrap();
    let sources = listed.pipeline_execution_summaries()[0].source_revisions().to_vec();
    assert_eq!((sources[0].revision_id(), sources[0].revision_summary()), (Some(id), Some("fix \"it\"")));
}
