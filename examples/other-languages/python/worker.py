"""A job worker for AWS CodePipeline: polls, acknowledges, runs the action and reports its result."""

import logging
import os
import random
import signal
import tempfile
import threading
import time
import traceback
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.exceptions import ConnectionError as NotConnected

from action import Continue, Failed, work
from artifacts import download, s3_client, upload

CATEGORY, PROVIDER, VERSION = os.environ.get("ACTION_TYPE", "Test/Inventory/1").split("/")
ACTION_TYPE = {"category": CATEGORY, "owner": "Custom", "provider": PROVIDER, "version": VERSION}
SECRETS = {"ApiToken"}  # the secret configuration keys of the action type
POLL_SECONDS = float(os.environ.get("POLL_SECONDS", "5"))
CLAIM_SECONDS = 20  # CodePipeline offers an unacknowledged job again after some 30 seconds
MAX_MESSAGE, MAX_SUMMARY, MAX_EXTERNAL_ID, MAX_TOKEN, MAX_VARIABLES = 5000, 2048, 1500, 2048, 122_880

TIMEOUTS = {"connect_timeout": 3, "read_timeout": 5}
CODEPIPELINE = boto3.client("codepipeline", config=Config(**TIMEOUTS, retries={"mode": "standard", "total_max_attempts": 10}))
# One try only, because the meaning of a refusal depends on whether an earlier try got no answer.
ONE_TRY = boto3.client("codepipeline", config=Config(**TIMEOUTS, retries={"total_max_attempts": 1}))
LOG = logging.getLogger("worker")
STOP = threading.Event()


def main():
    # INFO at most: at DEBUG, botocore logs whole requests and responses, with credentials in them.
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for stopping in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stopping, lambda *_: STOP.set())
    query = {"queryParam": {"Project": os.environ["PROJECT"]}} if "PROJECT" in os.environ else {}
    while not STOP.is_set():
        polled, jobs = time.monotonic(), []
        try:
            # A worker polls for no more than it can start at once.
            jobs = ONE_TRY.poll_for_jobs(actionTypeId=ACTION_TYPE, maxBatchSize=1, **query)["jobs"]
        except (ClientError, BotoCoreError) as error:
            LOG.warning("poll failed: %s", name_of(error))
        for job in jobs:
            if acknowledge(job, polled):
                run(job["id"], job["data"])
        if not jobs:
            STOP.wait(POLL_SECONDS * random.uniform(0.5, 1.5))


def acknowledge(job, polled):
    """Returns whether this worker has the job. If not, it must neither run the job nor report a result."""
    job_id, unanswered = job["id"], False
    while time.monotonic() < polled + CLAIM_SECONDS:
        try:
            status = ONE_TRY.acknowledge_job(jobId=job_id, nonce=job["nonce"])["status"]
            LOG.info("acknowledged job %s: %s", job_id, status)
            return status == "InProgress"
        except (ClientError, BotoCoreError) as error:
            if unanswered and name_of(error) == "InvalidNonceException":
                # CodePipeline has not offered the job again yet, so the try without an answer has taken effect.
                LOG.info("job %s belongs to this worker: the acknowledgement without an answer took effect", job_id)
                return True
            if refused(error):
                LOG.info("job %s belongs to another worker or has ended: %s", job_id, name_of(error))
                return False
            LOG.warning("could not acknowledge job %s: %s", job_id, name_of(error))
            throttled = isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] < 500
            # A request that never reached CodePipeline, or that it throttled, had no effect.
            unanswered = unanswered or not (throttled or isinstance(error, NotConnected))
        time.sleep(1)
    LOG.warning("left job %s: CodePipeline did not confirm the acknowledgement within %d s", job_id, CLAIM_SECONDS)
    return False


def run(job_id, data):
    """Runs a claimed job and reports exactly one result, also after an error."""
    configuration = data.get("actionConfiguration", {}).get("configuration", {})
    keys = data.get("artifactCredentials") or {}
    secrets = [value for key, value in configuration.items() if key in SECRETS] + list(keys.values())
    try:
        with tempfile.TemporaryDirectory(prefix="job-") as folder:
            result = staged(job_id, data, configuration, Path(folder), secrets)
        check(result, secrets)
    except Failed as failure:
        result = failure
    except ClientError as error:
        kind = "PermissionError" if name_of(error) in ("AccessDenied", "403") else "JobFailed"
        result = Failed(kind, f"{error.operation_name} failed: {name_of(error)}")
    except Exception as error:
        # The text of an unknown error may hold a secret. Its class and its place do not.
        LOG.error("job %s: %s\n%s", job_id, name_of(error), "".join(traceback.format_tb(error.__traceback__)))
        result = Failed("JobFailed", f"the worker met an unexpected {name_of(error)}; search its log for {job_id}")
    # The action's execution id is the same in each of its jobs.
    external_id = data.get("pipelineContext", {}).get("action", {}).get("actionExecutionId", job_id)
    report(job_id, external_id[:MAX_EXTERNAL_ID], result, secrets)


