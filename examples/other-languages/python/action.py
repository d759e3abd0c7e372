"""The action that worker.py runs. Replace `work` with your own."""

import hashlib
import time
from dataclasses import dataclass, field


class Failed(Exception):
    """Ends the action with a failure. `kind` is one of the API's failure types, such as ConfigurationError."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


@dataclass
class Continue:
    """Ends this job. CodePipeline offers another job with the token to the workers of the type."""

    token: str
    percent: int


@dataclass
class Finished:
    summary: str
    variables: dict = field(default_factory=dict)


def work(configuration, inputs, outputs, token):
    """The action: lists the files of the first input in `inventory.txt` of each output, in as many jobs as `Steps` says."""
    steps, step = number(configuration, "Steps", 1), int(token or 0) + 1
    time.sleep(number(configuration, "Seconds", 0))  # in place of work that takes time
    if step < steps:
        return Continue(token=str(step), percent=100 * step // steps)
    folder = next(iter(inputs.values()))
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    most = number(configuration, "MaxBytes", 1 << 30)
    large = [str(file.relative_to(folder)) for file in files if file.stat().st_size > most]
    if large:
        raise Failed("JobFailed", f"these files have more than {most} bytes: {', '.join(large)}")
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.relative_to(folder)}\n" for file in files]
    for output in outputs.values():
        (output / "inventory.txt").write_text("".join(lines), "utf-8")
    return Finished(f"listed {len(files)} files", {"Files": str(len(files))})


def number(configuration, key, default):
    value = configuration.get(key, str(default))
    if not (value.isascii() and value.isdigit()):
        raise Failed("ConfigurationError", f"{key} must be a whole number")
    return int(value)
