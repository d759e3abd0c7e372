"""Reads a Markdown document: its headings, links, paragraphs, fenced blocks and code within lines."""

import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^ {0,3}(```+)(.*)$")
HEADING = re.compile(r"^#{1,6} +(.*?) *#* *$")
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)")
CODE = re.compile(r"``[^`]+``|`[^`]*`")


@dataclass
class Block:
    line: int
    info: str
    text: str


@dataclass
class Document:
    path: Path
    lines: int
    anchors: set = field(default_factory=set)
    links: list = field(default_factory=list)
    code: list = field(default_factory=list)
    paragraphs: list = field(default_factory=list)
    blocks: list = field(default_factory=list)


def anchor(heading, taken):
    """The anchor that GitHub gives a heading; a repeated one gets a number."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
    text = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
    name, number = text, 0
    while name in taken:
        number += 1
        name = f"{text}-{number}"
    return name


def read(path):
    lines = path.read_text("utf-8").splitlines()
    document = Document(path, len(lines))
    fence, block, paragraph = None, None, []

    def find_links(number, text):
        document.links += [(number, link[1]) for link in LINK.finditer(CODE.sub("", text))]
        document.code += [(number, code[0].strip("`")) for code in CODE.finditer(text)]

    def end_paragraph():
        if paragraph:
            text = " ".join(text for _, text in paragraph)
            document.paragraphs.append((paragraph[0][0], text))
            find_links(paragraph[0][0], text)
            paragraph.clear()

    for number, line in enumerate(lines, 1):
        match = FENCE.match(line)
        if fence:
            if match and match[1].startswith(fence) and not match[2].strip():
                block.text = "".join(text + "\n" for text in block.text)
                document.blocks.append(block)
                fence = None
            else:
                block.text.append(line)
            continue
        if match:
            end_paragraph()
            fence, block = match[1], Block(number + 1, match[2].strip(), [])
            continue
        heading = HEADING.match(line)
        if heading:
            end_paragraph()
            document.anchors.add(anchor(heading[1], document.anchors))
            find_links(number, line)
        elif not line.strip() or line.lstrip().startswith("|"):
            end_paragraph()
            find_links(number, line)
        else:
            if re.match(r"^ *([-*]|\d+\.) ", line):
                end_paragraph()
            paragraph.append((number, line.strip()))
    end_paragraph()
    if fence:
        raise SystemExit(f"{path}:{block.line - 1}: this block has no end")
    return document