def staged(job_id, data, configuration, folder, secrets):
    """Stages the inputs in, does the work, and stages the outputs out after the last job."""

    def renewed():
        keys = renew(job_id)
        secrets.extend(keys.values())
        return keys

    # A job without artifacts has no credentials.
    s3 = s3_client(data["artifactCredentials"], renewed) if data.get("artifactCredentials") else None
    inputs, outputs = {}, {}
    for kind, artifacts, folders in (("in", "inputArtifacts", inputs), ("out", "outputArtifacts", outputs)):
        for artifact in data.get(artifacts, []):
            folders[artifact["name"]] = folder / kind / artifact["name"]
            folders[artifact["name"]].mkdir(parents=True)
    for artifact in data.get("inputArtifacts", []):
        download(s3, artifact, inputs[artifact["name"]], folder / "archive")
    result = work(configuration, inputs, outputs, data.get("continuationToken"))
    if not isinstance(result, Continue):
        for artifact in data.get("outputArtifacts", []):
            upload(s3, artifact, outputs[artifact["name"]], folder / "archive", data.get("encryptionKey"))
    return result


def renew(job_id):
    LOG.info("renewing the credentials of job %s", job_id)
    return CODEPIPELINE.get_job_details(jobId=job_id)["jobDetails"]["data"]["artifactCredentials"]


def check(result, secrets):
    """Data for later jobs and actions is never altered, so a secret or a broken limit in it fails the job."""
    data = {"the continuation token": result.token} if isinstance(result, Continue) else result.variables
    for name, value in data.items():
        if any(secret in value for secret in filter(None, secrets)):
            raise Failed("JobFailed", f"{name} holds a secret")
    if isinstance(result, Continue) and len(result.token) > MAX_TOKEN:
        raise Failed("JobFailed", f"the continuation token has {len(result.token)} characters; at most {MAX_TOKEN} are allowed")
    size = sum(len(text.encode()) for variable in data.items() for text in variable)
    if size > MAX_VARIABLES:
        raise Failed("JobFailed", f"the output variables have {size} bytes; at most {MAX_VARIABLES} are allowed")


def report(job_id, external_id, result, secrets):
    """Sends the result until CodePipeline answers. A refusal after a lost answer means that the result has arrived."""

    def text(value, limit):
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            value = value.replace(secret, "****")
        # The limit in UTF-16, which is never more than in characters.
        return value.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore") or "no message"

    details = {"externalExecutionId": external_id}
    try:
        if isinstance(result, Failed):
            failure = {"type": result.kind, "message": text(str(result), MAX_MESSAGE), **details}
            CODEPIPELINE.put_job_failure_result(jobId=job_id, failureDetails=failure)
        elif isinstance(result, Continue):
            details["percentComplete"] = result.percent
            CODEPIPELINE.put_job_success_result(jobId=job_id, continuationToken=result.token, executionDetails=details)
        else:
            details.update(summary=text(result.summary, MAX_SUMMARY), percentComplete=100)
            # An empty map is not sent: AWS does not say whether it accepts one.
            variables = {"outputVariables": result.variables} if result.variables else {}
            CODEPIPELINE.put_job_success_result(jobId=job_id, executionDetails=details, **variables)
        LOG.info("reported job %s: %s", job_id, type(result).__name__)
    except (ClientError, BotoCoreError) as error:
        code = name_of(error)
        if code in ("InvalidJobStateException", "JobNotFoundException"):
            LOG.info("job %s had ended before this report arrived: %s", job_id, code)
        elif refused(error) and not isinstance(result, Failed):
            report(job_id, external_id, Failed("JobFailed", f"CodePipeline refused the result: {code}"), secrets)
        else:
            LOG.error("could not report job %s: %s", job_id, code)


def refused(error):
    """Whether CodePipeline, or the SDK, refused the request for good."""
    if isinstance(error, ClientError):
        return error.response["ResponseMetadata"]["HTTPStatusCode"] < 500 and "Throttling" not in name_of(error)
    return isinstance(error, ParamValidationError)


def name_of(error):
    """The code or class of an error. Its message may quote what must not be in a log."""
    return error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__


if __name__ == "__main__":
    main()
