"""Writes archives with every tool, and unpacks each with the reference tool: `generate.py FOLDER`.

Prints a line of JSON for each archive. The test removes the archive's folder. SEEDS is the number of random trees.
ONLY is a regular expression: only archives with a matching name are written.
"""

import json
import os
import random
import re
import subprocess
import sys
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import field
import tar_by_hand
import tar_tools
import trees
import zip_by_hand
import zip_tools
from cases import ENVIRONMENT, Case, carry_out

# The number of ways, of all ways to write an archive, that each random tree is written in.
CASES_OF_A_SEED = 14
SEEDS = int(os.environ.get("SEEDS", "40"))
STARTED = time.time() - 1


@dataclass
class Tree:
    name: str
    folder: Path


def make_trees(makers, scratch):
    made = []
    for maker in makers:
        folder = scratch / "trees" / maker.__name__
        folder.mkdir(parents=True)
        maker(os.fsencode(folder))
        age(os.fsencode(folder))
        made.append(Tree(maker.__name__, folder))
    return made


def age(root):
    """Gives each new file a different time, so that a lost time shows."""
    for folder, folders, files in os.walk(root, topdown=False):
        for name in [*folders, *files, b"."]:
            path = os.path.join(folder, name)
            if STARTED < os.lstat(path).st_mtime < STARTED + 3600:
                old = 1_000_000_000 + zlib.crc32(name) % 600_000_000
                os.utime(path, (old, old), follow_symlinks=False)


def all_cases(fixed, by_chance, java):
    for tree in fixed:
        yield from tar_tools.cases(tree)
        # The tools differ in their support for pipes and sockets, and some wait for a writer.
        if tree.name != "special":
            yield from zip_tools.cases(tree, java)
    for seed, tree in enumerate(by_chance):
        yield from random.Random(seed).sample([*tar_tools.cases(tree), *zip_tools.cases(tree, java)], CASES_OF_A_SEED)
    yield Case("java with 65,600 entries", "java", "zip", zip_tools.from_java(java, "numbered"), tree="numbered")
    yield from tar_by_hand.cases()
    yield from zip_by_hand.cases()
    yield from field.cases()


def main():
    scratch = Path(sys.argv[1])
    os.umask(0o022)
    fixed = make_trees(trees.FIXED, scratch)
    by_chance = make_trees([trees.by_chance(seed) for seed in range(SEEDS)], scratch)
    java = scratch / "java"
    java.mkdir()
    chosen = [case for case in all_cases(fixed, by_chance, java) if re.search(os.environ.get("ONLY", ""), case.name)]
    if any(case.tool in ("jar", "java") for case in chosen):
        pack_with_java(java, [tree.folder for tree in fixed + by_chance if tree.name != "special"])
    with ThreadPoolExecutor(2) as pool:
        for done in pool.map(lambda item: carry_out(item[1], scratch / str(item[0])), enumerate(chosen)):
            print(json.dumps(done), flush=True)


def pack_with_java(output, folders):
    """Runs Java once, because it starts slowly. It prints the files that it can't pack, such as names that are not UTF-8."""
    program = Path(__file__).with_name("Jars.java")
    subprocess.run(["java", program, output, *folders], env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)


main()
