"""codepipeline-local and a worker as processes, and what the tests do with them."""

import io
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

import boto3

PATIENCE = 60
KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-4333-8444-555555555555"
SECRET = "a-secret-of-the-test"
TYPE = {"category": "Test", "provider": "Inventory", "version": "1"}
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}


class Process:
    """A process that writes into a file. It ends with the block that uses it."""

    def __init__(self, command, folder, **environment):
        self.output = Path(folder, "output")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env={**kept, **ACCESS, **environment})

    def text(self):
        return self.output.read_text("utf-8", "replace")

    def find(self, pattern):
        """Waits until the process has written a text that matches."""
        return wait(lambda: re.search(pattern, self.text()), f"no output matches {pattern}", self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.code = self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.code = self.process.wait()


def wait(condition, otherwise, *processes):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline or any(process.process.poll() is not None for process in processes):
            raise AssertionError("\n".join([otherwise, *(process.text()[-8000:] for process in processes)]))
        time.sleep(0.05)
    return found


def clients(endpoint):
    """Clients for S3 and CodePipeline."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint), session.client("codepipeline", endpoint_url=endpoint)


class Emulator(Process):
    """An emulator with the action type and the buckets of the tests."""

    def __init__(self, folder, *flags):
        flags = ["--port", "0", "--verbose", "--continuation-delay", "0s", "--source-poll", "never", *flags]
        super().__init__(["target/debug/codepipeline-local", "serve", *flags], folder)
        self.endpoint = self.find(r"(http://127\.0\.0\.1:\d+)\n")[1]
        self.s3, self.codepipeline = clients(self.endpoint)
        self.s3.create_bucket(Bucket="sources")
        self.s3.put_bucket_versioning(Bucket="sources", VersioningConfiguration={"Status": "Enabled"})
        names = {"Steps": False, "Seconds": False, "MaxBytes": False, "ApiToken": True}
        self.codepipeline.create_custom_action_type(
            **TYPE,
            configurationProperties=[
                {"name": name, "required": False, "key": False, "secret": secret} for name, secret in names.items()
            ],
            inputArtifactDetails={"minimumCount": 1, "maximumCount": 1},
            outputArtifactDetails={"minimumCount": 0, "maximumCount": 1},
        )

    def run(self, name, files, key=True, **configuration):
        """Creates a pipeline, which starts at once. `files` are the entries of its source: names and contents."""
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as zip_file:
            for entry, content in files.items():
                zip_file.writestr(entry, content)
        self.s3.put_object(Bucket="sources", Key=name, Body=archive.getvalue())
        store = {"type": "S3", "location": f"artifacts-{name}", **({"encryptionKey": {"id": KEY, "type": "KMS"}} if key else {})}
        source = {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"}
        stages = [
            action("Source", source, {"S3Bucket": "sources", "S3ObjectKey": name}, outputs=["Source"]),
            action("Test", {**TYPE, "owner": "Custom"}, {"ApiToken": SECRET, **configuration}, ["Source"], ["Inventory"]),
        ]
        role = "arn:aws:iam::123456789012:role/any"
        self.codepipeline.create_pipeline(pipeline={"name": name, "roleArn": role, "artifactStore": store, "stages": stages})

    def execution(self, name):
        """The execution of the pipeline's own action."""
        found = self.codepipeline.list_action_executions(pipelineName=name)["actionExecutionDetails"]
        return next((action for action in found if action["actionName"] == "Test"), None)

    def ended(self, name, worker):
        """Waits until the pipeline's own action has ended."""

        def end():
            execution = self.execution(name)
            return execution if execution and execution["status"] != "InProgress" else None

        return wait(end, f"the action of {name} did not end", worker, self)

    def calls(self, operation):
        return len(re.findall(rf"\b{operation}\b", self.text()))


def action(name, action_type, configuration, inputs=(), outputs=()):
    artifacts = {"inputArtifacts": [{"name": each} for each in inputs], "outputArtifacts": [{"name": each} for each in outputs]}
    return {"name": name, "actions": [{"name": name, "actionTypeId": action_type, "configuration": configuration, **artifacts}]}


def start_worker(command, folder, emulator, **environment):
    temporary = Path(tempfile.mkdtemp(dir=folder))
    variables = {"AWS_ENDPOINT_URL": emulator.endpoint, "TMPDIR": str(temporary), "POLL_SECONDS": "0.2", **environment}
    worker = Process(command, tempfile.mkdtemp(dir=folder), **variables)
    worker.temporary = temporary
    return worker


def show(execution):
    return json.dumps(execution, default=str, indent=1)
