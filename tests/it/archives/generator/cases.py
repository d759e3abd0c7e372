"""A case: an archive that a tool writes, and the tree to which the reference tool unpacks it."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
# -^ keeps control characters in names, and -V keeps `;1` at their end. Without them, two names could become the same.
UNPACK = {"tar": ["tar", "--no-same-owner", "-xpf", "{archive}", "-C", "{into}"],
          "zip": ["unzip", "-o", "-q", "-^", "-V", "{archive}", "-d", "{into}"]}


@dataclass
class Case:
    """An archive to compare. `make` writes it to a path."""

    name: str
    tool: str
    kind: str
    make: Callable[[Path], None]
    # The reason if the worker refuses an archive that the reference tool unpacks.
    refused: str = ""
    # Writes a different archive for the reference tool, and gives the reason.
    instead: Callable[[Path], None] | None = None
    differs: str = ""
    tree: str = ""


class ToolFailed(Exception):
    pass


def run(*command, cwd=None, stdin=None, stdout=None):
    """Runs a tool. A tool that fails may still have written a valid archive of the files that it could read."""
    ended = subprocess.run(command, cwd=cwd, stdin=stdin or subprocess.DEVNULL, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.PIPE,
                           env=ENVIRONMENT, timeout=300)
    if ended.returncode:
        raise ToolFailed(ended.stderr.decode(errors="replace"))


def shell(script, cwd, **variables):
    """Runs a pipeline of tools. The variables are in the script's environment."""
    environment = {**ENVIRONMENT, **{name: str(value) for name, value in variables.items()}}
    ended = subprocess.run(["bash", "-o", "pipefail", "-c", script], cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, env=environment, timeout=300)
    if ended.returncode:
        raise ToolFailed(ended.stderr.decode(errors="replace"))


def carry_out(case, folder):
    """Writes the archive and the reference tree to the folder. Returns the description for the test, or None if the tool wrote nothing."""
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
            "output": ended.stdout.decode(errors="replace")[-500:], "refused": case.refused, "differs": case.differs}
