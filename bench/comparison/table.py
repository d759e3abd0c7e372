"""Writes the results as tables, with the targets and whether they are reached."""

# Written by hand below this line, and kept.
NOTES = "<!-- Notes: written by hand, and kept by bench/compare -->"
# The ratio to Python that is the target, on all cores and on one, and the ratio to the compression alone on all cores.
STAGING = {
    ("in", "small"): (6.5, 5, 1.4),
    ("in", "large"): (1.6, 1.4, 1.2),
    ("out", "small"): (5, 2.6, 1.3),
    ("out", "large"): (3.2, 1.7, 1.3),
    ("in", "mixed"): (4, None, 1.4),
    ("out", "mixed"): (4, None, 1.4),
}
PARTS = ("small", "large", "mixed")
MIB = {"700 MB": 96, "5 GB": 96, "four jobs": 160}
HTTP_MS = 6
ZIP_RATIO = 1.05


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells):
    return [row(*cells), "|" + "---|" * len(cells)]


def reached(value, limit, at_least=False):
    good = value >= limit if at_least else value <= limit
    return f"{'at least' if at_least else 'at most'} {limit:g}: {'reached' if good else '**not reached**'}"


def seconds(value):
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def mib(kib):
    return f"{kib / 1024:.0f} MiB"


def staging_rows(results, one_core):
    for direction in ("in", "out"):
        for name in PARTS:
            if name not in results:
                continue
            part, size = results[name][direction], results[name]["input"]
            ours, peer, alone = part["ours"], part["peer"], part["alone"]
            to_python, on_one, to_alone = STAGING[direction, name]
            python, library = peer["seconds"] / ours["seconds"], ours["seconds"] / alone
            target = on_one if one_core else to_python
            yield row(
                f"{direction}, {name}: {size['files']:,} files, {size['bytes'] / 1e6:.0f} MB",
                seconds(ours["seconds"]),
                seconds(peer["seconds"]),
                f"{python:.1f} ×",
                reached(python, target, at_least=True) if target else "",
                seconds(alone),
                f"{library:.2f} ×",
                "" if one_core else reached(library, to_alone),
                f"{seconds(ours['cpu'])} and {seconds(peer['cpu'])}",
                f"{mib(ours['peakKib'])} and {mib(peer['peakKib'])}",
            )


def staging_table(results, one_core):
    rows = list(staging_rows(results, one_core))
    names = ("", "ours", "Python", "Python / ours", "target", "compression alone", "ours / alone", "target")
    return [*head(*names, "processor time, ours and Python", "peak, ours and Python"), *rows] if rows else []


def zip_table(results):
    rows = []
    for name in PARTS:
        if name in results:
            zips = results[name]["zips"]
            ratio = zips["ours"] / zips["peer"]
            sizes = [f"{zips[side] / 1e6:.1f} MB" for side in ("ours", "peer")]
            rows.append(row(name, *sizes, f"{ratio:.3f} ×", reached(ratio, ZIP_RATIO)))
    return [*head("zip", "ours", "Python, zlib level 6", "ours / Python", "target"), *rows] if rows else []


def memory_table(results):
    rows = []
    for label, part in results.get("memory", {}).items():
        highest = max(part["in"], part["out"]) / 1024
        times = f"{seconds(part['seconds']['in'])} and {seconds(part['seconds']['out'])}"
        rows.append(row(label, mib(part["in"]), mib(part["out"]), times, reached(highest, MIB[label])))
    return [*head("peak of memory, ours", "in", "out", "time in and out", "target in MiB"), *rows] if rows else []


def drain_table(results):
    rows = []
    for label, part in results.get("drain", {}).items():
        ours, peer = part["ours"]["msPerJob"], part["peer"]["msPerJob"]
        name = {"commands": "100 commands of no length", "http": "100 http jobs, CONCURRENCY 64"}[label]
        target = reached(ours, HTTP_MS) if label == "http" else ""
        peaks = f"{mib(part['ours']['peakKib'])} and {mib(part['peer']['peakKib'])}"
        rows.append(row(name, f"{ours:.1f} ms", f"{peer:.1f} ms", f"{peer / ours:.1f} ×", part["invocations"], peaks, target))
    names = ("a job, with 20 ms for each API response", "ours", "Python", "Python / ours", "invocations", "peak, ours and Python")
    return [*head(*names, "target in ms"), *rows] if rows else []


def start_table(results):
    if "start" not in results:
        return []
    sides = [results["start"][side] for side in ("ours", "peer")]
    cells = [f"{side['seconds'] * 1000:.0f} ms, {mib(side['peakKib'])}" for side in sides]
    ratio = sides[1]["seconds"] / sides[0]["seconds"]
    return [*head("", "ours", "Python", "Python / ours"), row("start to first request, memory", *cells, f"{ratio:.0f} ×")]


def lines(name, result, one_core=False):
    """The tables of one part, for the terminal."""
    results = {name: result}
    return [line for table in tables(results, one_core) for line in [*table, ""]]


def tables(results, one_core):
    made = [staging_table(results, one_core), zip_table(results), memory_table(results), drain_table(results), start_table(results)]
    return [table for table in made if table]


def write(path, all_cores, one_core):
    """Writes the document. The notes after their line stay."""
    text = path.read_text("utf-8") if path.exists() else ""
    notes = text.partition(NOTES)[2]
    document = ["# Results of the comparison", "", *ABOUT.splitlines(), ""]
    for title, command, results in (
        ("On all cores", "bench/compare --markdown bench/RESULTS.md", all_cores),
        ("On one core", "bench/compare --cores 1 --markdown bench/RESULTS.md", one_core),
    ):
        if results:
            document += [f"## {title}", "", "```sh", command, "```", "", *machine(results["machine"]), ""]
            document += [line for table in tables(results, results is one_core) for line in [*table, ""]]
    path.write_text("\n".join([*document, NOTES]) + (notes or "\n"), "utf-8")


def machine(described):
    return [*head("machine", ""), *(row(name, value) for name, value in described.items())]


ABOUT = """\
`bench/compare` writes this page. [Testing](../docs/testing.md#benchmarks) explains how it measures.

- **ours**: the worker's own `stage_in` and `stage_out` in a process of their own, in the worker's release profile.
- **Python**: boto3's `download_file` and `upload_file`, `zipfile` and `shutil.make_archive`, with their defaults.
- **compression alone**: the worker's libraries on the same bytes, from memory to memory, with checksums and on the same
  cores. One entry of a zip is inflated on one core.

Times are medians, and peaks are maxima. Folders, and the objects of codepipeline-local, are in memory."""
