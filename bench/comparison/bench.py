"""What every part of the comparison needs: the programs, the inputs, the emulator, and processes that are measured."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

BOTO3 = "boto3==1.44.8"
PACKAGES = ["bench", "codepipeline-local", "codepipeline-worker"]
ACCESS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1", "AWS_REGION": "us-east-1"}


class Bench:
    def __init__(self, root, scratch, options):
        self.root, self.scratch, self.smoke = root, scratch, options.smoke
        self.one_core = options.cores == 1
        # Half of the machine's cores busy with other work would already spoil the times.
        self.load = os.getloadavg()[0]
        self.runs = 1 if options.smoke else options.runs
        packages = [argument for package in PACKAGES for argument in ("--package", package)]
        # A smoke run uses the dependencies that the tests of `.ci/run` have compiled.
        built = ["--workspace"] if options.smoke else ["--release", *packages]
        subprocess.run(["cargo", "build", "--locked", "--quiet", "--bins", *built], cwd=root, check=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", root / "target"))
        self.programs = target / ("debug" if options.smoke else "release")
        self.bench = self.programs / "bench"
        self.install()

    def install(self):
        """--target instead of a virtual environment, as in .ci/run."""
        self.python = self.scratch / "python"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(self.python), BOTO3]
        installed = subprocess.run(pip, capture_output=True, text=True, env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"})
        if installed.returncode:
            sys.exit(installed.stderr)
        sys.path.insert(0, str(self.python))

    def peer(self, *arguments):
        return [sys.executable, str(self.root / "bench/peer/worker.py"), *arguments]

    def input(self, name):
        """The folder of an input. A smoke run makes a tiny one in place of each."""
        folder = self.scratch / "inputs" / name
        if not folder.exists():
            made = ("tiny-large" if name.startswith("large") else f"tiny-{name}") if self.smoke else name
            self.run([self.bench, "inputs", made, folder], measured=False)
        return folder

    def zip(self, name):
        """The input as a zip that Python has made, which both sides unpack."""
        archive = self.scratch / "inputs" / f"{name}.zip"
        if not archive.exists():
            self.run(self.peer("zip", str(self.input(name)), str(archive)), measured=False)
        return archive

    def remove_input(self, name):
        shutil.rmtree(self.scratch / "inputs" / name, ignore_errors=True)
        (self.scratch / "inputs" / f"{name}.zip").unlink(missing_ok=True)

    def environment(self, endpoint=None, **more):
        """No variable of the user's own may change what is measured."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        own = {"PYTHONPATH": str(self.python), "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.scratch)}
        return {**kept, **ACCESS, **own, **({"AWS_ENDPOINT_URL": endpoint} if endpoint else {}), **more}

    def command(self, command, measured=True):
        """On one core, what is measured has the first core for itself. The emulator has the second one, if there is one."""
        command = [str(word) for word in command]
        if not self.one_core:
            return command
        core = 0 if measured or os.cpu_count() == 1 else 1
        return ["taskset", "-c", str(core), *command]

    def run(self, command, endpoint=None, measured=True):
        """Runs a command in a process of its own. Returns what it printed, and its processor time."""
        process = subprocess.Popen(self.command(command, measured), stdout=subprocess.PIPE, env=self.environment(endpoint))
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode:
            sys.exit(f"this command failed: {command}")
        lines = text.decode().splitlines()
        return {**(json.loads(lines[-1]) if lines else {}), "cpu": usage.ru_utime + usage.ru_stime}

    @contextmanager
    def background(self, command, **variables):
        """A process that ends with the block. Yields its first line of output."""
        command = self.command(command, measured=False)
        with open(self.scratch / "background.log", "ab") as log:
            environment = self.environment(**variables)
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    @contextmanager
    def emulator(self, *flags):
        """codepipeline-local with its S3 in memory. Yields its endpoint and clients of S3 and CodePipeline."""
        import boto3

        folder = self.scratch / "emulator"
        folder.mkdir()
        serve = [self.programs / "codepipeline-local", "serve", "--port", "0", "--source-poll", "never", *flags]
        try:
            with self.background(serve, TMPDIR=str(folder)) as line:
                endpoint = line.split()[-1]
                session = boto3.Session("test", "test", region_name="us-east-1")
                s3 = session.client("s3", endpoint_url=endpoint)
                s3.create_bucket(Bucket="artifacts")
                yield endpoint, s3, session.client("codepipeline", endpoint_url=endpoint)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def in_turn(self, ours, peer, runs=None):
        """Runs both sides in turn, and changes who begins each time. Returns the results of each side."""
        sides = {"ours": ours, "peer": peer}
        results = {side: [] for side in sides}
        for number in range(runs or self.runs):
            for side in sorted(sides, reverse=number % 2 == 1):
                results[side].append(sides[side]())
        return results

    def machine(self):
        import boto3
        import zlib

        def line_of(path, name):
            lines = Path(path).read_text().splitlines()
            return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "unknown")

        output = lambda *command: subprocess.run(command, capture_output=True, text=True, cwd=self.root).stdout.strip()
        return {
            "processor": f"{os.cpu_count()} × {line_of('/proc/cpuinfo', 'model name')}",
            "memory": f"{int(line_of('/proc/meminfo', 'MemTotal').split()[0]) / 1e6:.0f} GB",
            "kernel": f"Linux {platform.release()}",
            "Rust": output("rustc", "--version").split()[1],
            "Python": f"{platform.python_version()} with zlib {zlib.ZLIB_RUNTIME_VERSION}",
            "boto3": boto3.__version__,
            "commit": output("git", "rev-parse", "--short", "HEAD"),
            "runs": self.runs,
            "load at the start": f"{self.load:.1f}",
        }

    def store(self, results):
        path = stored_path(self.root, 1 if self.one_core else None)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(results, indent=1))


def stored_path(root, cores):
    return root / "target/bench" / ("one-core.json" if cores == 1 else "all-cores.json")


def stored(root, cores):
    """The results of earlier runs."""
    path = stored_path(root, cores)
    return json.loads(path.read_text()) if path.exists() else {}


def median(results, member="seconds"):
    return statistics.median(result[member] for result in results)


def most(results, member="peakKib"):
    return max(result[member] for result in results)
