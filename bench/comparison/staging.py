"""Stages an input in and out, ours and the peer in turn, and measures the compression alone."""

import filecmp
import os
import shutil
import sys
from pathlib import Path

from .bench import median, most

# The compression alone varies less than the staging.
RUNS_ALONE = 3


def compare(bench, name):
    folder, archive = bench.input(name), bench.zip(name)
    into = bench.scratch / "into"
    with bench.emulator() as (endpoint, s3, _):
        s3.upload_file(str(archive), "artifacts", "input", ExtraArgs={"ServerSideEncryption": "aws:kms"})
        out = bench.in_turn(
            lambda: bench.run([bench.bench, "out", f"ours={folder}"], endpoint),
            lambda: bench.run(bench.peer("out", "peer", str(folder)), endpoint),
        )
        zips = {key: s3.head_object(Bucket="artifacts", Key=key)["ContentLength"] for key in ("ours", "peer")}

        def stage_in(command):
            into.mkdir()
            result = bench.run(command, endpoint)
            # Outside of the measured time, and once for each command, because it takes seconds.
            if command not in checked:
                same(folder, into)
                checked.append(command)
            shutil.rmtree(into)
            return result

        checked = []
        ours = lambda key: stage_in([bench.bench, "in", f"{key}={into}"])
        peer = lambda key: stage_in(bench.peer("in", key, str(into)))
        ours("peer"), peer("ours")
        ins = bench.in_turn(lambda: ours("input"), lambda: peer("input"))
    runs = min(bench.runs, RUNS_ALONE)
    alone = {
        "in": median([bench.run([bench.bench, "inflate", archive]) for _ in range(runs)]),
        "out": median([bench.run([bench.bench, "deflate", folder]) for _ in range(runs)]),
    }
    files = [path for path in folder.rglob("*") if path.is_file()]
    input_size = {"files": len(files), "bytes": sum(path.stat().st_size for path in files), "zip": archive.stat().st_size}
    bench.remove_input(name)
    return {
        "input": input_size,
        "zips": zips,
        "in": summary(ins, alone["in"]),
        "out": summary(out, alone["out"]),
    }


def summary(results, alone):
    side = lambda runs: {"seconds": median(runs), "cpu": median(runs, "cpu"), "peakKib": most(runs)}
    return {"ours": side(results["ours"]), "peer": side(results["peer"]), "alone": alone}


def same(expected, found):
    """Ends the comparison unless both folders have the same files."""
    names = lambda folder: sorted(Path(path, file).relative_to(folder) for path, _, files in os.walk(folder) for file in files)
    expected_names = names(expected)
    if names(found) != expected_names:
        sys.exit(f"{found} has other files than {expected}")
    _, different, unreadable = filecmp.cmpfiles(expected, found, expected_names, shallow=False)
    if different or unreadable:
        sys.exit(f"{found} has other content than {expected}: {(different + unreadable)[:3]}")
