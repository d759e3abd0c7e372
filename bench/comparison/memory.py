"""The worker's peak of memory: one artifact of 700 MB and one of 5 GB, and four jobs at once in one process."""

import shutil

from .bench import most

ARTIFACTS = {"700 MB": ("large", 1), "5 GB": ("large-5000", 1), "four jobs": ("large-185", 4)}


def measure(bench, _name):
    return {label: peaks(bench, name, jobs) for label, (name, jobs) in ARTIFACTS.items()}


def peaks(bench, name, jobs):
    folder = bench.input(name)
    into = [bench.scratch / f"into{job}" for job in range(jobs)]
    with bench.emulator() as (endpoint, _, _):
        out = bench.run([bench.bench, "out", *(f"object{job}={folder}" for job in range(jobs))], endpoint)
        # Only a few of these inputs fit into memory.
        bench.remove_input(name)
        for path in into:
            path.mkdir()
        back = bench.run([bench.bench, "in", *(f"object{job}={path}" for job, path in enumerate(into))], endpoint)
        for path in into:
            shutil.rmtree(path)
    return {"in": most([back]), "out": most([out]), "seconds": {"in": back["seconds"], "out": out["seconds"]}}
