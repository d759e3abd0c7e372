"""Runs examples/pipeline.yaml with the real worker, and the build of examples/state-machine, against codepipeline-local.

AWS resolves the templates; here template.py does, with the defaults of their parameters. Arguments: a folder with JSONata's library."""

import io
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import yaml

sys.path.insert(0, ".ci/languages.d")
from emulator import ACCESS, Process, clients, show, wait  # noqa: E402
from template import Template, to_api  # noqa: E402

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"


def main(jsonata):
    worker = Template("template.yaml", LogGroup="logs")
    example = Template("examples/pipeline.yaml", Sources="sources", Artifacts="artifacts", **{"Key.Arn": KEY})
    example.values["PipelineRole.Arn"] = "arn:aws:iam::123456789012:role/pipeline"
    action_type = to_api(worker.properties("ActionType"))
    served = {key: action_type[key] for key in ("category", "provider", "version")}
    entry = {
        "actionType": {**served, "owner": "Custom"},
        "queryParam": {"Project": worker.values["ProjectName"]},
        "run": {"command": ["bash", "-euo", "pipefail", "-c", "{Config:Command}"]},
    }
    flags = ["--function", "target/debug/codepipeline-worker", "--schedule", "never"]
    flags += ["--env", f"ACTIONS={json.dumps([entry])}", "--env", "LEDGER_BUCKET=ledger"]
    with tempfile.TemporaryDirectory(prefix="examples-") as folder:
        with Process(["target/debug/codepipeline-local", "serve", "--port", "0", *flags], folder) as emulator:
            endpoint = emulator.find(r"(http://127\.0\.0\.1:\d+)\n")[1]
            s3, codepipeline = clients(endpoint)
            for bucket in ("ledger", "sources", "artifacts"):
                s3.create_bucket(Bucket=bucket)
            s3.put_bucket_versioning(Bucket="sources", VersioningConfiguration={"Status": "Enabled"})
            codepipeline.create_custom_action_type(**action_type)
            run_pipeline(emulator, s3, codepipeline, to_api(example.properties("Pipeline")))
            run_build(s3, endpoint, Path(folder), jsonata)


def run_pipeline(emulator, s3, codepipeline, pipeline):
    """Each action of the pipeline succeeds, and the last one sees what the first one wrote."""
    s3.put_object(Bucket="sources", Key="source.zip", Body=packed({"README": "read me", "src/main.c": "int main() {}"}))
    codepipeline.create_pipeline(pipeline=pipeline)
    name, count = pipeline["name"], sum(len(stage["actions"]) for stage in pipeline["stages"])

    def ended():
        found = codepipeline.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        bad = [action for action in found if action["status"] not in ("InProgress", "Succeeded")]
        if bad:
            raise AssertionError(f"{show(bad)}\n{emulator.text()}")
        done = [action for action in found if action["status"] == "Succeeded"]
        return {action["actionName"]: action for action in done} if len(done) == count else None

    actions = wait(ended, "the pipeline did not end", emulator)
    output = actions["Check"]["output"]
    place = output["outputArtifacts"][0]["s3location"]
    stored = s3.get_object(Bucket=place["bucket"], Key=place["key"])
    listing = unpacked(stored["Body"].read())["files.txt"]
    assert stored["SSEKMSKeyId"] == KEY and "main.c" in listing, (stored["SSEKMSKeyId"], listing)
    assert output["outputVariables"]["Lines"] == str(listing.count("\n")), output
    command = actions["Show"]["input"]["resolvedConfiguration"]["Command"]
    assert f"has {output['outputVariables']['Lines']} lines" in command, command
    print("examples/pipeline.yaml ran with the worker", flush=True)


