"""A Python worker's way, the peer of the comparison: boto3, zipfile and shutil with their defaults.

    worker.py zip FOLDER ZIP        makes an input of the comparison
    worker.py in KEY FOLDER         downloads and unpacks
    worker.py out KEY FOLDER        packs and uploads
    worker.py drain command         runs jobs until a poll returns none
    worker.py drain http URL        the same, with a request to a service for each job
    worker.py start                 polls once

Prints one line of JSON. The time begins when the client exists."""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile

ACTION_TYPE = {"category": "Test", "owner": "Custom", "provider": "Drain", "version": "1"}


def main(command, *arguments):
    if command == "zip":
        folder, archive = arguments
        shutil.make_archive(archive.removesuffix(".zip"), "zip", folder)
        return {}
    # The import takes a third of a second. The comparison counts it only for the start.
    import boto3

    if command in ("in", "out"):
        s3 = boto3.client("s3")
        began = time.monotonic()
        {"in": stage_in, "out": stage_out}[command](s3, *arguments)
    else:
        codepipeline = boto3.client("codepipeline")
        began = time.monotonic()
        if command == "start":
            codepipeline.poll_for_jobs(actionTypeId=ACTION_TYPE, maxBatchSize=1)
        else:
            drain(codepipeline, *arguments)
    return {"seconds": time.monotonic() - began, "peakKib": peak_kib()}


def stage_in(s3, key, folder):
    archive = f"{folder}.download"
    s3.download_file("artifacts", key, archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder)
    os.remove(archive)


def stage_out(s3, key, folder):
    archive = shutil.make_archive(f"{folder}.upload", "zip", folder)
    s3.upload_file(archive, "artifacts", key, ExtraArgs={"ServerSideEncryption": "aws:kms"})
    os.remove(archive)


def drain(codepipeline, kind, url=None):
    while jobs := codepipeline.poll_for_jobs(actionTypeId=ACTION_TYPE, maxBatchSize=10)["jobs"]:
        for job in jobs:
            codepipeline.acknowledge_job(jobId=job["id"], nonce=job["nonce"])
            if kind == "command":
                subprocess.run(["true"], check=True)
            else:
                body = json.dumps({"jobId": job["id"], "configuration": {}}).encode()
                urllib.request.urlopen(urllib.request.Request(url, body, {"Content-Type": "application/json"})).close()
            codepipeline.put_job_success_result(jobId=job["id"])


def peak_kib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
