"""Runs a worker, whose command the arguments are, against codepipeline-local, and checks what it does."""

import hashlib
import io
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from emulator import KEY, SECRET, Emulator, show, start_worker, wait

FILES = {"README": b"read me", "src/main.c": b"int main() {}\n" * 1000}


def main(command):
    for scenario in (succeeds, fails, loses_answers, renews_credentials, loses_the_race):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="languages-") as folder:
            scenario(command, folder)
        print(f"{scenario.__name__}: {time.monotonic() - began:.1f} s", flush=True)


def succeeds(command, folder):
    """Three jobs of one action, an output artifact with the pipeline's key and one without, and a clean end."""
    with Emulator(folder) as emulator, start_worker(command, folder, emulator) as worker:
        for name in ("key", "no-key"):
            emulator.run(name, FILES, key=name == "key", Steps="3")
            execution = emulator.ended(name, worker)
            output = execution["output"]
            expect(execution["status"], "Succeeded", show(execution), worker.text())
            expect(output["outputVariables"], {"Files": "2"})
            expect(output["executionResult"]["externalExecutionSummary"], "listed 2 files")
            expect(output["executionResult"]["externalExecutionId"], execution["actionExecutionId"])
            place = output["outputArtifacts"][0]["s3location"]
            stored = emulator.s3.get_object(Bucket=place["bucket"], Key=place["key"])
            expect(stored["ServerSideEncryption"], "aws:kms")
            if name == "key":
                expect(stored["SSEKMSKeyId"], KEY)
            archive = zipfile.ZipFile(io.BytesIO(stored["Body"].read()))
            expect(archive.namelist(), ["inventory.txt"])
            lines = "".join(f"{hashlib.sha256(content).hexdigest()}  {file}\n" for file, content in FILES.items())
            expect(archive.read("inventory.txt").decode(), lines)
        expect(emulator.calls("AcknowledgeJob"), 6)
        expect(emulator.calls("PutJobSuccessResult"), 6)
    ended_cleanly(worker)


def fails(command, folder):
    """A failure of the action, wrong configuration, hostile archives: the message says it, within its limits and without secrets."""
    link = zipfile.ZipInfo("link")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    many = {f"{'folder/' * 10}{number:03}-{SECRET}": b"xx" for number in range(100)}
    cases = {
        "large": (many, {"MaxBytes": "1"}, "JobFailed", "these files have more than 1 bytes"),
        "configuration": (FILES, {"Steps": "many"}, "ConfigurationError", "Steps must be a whole number"),
        "outside": ({"../../escaped": b"x"}, {}, "JobFailed", "../../escaped"),
        "absolute": ({f"{folder}/escaped": b"x"}, {}, "JobFailed", "escaped"),
        "link": ({link: b"/etc/passwd"}, {}, "JobFailed", "neither a file nor a folder: link"),
    }
    with Emulator(folder) as emulator, start_worker(command, folder, emulator) as worker:
        for name, (files, configuration, code, text) in cases.items():
            emulator.run(name, files, **configuration)
            execution = emulator.ended(name, worker)
            details = execution["output"]["executionResult"]["errorDetails"]
            expect((execution["status"], details["code"]), ("Failed", code), show(execution), worker.text())
            if text not in details["message"] or SECRET in details["message"]:
                raise AssertionError(f"{name}: {details['message']}")
            if name == "large":
                expect(len(details["message"]), 5000)
                expect("****" in details["message"], True)
        expect(list(Path(folder).rglob("escaped")), [])
        expect(emulator.calls("PutJobFailureResult"), len(cases))
    ended_cleanly(worker)


def loses_answers(command, folder):
    """The answers of an acknowledgement and of a result are lost. The job runs once and ends."""
    faults = ["--fault", "AcknowledgeJob:1:stall-answer", "--fault", "PutJobSuccessResult:1:lose-answer"]
    with Emulator(folder, *faults) as emulator, start_worker(command, folder, emulator) as worker:
        emulator.run("lost", FILES)
        expect(emulator.ended("lost", worker)["status"], "Succeeded")
        worker.find("the acknowledgement without an answer took effect")
        worker.find("had ended before this report arrived: InvalidJobStateException")
        expect(emulator.calls("PutJobFailureResult"), 0)
    ended_cleanly(worker)


def renews_credentials(command, folder):
    """The work takes longer than the credentials live, and the upload still succeeds."""
    with Emulator(folder, "--credential-life", "5s") as emulator:
        with start_worker(command, folder, emulator, CREDENTIAL_SECONDS="5") as worker:
            emulator.run("long", FILES, Seconds="6")
            execution = emulator.ended("long", worker)
            expect(execution["status"], "Succeeded", show(execution), worker.text())
            worker.find("renewing the credentials")
    ended_cleanly(worker)


def loses_the_race(command, folder):
    """Another worker acknowledges the job first. The worker of the test runs nothing and reports nothing."""
    flags = ["--keep-nonce", "--reoffer-delay", "0s", "--fault", "AcknowledgeJob:1:delay=3s"]
    with Emulator(folder, *flags) as emulator:
        emulator.run("race", FILES)
        api, action_type = emulator.codepipeline, {"category": "Test", "owner": "Custom", "provider": "Inventory", "version": "1"}
        poll = lambda: api.poll_for_jobs(actionTypeId=action_type, maxBatchSize=1)["jobs"]
        job = wait(poll, "the pipeline offered no job", emulator)[0]
        with start_worker(command, folder, emulator) as worker:
            # The fault holds the worker's acknowledgement until the test has acknowledged.
            emulator.find("fault.*AcknowledgeJob|AcknowledgeJob.*(fault|delay)")
            expect(api.acknowledge_job(jobId=job["id"], nonce=job["nonce"])["status"], "InProgress")
            worker.find("belongs to another worker or has ended: InvalidNonceException")
            expect(emulator.execution("race")["status"], "InProgress")
            api.put_job_success_result(jobId=job["id"])
            expect(emulator.ended("race", worker)["status"], "Succeeded")
        expect(emulator.calls("PutJobSuccessResult") + emulator.calls("PutJobFailureResult"), 1)
    ended_cleanly(worker)


def ended_cleanly(worker):
    """The worker ended after SIGTERM, left no files and logged no secret."""
    expect(worker.code, 0, worker.text())
    expect(list(worker.temporary.iterdir()), [])
    for secret in (SECRET, "continuationToken", "sessionToken", "secretAccessKey"):
        expect(secret in worker.text(), False, worker.text())


def expect(found, wanted, *context):
    if found != wanted:
        raise AssertionError("\n".join([f"found {found!r}, expected {wanted!r}", *context]))


main(sys.argv[1:])
