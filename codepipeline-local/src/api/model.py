#!/usr/bin/env python3
"""Writes CodePipeline's API model for the emulator, from the botocore that is installed.

    python3 model.py             writes model.json, which is next to this script
    python3 model.py --check     compares that file with what it would write
    python3 model.py --version   prints the version of botocore that the file was made from; needs no botocore

The file has every operation and every shape: names and constraints, without documentation. What the emulator has of it is
decided by the table of handlers in mod.rs alone.
"""

import difflib
import json
import pathlib
import sys

FILE = pathlib.Path(__file__).with_name("model.json")
CONSTRAINTS = ("enum", "max", "min", "pattern", "required", "sensitive", "type")


def shape(declared):
    """A shape without its documentation. Members are named by their shapes."""
    kept = {name: declared[name] for name in CONSTRAINTS if name in declared}
    if "members" in declared:
        kept["members"] = {name: member["shape"] for name, member in declared["members"].items()}
    for name in ("member", "key", "value"):
        if name in declared:
            kept[name] = declared[name]["shape"]
    return kept


def operation(declared):
    """The names of an operation's input, output and errors."""
    named = {name: declared[name]["shape"] if name in declared else None for name in ("input", "output")}
    return named | {"errors": [error["shape"] for error in declared.get("errors", [])]}


def lines(entries):
    """One entry on each line, so that a change of the API is a change of few lines."""
    return ",\n".join(f"  {json.dumps(name)}: {json.dumps(entries[name], sort_keys=True)}" for name in sorted(entries))


def generated():
    import botocore
    from botocore.loaders import Loader

    service = Loader().load_service_model("codepipeline", "service-2")
    metadata = service["metadata"]
    source = f"botocore {botocore.__version__}, codepipeline {metadata['apiVersion']}: names and constraints only"
    # An error is known by its name: what it has as a structure is a message, which the protocol says.
    shapes = {name: shape(declared) for name, declared in service["shapes"].items() if not declared.get("exception")}
    operations = {name: operation(declared) for name, declared in service["operations"].items()}
    return (
        f'{{\n "source": {json.dumps(source)},\n "targetPrefix": {json.dumps(metadata["targetPrefix"])},\n'
        f' "operations": {{\n{lines(operations)}\n }},\n "shapes": {{\n{lines(shapes)}\n }}\n}}\n'
    )


def main(arguments):
    if arguments == ["--version"]:
        print(json.loads(FILE.read_text("utf-8"))["source"].split()[1].rstrip(","))
    elif arguments == ["--check"]:
        kept, made = FILE.read_text("utf-8"), generated()
        sys.stdout.writelines(difflib.unified_diff(kept.splitlines(True), made.splitlines(True), str(FILE), "generated"))
        if kept != made:
            sys.exit("model.json is not what this script makes of the installed botocore")
    elif not arguments:
        FILE.write_text(generated(), "utf-8")
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
