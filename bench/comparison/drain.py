"""How fast a queue of jobs drains, while each response of CodePipeline and S3 takes 20 ms."""

import base64
import json
import time

from .bench import median
from .runtime_api import log_of, peak_kib, runtime_api, worker

TYPE = {"category": "Test", "provider": "Drain", "version": "1"}
ACTION_TYPE = {**TYPE, "owner": "Custom"}
DELAYS = [flag for service in ("codepipeline", "s3") for flag in ("--fault", f"{service}:*:*:delay-answer=20ms")]
NONE = {"minimumCount": 0, "maximumCount": 0}
PIPELINES = 4
RUNS = 3
KEY = "whsec_" + base64.b64encode(b"bench" * 6).decode()


def compare(bench, _name):
    kinds = {"commands": ("command", {}), "http": ("http", {"CONCURRENCY": "64"})}
    return {label: compare_kind(bench, *kind) for label, kind in kinds.items()}


def compare_kind(bench, kind, variables):
    jobs = 8 if bench.smoke else 100
    with bench.background([bench.bench, "service"]) as line:
        url = json.loads(line)["url"]
        results = bench.in_turn(
            lambda: ours(bench, kind, url, jobs, variables),
            lambda: peer(bench, kind, url, jobs),
            min(bench.runs, RUNS),
        )
    return {side: {"msPerJob": median(runs) * 1000 / jobs, "peakKib": median(runs, "peakKib")} for side, runs in results.items()} | {
        "invocations": max(run["invocations"] for run in results["ours"])
    }


def ours(bench, kind, url, jobs, variables):
    run = {"command": ["true"]} if kind == "command" else {"http": {"url": url, "secretVariable": "WEBHOOK_KEY"}}
    actions = json.dumps([{"actionType": ACTION_TYPE, "timeoutSeconds": 60, "run": run}])
    with bench.emulator(*DELAYS) as (endpoint, s3, codepipeline), runtime_api() as api:
        s3.create_bucket(Bucket="ledger")
        queue_jobs(s3, codepipeline, jobs)
        variables = {"ACTIONS": actions, "LEDGER_BUCKET": "ledger", "WEBHOOK_KEY": KEY, **variables}
        with worker(bench, api, endpoint, **variables) as process:
            seconds = succeeded = invocations = 0
            while succeeded < jobs:
                summary, took = api.invoke()
                if not summary.get("succeeded"):
                    raise AssertionError(f"{succeeded} of {jobs} jobs succeeded; then the worker found none: {log_of(bench)}")
                seconds, succeeded, invocations = seconds + took, succeeded + summary["succeeded"], invocations + 1
            return {"seconds": seconds, "invocations": invocations, "peakKib": peak_kib(process.pid)}


def peer(bench, kind, url, jobs):
    with bench.emulator(*DELAYS) as (endpoint, s3, codepipeline):
        queue_jobs(s3, codepipeline, jobs)
        result = bench.run(bench.peer("drain", kind, *([url] if kind == "http" else [])), endpoint)
        ended = count(codepipeline, "Succeeded")
        if ended != jobs:
            raise AssertionError(f"the peer ended {ended} of {jobs} jobs")
        return result


def queue_jobs(s3, codepipeline, jobs):
    """Starts pipelines with many actions in parallel, and waits until CodePipeline offers all their jobs."""
    s3.create_bucket(Bucket="sources")
    s3.put_bucket_versioning(Bucket="sources", VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket="sources", Key="source.zip", Body=b"PK\5\6" + bytes(18))
    codepipeline.create_custom_action_type(**TYPE, inputArtifactDetails=NONE, outputArtifactDetails=NONE)
    source = {
        "name": "Source",
        "actionTypeId": {"category": "Source", "owner": "AWS", "provider": "S3", "version": "1"},
        "configuration": {"S3Bucket": "sources", "S3ObjectKey": "source.zip"},
        "outputArtifacts": [{"name": "Source"}],
    }
    actions = [{"name": f"Action{number}", "actionTypeId": ACTION_TYPE} for number in range(jobs // PIPELINES)]
    stages = [{"name": "Source", "actions": [source]}, {"name": "Test", "actions": actions}]
    for number in range(PIPELINES):
        store = {"type": "S3", "location": "artifacts"}
        pipeline = {"name": f"drain{number}", "roleArn": "arn:aws:iam::123456789012:role/any", "artifactStore": store}
        codepipeline.create_pipeline(pipeline={**pipeline, "stages": stages})
    deadline = time.monotonic() + 60
    while count(codepipeline, "InProgress") < jobs:
        if time.monotonic() > deadline:
            raise AssertionError("the pipelines did not offer their jobs")


def count(codepipeline, status):
    """The actions of the second stages with that status."""
    stages = (codepipeline.get_pipeline_state(name=f"drain{number}")["stageStates"][1] for number in range(PIPELINES))
    states = [action.get("latestExecution", {}).get("status") for stage in stages for action in stage["actionStates"]]
    return states.count(status)
