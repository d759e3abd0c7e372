"""Checks every Markdown document of the repository without running anything."""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import markdown

LONGEST_PARAGRAPH = 90
# Lines that a document may have.
LONGEST = {"README.md": 150, "docs/architecture.md": 120}
LANGUAGES = {"sh", "json", "yaml", "python", "rust", "typescript", "text", "mermaid", "toml", "console"}


def main():
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], capture_output=True, text=True, check=True
    ).stdout.split("\n")
    files = {Path(name) for name in tracked if name and Path(name).exists()}
    folders = {parent for file in files for parent in file.parents}
    documents = {path: markdown.read(path) for path in sorted(files) if path.suffix == ".md"}
    mistakes = []
    for path, document in documents.items():
        mistakes += [f"{path}:{line}: {what}" for line, what in links(document, documents, files | folders)]
        mistakes += [f"{path}:{line}: {what}" for line, what in paths(document, files, folders)]
        mistakes += [f"{path}:{line}: {what}" for line, what in lengths(document)]
        mistakes += [f"{path}:{line}: {what}" for line, what in blocks(document)]
    for path in sorted(file for file in files if file.parent == Path("events")):
        mistakes += [f"{path}:{line}: {what}" for line, what in wrong_json(path.read_text("utf-8"), 1)]
    print("\n".join(mistakes), file=sys.stderr, end="\n" if mistakes else "")
    print(f"{len(documents)} documents, {len(mistakes)} mistakes")
    return 1 if mistakes else 0


def links(document, documents, existing):
    for line, target in document.links:
        parts = urlsplit(target)
        if parts.scheme or parts.netloc:
            if parts.scheme not in ("https", "http") or not re.fullmatch(r"[\w.-]+\.[a-z]+(:\d+)?", parts.netloc):
                yield line, f"{target} is not a web address"
            continue
        path = document.path
        if parts.path:
            path = Path(normal(document.path.parent / parts.path))
            if path not in existing:
                yield line, f"{target} leads to {path}, which does not exist"
                continue
        if parts.fragment:
            if path not in documents:
                yield line, f"{target} names an anchor in a file that is not a document"
            elif parts.fragment not in documents[path].anchors:
                yield line, f"{target} names an anchor that {path} does not have"


# Folders whose files documents name by a part of the path, such as `lifecycle/recover`.
SOURCES = ("", "src/", "codepipeline-local/", "codepipeline-local/src/", "codepipeline-local/src/s3/")

# Made by tools, so not in the repository.
MADE = ("target", "fuzz/artifacts")


def paths(document, files, folders):
    """Finds code within lines that looks like a path of the repository, and is not one."""
    existing = {f"/{path}" for path in (*files, *folders)}
    existing |= {f"/{file.with_suffix('')}" for file in files if file.suffix == ".rs"}
    tops = {path.name for path in folders if any(f"{path.parent}/".lstrip("./") == source for source in SOURCES)}
    for line, code in document.code:
        name = code.rstrip("/")
        if name.startswith(MADE):
            continue
        is_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)*", name) and (name.split("/")[0] in tops and "/" in code or name.endswith(".rs"))
        if is_path and not any(path.endswith(f"/{name}") for path in existing):
            yield line, f"`{code}` is not a file or folder of this repository"


def normal(path):
    """The path without `..`, below the repository."""
    parts = []
    for part in path.parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts) or "."


def lengths(document):
    most = LONGEST.get(str(document.path))
    if most and document.lines > most:
        yield document.lines, f"has {document.lines} lines; at most {most} are allowed"
    for line, text in document.paragraphs:
        words = len(re.findall(r"\w[\w'’.-]*", text))
        if words > LONGEST_PARAGRAPH:
            yield line, f"this paragraph has {words} words; at most {LONGEST_PARAGRAPH} are allowed"


def blocks(document):
    for block in document.blocks:
        language = block.info.split(" ")[0]
        if language not in LANGUAGES:
            yield block.line - 1, f"a block needs a language: one of {', '.join(sorted(LANGUAGES))}"
        elif language == "json":
            yield from wrong_json(block.text, block.line)
        elif language == "yaml":
            yield from wrong_yaml(block.text, block.line)
        elif language == "sh":
            checked = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True)
            if checked.returncode:
                yield block.line, f"bash can't parse this block: {checked.stderr.strip()}"
        elif language == "python":
            try:
                compile(block.text, str(document.path), "exec")
            except SyntaxError as error:
                yield block.line + (error.lineno or 1) - 1, f"Python can't parse this block: {error.msg}"


def wrong_json(text, first_line):
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        yield first_line + error.lineno - 1, f"this is not JSON: {error.msg} at column {error.colno}"


def wrong_yaml(text, first_line):
    """Finds what breaks a block of YAML most often; Python has no YAML parser of its own."""
    for number, line in enumerate(text.splitlines(), first_line):
        if "\t" in line:
            yield number, "YAML takes no tabs"
        plain = re.sub(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'", "", line)
        if plain.count("{") != plain.count("}") or plain.count("[") != plain.count("]"):
            yield number, "a bracket is open at the end of this line of YAML"


sys.exit(main())
