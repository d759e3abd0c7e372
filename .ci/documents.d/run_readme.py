"""Runs the `sh` blocks of README.md, in order, in one bash.

The info string says what a block needs:
- `sh`             runs, and must end with exit code 0;
- `sh background`  runs until the last block has ended, after its first line of output;
- `sh no-run`      does not run, because it needs an AWS account.

.ci/run runs all tests already. So a block that does nothing else is only compared with .ci/run."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import markdown

AWSCLI = "awscli==1.45.11"
PATIENCE = 1800


def main():
    scratch = tempfile.mkdtemp(prefix="documents-")
    running = []
    try:
        install_aws(scratch)
        state = Path(scratch, "state")
        for block in markdown.read(Path("README.md")).blocks:
            words = block.info.split(" ")
            if words[0] != "sh" or "no-run" in words:
                continue
            if block.text.strip() == "cargo test --workspace":
                is_a_step_of_ci_run(block)
                continue
            print(f"README.md:{block.line}: {block.text.strip()}", flush=True)
            if "background" in words:
                running.append(start(block))
            else:
                run(block, state)
    finally:
        for process in running:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()
        shutil.rmtree(scratch)
    print("every block of README.md that can run has run")


def install_aws(scratch):
    if shutil.which("aws"):
        return
    target = Path(scratch, "python")
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(target), AWSCLI]
    subprocess.run([sys.executable, *pip], check=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
    os.environ["PATH"] = f"{target / 'bin'}:{os.environ['PATH']}"
    os.environ["PYTHONPATH"] = str(target)


def is_a_step_of_ci_run(block):
    """Tests run once: as a step of .ci/run, which may add options to the command."""
    if not re.search(r"cargo (test|nextest run)\b.*--workspace", Path(".ci/run").read_text("utf-8")):
        raise SystemExit(f"README.md:{block.line}: .ci/run no longer runs `{block.text.strip()}`")


def run(block, state):
    """Runs a block after the variables that earlier blocks exported."""
    script = f"set -euo pipefail; [[ ! -e {state} ]] || source {state}\n{block.text}\nexport -p > {state}\n"
    ended = subprocess.run(["bash", "-c", script], timeout=PATIENCE)
    if ended.returncode:
        raise SystemExit(f"README.md:{block.line}: this block ended with exit code {ended.returncode}")


def start(block):
    """Starts a block in a process group of its own, and waits for its first line of output."""
    process = subprocess.Popen(["bash", "-c", block.text], stdout=subprocess.PIPE, text=True, start_new_session=True)
    if not process.stdout.readline():
        raise SystemExit(f"README.md:{block.line}: this block ended without output")
    return process


main()
