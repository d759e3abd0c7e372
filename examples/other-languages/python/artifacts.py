"""Artifacts: objects in S3, read and written with a job's credentials, and safe zip files."""

import logging
import os
import stat
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path, PurePosixPath

import boto3
import botocore.session
from botocore.credentials import CredentialProvider, CredentialResolver, RefreshableCredentials

from action import Failed

# How long a job's credentials are assumed to be valid. The API does not say it; 15 minutes is what AWS's own workers assume.
CREDENTIAL_SECONDS = float(os.environ.get("CREDENTIAL_SECONDS", "900"))
MAX_ENTRIES, MAX_UNPACKED = 100_000, 1 << 30
LOG = logging.getLogger("worker")


def s3_client(keys, renew):
    """An S3 client with the job's credentials. It calls `renew` shortly before they expire."""

    def metadata(keys):
        expiry = datetime.now(timezone.utc) + timedelta(seconds=CREDENTIAL_SECONDS)
        members = {"access_key": "accessKeyId", "secret_key": "secretAccessKey", "token": "sessionToken"}
        return {"expiry_time": expiry.isoformat(), **{name: keys[member] for name, member in members.items()}}

    class JobProvider(CredentialProvider):
        METHOD = "codepipeline-job"

        def load(self):
            margins = {"advisory_timeout": 120, "mandatory_timeout": 60}
            return RefreshableCredentials.create_from_metadata(
                metadata(keys), lambda: metadata(renew()), self.METHOD, **margins
            )

    session = botocore.session.Session()
    session.register_component("credential_provider", CredentialResolver([JobProvider()]))
    return boto3.Session(botocore_session=session).client("s3")


def download(s3, artifact, folder, archive):
    place = artifact["location"]["s3Location"]
    with open(archive, "wb") as file:
        s3.download_fileobj(place["bucketName"], place["objectKey"], file)
    unpack(archive, folder, artifact["name"])


def upload(s3, artifact, folder, archive, key):
    # An artifact store refuses uploads without SSE-KMS. Without a key of the pipeline, S3 takes the account's key aws/s3.
    encryption = {"ServerSideEncryption": "aws:kms", **({"SSEKMSKeyId": key["id"]} if key else {})}
    pack(folder, archive)
    place = artifact["location"]["s3Location"]
    with open(archive, "rb") as file:
        s3.upload_fileobj(file, place["bucketName"], place["objectKey"], ExtraArgs=encryption)


def unpack(archive, folder, name):
    """Unpacks a zip. Nothing is written outside the folder: links and names that lead out of it fail the job."""
    total = 0
    try:
        with zipfile.ZipFile(archive) as zip_file:
            entries = zip_file.infolist()
            if len(entries) > MAX_ENTRIES:
                raise Failed("JobFailed", f"artifact {name} has {len(entries)} entries; at most {MAX_ENTRIES} are allowed")
            for entry in entries:
                path, mode = PurePosixPath(entry.filename), entry.external_attr >> 16
                if path.is_absolute() or ".." in path.parts or "\\" in entry.filename or not path.parts:
                    raise Failed("JobFailed", f"artifact {name} has an entry whose path leaves the folder: {entry.filename}")
                if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise Failed("JobFailed", f"artifact {name} has an entry that is neither a file nor a folder: {entry.filename}")
                target = folder.joinpath(*path.parts)
                (target if entry.is_dir() else target.parent).mkdir(parents=True, exist_ok=True)
                if entry.is_dir():
                    continue
                with zip_file.open(entry) as source, open(target, "xb") as file:
                    while chunk := source.read(1 << 20):
                        total += len(chunk)
                        if total > MAX_UNPACKED:
                            raise Failed("JobFailed", f"artifact {name} unpacks to more than {MAX_UNPACKED} bytes")
                        file.write(chunk)
                target.chmod((mode & 0o777 or 0o644) | 0o600)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, FileExistsError, NotADirectoryError) as error:
        raise Failed("JobFailed", f"artifact {name} is not a zip that this worker can unpack: {type(error).__name__}") from None


def pack(folder, archive):
    """Packs a folder. It follows no link, because a link could lead to a file that must not leave the worker."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as zip_file:
        for root, folders, files in os.walk(folder):
            for path in sorted(Path(root, name) for name in folders + files):
                if path.is_symlink() or not (path.is_dir() or path.is_file()):
                    raise Failed("JobFailed", f"the output holds something that is neither a file nor a folder: {path.name}")
                zip_file.write(path, path.relative_to(folder))
