#!/usr/bin/env python3
"""Generates the emulator's model of CodePipeline's API from the installed botocore.

    python3 model.py             writes model.json, which is next to this script
    python3 model.py --check     compares that file with the generated text
    python3 model.py --version   prints the version of botocore in the file; needs no botocore

The file has all operations and shapes: names and constraints, without documentation. The table of handlers in dispatch.rs
decides which operations are emulated.
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
    # An error needs only its name. Its one member is the message, which the protocol defines.
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
            sys.exit("model.json differs from the installed botocore's model; run this script")
    elif not arguments:
        FILE.write_text(generated(), "utf-8")
    else:
        sys.exit(__doc__)


main(sys.argv[1:])
