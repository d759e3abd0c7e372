//! The examples of buildspecs on other pages of CodeBuild's User Guide, one test each. Programs that need a network are echoed.

use super::*;

/// "Background tasks in build environments". As printed, each has `& ;`, which no shell accepts.
async fn in_background(start: &str, later: &str) -> Ran {
    let text = format!(
        "version: 0.2\nenv:\n  shell: bash\nphases:\n  build:\n    commands:\n      - {start}\n  post_build:\n    commands:\n      - {later}\n"
    );
    build(&text, &[]).await
}

#[tokio::test]
async fn background_process_is_waited_for_later() {
    let ran =
        in_background("nohup sh -c 'sleep 0.1; echo done > out' & echo $! > pidfile", "wait $(cat pidfile); cat out")
            .await;
    assert_eq!((ran.output(), &ran.built.failure), (vec!["done"], &None));
}

#[tokio::test]
async fn disowned_background_process_ends_with_the_build() {
    let ran = in_background("nohup sleep 30 & disown $!", "echo built").await;
    assert_eq!((ran.output(), &ran.built.failure), (vec!["built"], &None));
}

#[tokio::test]
async fn background_process_is_killed_later() {
    let ran = in_background("nohup sleep 30 & echo $! > pidfile", "kill $(cat pidfile) && echo killed").await;
    assert_eq!((ran.output(), &ran.built.failure), (vec!["killed"], &None));
}

/// "Shells and commands in build environments", the first approach for version 0.1.
#[tokio::test]
async fn script_of_the_source_has_a_shell_of_its_own_in_0_1() {
    let text = "version: 0.1\nphases:\n  build:\n    commands:\n      \
        - printf 'cd MyDir; mkdir -p mySubDir; cd mySubDir; pwd;' > my-script.sh\n      - chmod +x my-script.sh\n      - ./my-script.sh\n";
    let ran = build(text, &["MyDir/file"]).await;
    assert!(ran.output()[0].ends_with("/MyDir/mySubDir"), "{:?}", ran.output());
}

/// The same page, the second approach.
#[tokio::test]
async fn chained_commands_share_a_shell_in_0_1() {
    let text = "version: 0.1\nphases:\n  build:\n    commands:\n      \
        - cd MyDir && mkdir -p mySubDir && cd mySubDir && pwd\n      - pwd\n";
    let ran = build(text, &["MyDir/file"]).await;
    let output = ran.output();
    assert!(output[0].ends_with("/MyDir/mySubDir") && !output[1].contains("MyDir"), "{output:?}");
}

/// "Runtime versions in buildspec file sample": two runtimes, and secondary artifacts alone.
#[tokio::test]
async fn sample_with_two_runtimes_runs() {
    let text = "version: 0.2\n\nphases:\n  install:\n    runtime-versions:\n      golang: 1.13\n      nodejs: 10\n  build:\n    commands:\n      \
        - echo Building the Go code...\n      - cd $CODEBUILD_SRC_DIR/golang-app\n      - cp hello.go hello\n      \
        - echo Building the Node code...\n      - cd $CODEBUILD_SRC_DIR/nodejs-app\n      - cat package.json\nartifacts:\n  \
        secondary-artifacts:\n    golang_artifacts:\n      base-directory: golang-app\n      files:\n        - hello\n    \
        nodejs_artifacts:\n      base-directory: nodejs-app\n      files:\n        - index.js\n        - package.json\n";
    let ran = build(text, &["golang-app/hello.go", "nodejs-app/index.js", "nodejs-app/package.json"]).await;
    assert_eq!(ran.output(), ["Building the Go code...", "Building the Node code...", "nodejs-app/package.json"]);
    assert_eq!(ran.files[1..], [vec!["hello"], vec!["index.js", "package.json"]]);
}

/// The same page: the artifact of the Java sample.
#[tokio::test]
async fn sample_with_a_base_directory_in_quotes_runs() {
    let text = "version: 0.2\n\nphases:\n  install:\n    runtime-versions:\n      java: corretto8\n  build:\n    commands:\n      \
        - echo java -version\n      - echo mvn package\nartifacts:\n  files:\n    - '**/*'\n  base-directory: 'target/my-web-app'\n";
    let ran = build(text, &["target/my-web-app/index.jsp", "pom.xml"]).await;
    assert_eq!(ran.files, [["index.jsp"]]);
}

/// "Docker sample": the output of a command is the next command, and names consist of variables.
#[tokio::test]
async fn sample_with_docker_runs() {
    let text = "version: 0.2\n\nenv:\n  variables:\n    IMAGE: web\n    TAG: latest\nphases:\n  pre_build:\n    commands:\n      \
        - echo Logging in to Amazon ECR...\n      - $(echo echo docker login)\n  build:\n    commands:\n      \
        - echo Build started on `date`\n      - echo Building the Docker image...          \n      - echo docker build -t $IMAGE:$TAG .\n  \
        post_build:\n    commands:\n      - echo docker push $IMAGE.dkr.ecr.$AWS_REGION.amazonaws.com/$IMAGE:$TAG\n";
    let ran = build(text, &[]).await;
    let output = ran.output();
    assert_eq!((output[1], output[4]), ("docker login", "docker build -t web:latest ."));
    assert_eq!(output[5], "docker push web.dkr.ecr.us-east-1.amazonaws.com/web:latest");
}
