use std::path::Path;

use super::super::testing::{Place, object, task};
use super::super::{ActionTypeId, EnvironmentVariable, EnvironmentVariableKind};
use super::*;

/// A task with an input, an output and a configuration. The input's object is a zip of `hello.txt`.
async fn prepared(place: &Place) -> Task {
    let mut task = task();
    task.action_type = ActionTypeId::first("Deploy", "AWS", "CodeDeploy");
    (task.inputs, task.outputs) = (vec![object("Source")], vec![object("Site-Map")]);
    task.inputs[0].revision = Some("r7".to_owned());
    task.configuration.insert("ApplicationName".to_owned(), "shop".to_owned());
    let folder = place.work.folder().join("new");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("hello.txt"), "hello\n").unwrap();
    let zip = folder.with_extension("zip");
    pack_folder(&folder, &zip, &super::super::archive::Stop::default()).unwrap();
    place.work.store(&zip, &task.inputs[0].place, "application/zip").await.unwrap();
    task
}

async fn run(place: &Place, task: Task, command: &str) -> Result<Done, Failed> {
    StandIn::new(command).run(task, &place.work).await
}

fn texts(place: &Place) -> Vec<String> {
    place.lines().into_iter().map(|line| line.text).collect()
}

#[tokio::test]
async fn command_finds_folders_and_facts() {
    let place = Place::new();
    let task = prepared(&place).await;
    let output = task.outputs[0].place.clone();
    let command = r#"
        cat hello.txt > "$OUTPUT_SITE_MAP/copy.txt" && test "$PWD" = "$INPUT_SOURCE" || exit 1
        echo "$INPUT_SOURCE_REVISION $CONFIG_APPLICATIONNAME $ACTION_TYPE $PIPELINE_ARN $STAGE_NAME/$ACTION_NAME"
        echo Url=https://shop > "$OUTPUT_VARIABLES"
        echo 'deployed it' > "$SUMMARY"
        echo d-1 > "$EXTERNAL_EXECUTION_ID"
        printf 'revision=abc\nsummary=a change\n' > "$REVISION""#;
    let done = run(&place, task, command).await.unwrap_or_else(|error| panic!("{error}: {:?}", texts(&place)));
    assert_eq!(done.variables.get("Url").map(String::as_str), Some("https://shop"));
    assert_eq!((done.summary.as_deref(), done.external_id.as_deref()), (Some("deployed it"), Some("d-1")));
    let revision = done.revision.unwrap();
    assert_eq!((revision.id.as_str(), revision.change_id.as_str()), ("abc", "abc"));
    let expected = "r7 shop Deploy/AWS/CodeDeploy/1 arn:aws:codepipeline:us-east-1:123456789012:web Test/Unit";
    let lines = texts(&place);
    assert!(lines[0].contains("stand-in for Deploy/AWS/CodeDeploy/1") && lines[1] == expected, "{lines:?}");
    let unpacked = place.work.folder().join("unpacked");
    unpack(&place.work.read(&output).await.unwrap(), &unpacked, &ArchiveLimits::default()).unwrap();
    assert_eq!(std::fs::read(unpacked.join("copy.txt")).unwrap(), b"hello\n");
}

#[tokio::test]
async fn failed_command_fails_the_action() {
    let place = Place::new();
    let error = run(&place, task(), "exit 3").await.err().unwrap();
    assert_eq!(error.to_string(), "JobFailed: The stand-in ended with exit status 3");
}

#[tokio::test]
async fn secrets_come_from_the_flag_and_are_masked() {
    let place = Place::with_secret("api/token", "hunter2");
    let mut task = task();
    let kind = EnvironmentVariableKind::SecretsManager;
    task.environment = vec![EnvironmentVariable { name: "TOKEN".to_owned(), value: "api/token".to_owned(), kind }];
    let summary = run(&place, task.clone(), r#"echo "got $TOKEN"; echo ok > "$SUMMARY""#).await.unwrap().summary;
    assert_eq!((summary.as_deref(), texts(&place)[1].as_str()), (Some("ok"), "got ***"));
    task.environment[0].value = "other".to_owned();
    let place = Place::new();
    let error = run(&place, task, "true").await.err().unwrap();
    assert!(error.message.contains("TOKEN") && error.message.contains("--secret 'other=ENV'"), "{error}");
}

#[tokio::test]
async fn input_that_is_no_archive_becomes_one_file() {
    let place = Place::new();
    let mut task = task();
    task.inputs = vec![object("Notes")];
    let file = place.work.folder().join("notes");
    std::fs::write(&file, "plain text").unwrap();
    place.work.store(&file, &task.inputs[0].place, "text/plain").await.unwrap();
    run(&place, task, "cat Notes").await.unwrap();
    assert_eq!(texts(&place)[1], "plain text");
}

#[tokio::test]
async fn dropped_run_ends_its_processes() {
    let place = Place::new();
    let file = place.work.folder().join("pid");
    let command = format!("echo $$ > {}.new; mv {0}.new {0}; sleep 600", file.display());
    let pid = {
        let running = run(&place, task(), &command);
        tokio::pin!(running);
        loop {
            tokio::select! {
                _ = &mut running => panic!("it sleeps"),
                () = tokio::time::sleep(std::time::Duration::from_millis(5)) => {}
            }
            if let Ok(pid) = std::fs::read_to_string(&file) {
                break pid.trim().to_owned();
            }
        }
    };
    let stat = Path::new("/proc").join(pid).join("stat");
    while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}
