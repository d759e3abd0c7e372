"""A case: an archive that a tool writes, and what the reference tool unpacks it to."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
# -^ keeps control characters in names and -V keeps `;1` at their end, both of which unzip drops on its own. Two names could fall together then.
UNPACK = {"tar": ["tar", "--no-same-owner", "-xpf", "{archive}", "-C", "{into}"],
          "zip": ["unzip", "-o", "-q", "-^", "-V", "{archive}", "-d", "{into}"]}


@dataclass
class Case:
    """What the test compares. `make` writes the archive to the path that it gets."""

    name: str
    tool: str
    kind: str
    make: Callable[[Path], None]
    # Why the worker refuses what the reference tool unpacks.
    refused: str = ""
    # Writes the archive that the reference tool unpacks in place of this one, and why.
    instead: Callable[[Path], None] | None = None
    differs: str = ""
    tree: str = ""


class ToolFailed(Exception):
    pass


def run(*command, cwd=None, stdin=None, stdout=None):
    """Runs a tool. One that fails may have written an archive of what it could read, which is as good as any."""
    ended = subprocess.run(command, cwd=cwd, stdin=stdin or subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE,
                           env=ENVIRONMENT, timeout=300)
    if ended.returncode:
        raise ToolFailed(ended.stderr.decode(errors="replace"))


def shell(script, cwd, **variables):
    """Runs a pipe of tools. Variables are in the script's environment."""
    environment = {**ENVIRONMENT, **{name: str(value) for name, value in variables.items()}}
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, env=environment, timeout=300)
    if ended.returncode:
        raise ToolFailed(ended.stderr.decode(errors="replace"))


def carry_out(case, folder):
    """Makes the archive and the reference's tree in the folder. Returns what the test needs, or None if the tool wrote nothing."""
    folder.mkdir()
    archive, reference = folder / "archive", folder / "reference"
    reference.mkdir()
    try:
        case.make(archive)
        complaint = ""
    except (ToolFailed, OSError, ValueError, subprocess.TimeoutExpired) as failure:
        complaint = str(failure) or repr(failure)
    if not archive.exists() or archive.stat().st_size == 0:
        shutil.rmtree(folder)
        return {"name": case.name, "tool": case.tool, "unwritten": complaint}
    read = archive
    if case.instead:
        read = folder / "instead"
        case.instead(read)
    command = [part.format(archive=read, into=reference) for part in UNPACK[case.kind]]
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT, timeout=300)
    return {"name": case.name, "tool": case.tool, "tree": case.tree, "folder": str(folder), "exit": ended.returncode,
            "said": ended.stdout.decode(errors="replace")[-500:], "refused": case.refused, "differs": case.differs}