def run_build(s3, endpoint, folder, jsonata):
    """The build reads its inputs and writes its outputs, from the input that the worker gives to an execution."""
    template = Template("examples/state-machine/template.yaml", Project="project", LogGroup="logs", **{"BuildRole.Arn": "role"})
    states = template.template["Resources"]["StateMachine"]["Properties"]["Definition"]["States"]
    # The document's example of an input, with a script.
    document = Path("docs/actions/state-machine.md").read_text("utf-8")
    given = json.loads(document.split("## The input of an execution\n\n```json\n")[1].split("```")[0])
    script = 'test -f README && cp README "$OUTPUT/Report/copied" && test -d "$INPUT/Source"'
    given["configuration"] = {"Project": "web", "Parameters": script}
    for key in (None, KEY):
        given["encryptionKey"] = key
        arguments = evaluated(states["Build"]["Arguments"], {"input": given}, jsonata)
        variables = {variable["Name"]: variable["Value"] for variable in arguments["EnvironmentVariablesOverride"]}
        source, report = given["inputArtifacts"]["Source"], given["outputArtifacts"]["Report"]
        if key is None:
            s3.create_bucket(Bucket=source["bucket"])
        s3.put_object(Bucket=source["bucket"], Key=source["key"], Body=packed({"README": "read me"}))
        spec = yaml.safe_load(template.properties("Project")["Source"]["BuildSpec"])
        work = Path(tempfile.mkdtemp(dir=folder))
        environment = {**os.environ, **ACCESS, "AWS_ENDPOINT_URL": endpoint, **variables}
        for command in spec["phases"]["build"]["commands"]:
            subprocess.run(["bash", "-c", command], cwd=work, env=environment, check=True)
        stored = s3.get_object(Bucket=report["bucket"], Key=report["key"])
        assert stored["ServerSideEncryption"] == "aws:kms" and (key is None or stored["SSEKMSKeyId"] == key), stored
        assert unpacked(stored["Body"].read()) == {"copied": "read me"}

    build = {"Id": "project:1", "BuildStatus": "FAILED", "Logs": {"DeepLink": "https://logs"}}
    output = evaluated(states["Build"]["Output"], {"input": given, "result": {"Build": build}}, jsonata)
    assert output == {"summary": "build project:1 succeeded", "outputVariables": {"BuildId": "project:1", "Log": "https://logs"}}
    denied = "User is not authorized to perform: codebuild:StartBuild {\"BuildStatus\"}"
    for cause, expected in [
        (json.dumps({"Build": build}), "build project:1 ended with FAILED; its log is https://logs"),
        (json.dumps({"Build": build}, indent=2), "build project:1 ended with FAILED; its log is https://logs"),
        (denied, f"could not run the build: {denied}"),
    ]:
        error = {"Error": "States.TaskFailed", "Cause": cause}
        caught = evaluated(states["Build"]["Catch"][0]["Output"], {"errorOutput": error}, jsonata)
        failed = states[chosen(states[states["Build"]["Catch"][0]["Next"]], caught, jsonata)]
        assert evaluated(failed["Cause"], {"input": caught}, jsonata) == expected, (failed, cause)

    first = states[template.template["Resources"]["StateMachine"]["Properties"]["Definition"]["StartAt"]]
    assert chosen(first, given, jsonata) == "Build"
    without = {**given, "configuration": {"Project": "web"}}
    assert "write the build's script" in states[chosen(first, without, jsonata)]["Cause"]
    print("the build of examples/state-machine ran", flush=True)


def chosen(choice, given, jsonata):
    """The state that a Choice leads to."""
    for rule in choice["Choices"]:
        if evaluated(rule["Condition"], {"input": given}, jsonata):
            return rule["Next"]
    return choice["Default"]


def evaluated(value, states, jsonata):
    given = json.dumps({"value": value, "states": states})
    # Node looks for libraries beside the program.
    program = Path(jsonata, "evaluate.mjs")
    program.write_text(Path(".ci/examples.d/evaluate.mjs").read_text("utf-8"))
    return json.loads(subprocess.run(["node", program], input=given, capture_output=True, text=True, check=True).stdout)


def packed(files):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip_file:
        for name, content in files.items():
            zip_file.writestr(name, content)
    return archive.getvalue()


def unpacked(content):
    with zipfile.ZipFile(io.BytesIO(content)) as zip_file:
        return {name: zip_file.read(name).decode() for name in zip_file.namelist() if not name.endswith("/")}


main(*sys.argv[1:])
