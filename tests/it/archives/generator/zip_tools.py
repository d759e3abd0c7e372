"""Every tool that writes zip archives, with its formats and options."""

import io
import os
import stat
import struct
import time
import warnings
import zipfile

from cases import Case, run, shell
from tar_tools import commit

INFO_ZIP = ["-r", "-ry", "-ry -0", "-ry -9", "-ry -X", "-ry -D", "-ry -fd", "-ry -fz", "-ry -UN=UTF8", "-ry -Z bzip2", "-ry -fz -0"]
SEVEN = ["-mm=Deflate -mx=1", "-mm=Deflate -mx=9", "-mm=Copy", "-mm=Deflate64 -mx=9", "-mm=BZip2", "-mcu=on", "-mcu=off", "-mtc=on", "-mtc=off -mta=off"]
BSD = ["", "--options zip:compression=store", "--options zip:zip64", "--options zip:experimental"]
FAT, UNIX, NTFS = 0, 3, 10


def info_zip(options):
    def make(tree, archive):
        run("zip", "-q", *options.split(), f"{archive}.zip", ".", cwd=tree)
        os.rename(f"{archive}.zip", archive)
    return make


def info_zip_to_pipe(options):
    def make(tree, archive):
        shell(f'zip -q {options} - . | cat > "$ARCHIVE"', tree, ARCHIVE=archive)
    return make


def info_zip_from_pipe(tree, archive):
    """An archive with one entry, `-`."""
    shell('tar -cf - . | zip -q - - | cat > "$ARCHIVE"', tree, ARCHIVE=archive)


def seven(options):
    def make(tree, archive):
        run("7z", "a", "-tzip", "-snl", *options.split(), f"{archive}.zip", ".", cwd=tree)
        os.rename(f"{archive}.zip", archive)
    return make


def bsd(options):
    def make(tree, archive):
        run("bsdtar", "-cf", archive, "--format", "zip", *options.split(), "-C", tree, ".")
    return make


def bsd_to_pipe(tree, archive):
    shell('bsdtar -cf - --format zip . | cat > "$ARCHIVE"', tree, ARCHIVE=archive)


def git(tree, archive):
    commit(tree, f"{archive}.git")
    run("git", f"--git-dir={archive}.git", "archive", "--format=zip", "-o", archive, "HEAD")


def made_on_unix(archive):
    """Changes FAT to Unix in the archive's central directory."""
    content = bytearray(archive.with_name("archive").read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        at = made.start_dir
        for info in made.infolist():
            if content[at + 5] == FAT:
                content[at + 5] = UNIX
                content[at + 38:at + 42] = struct.pack("<I", (0o40755 if info.is_dir() else 0o100644) << 16)
            at += 46 + sum(struct.unpack("<HHH", content[at + 28:at + 34]))
    archive.write_bytes(content)


class Unseekable:
    """A file without seek, so that zipfile writes sizes after the data."""

    def __init__(self, file):
        self.write, self.flush = file.write, file.flush


def python(method, system=UNIX, streamed=False, twice=False):
    def make(tree, archive):
        with open(archive, "wb") as file, zipfile.ZipFile(Unseekable(file) if streamed else file, "w", method) as made:
            for round in range(2 if twice else 1):
                for path, name in below(os.fsdecode(tree)):
                    add(made, path, name, method, system, round)
    return make


# zipfile warns about repeated names.
warnings.simplefilter("ignore", UserWarning)


def below(tree):
    """The paths in the tree, and their names in an archive."""
    for folder, folders, files in os.walk(tree):
        for name in sorted(folders + files):
            path = os.path.join(folder, name)
            yield path, os.path.relpath(path, tree)


def add(made, path, name, method, system, round):
    found = os.lstat(path)
    date = max(time.gmtime(found.st_mtime + round)[:6], (1980, 1, 1, 0, 0, 0))
    info = zipfile.ZipInfo(name + "/" * stat.S_ISDIR(found.st_mode), min(date, (2107, 12, 31, 23, 59, 59)))
    info.create_system, info.compress_type = system, method
    info.external_attr = found.st_mode << 16 | 0x10 * stat.S_ISDIR(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        made.writestr(info, os.fsencode(os.readlink(path)))
    elif stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            made.writestr(info, file.read() + b"again" * round)
    else:
        made.writestr(info, b"")


STORED, DEFLATED = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
# The trees for archives that claim Windows. unzip and the worker differ on purpose for their names.
FOR_WINDOWS = "plain", "modes", "times", "links"
BOTH_SEPARATORS = "a name with both separators means different files to different tools"
LATIN_BYTES = "unzip writes a name that was made on FAT in Latin-1; the worker writes it in UTF-8"
GIT_MEANS_UNIX = "git writes that its zip was made on FAT, but its names are those of Unix"
WRITERS = {
    "zip": {**{options: info_zip(options) for options in INFO_ZIP}, "-ry to a pipe": info_zip_to_pipe("-ry"),
            "-ry -0 to a pipe": info_zip_to_pipe("-ry -0"), "-ry -fz- to a pipe": info_zip_to_pipe("-ry -fz-"), "-y from a pipe": info_zip_from_pipe},
    "7z": {options: seven(options) for options in SEVEN},
    "bsdtar": {**{f"--format zip {options}": bsd(options) for options in BSD}, "--format zip to a pipe": bsd_to_pipe},
    "git": {"archive zip": git},
    "python3": {"zipfile deflated": python(DEFLATED), "zipfile stored": python(STORED), "zipfile deflated, streamed": python(DEFLATED, streamed=True),
                "zipfile stored, streamed": python(STORED, streamed=True), "zipfile FAT": python(DEFLATED, FAT), "zipfile NTFS": python(DEFLATED, NTFS),
                "zipfile with each entry twice": python(DEFLATED, twice=True)},
}


def from_java(output, name):
    """Moves an archive of Jars.java."""
    def make(archive):
        os.rename(f"{output}/{name}", archive)
    return make


def cases(tree, java):
    """The tree in every format of zip that a tool writes."""
    has_links = any(os.path.islink(path) for path, _ in below(tree.folder))
    for tool, writers in WRITERS.items():
        for options, make in writers.items():
            # Without -y, zip follows links, even to outside the folder. So does jar.
            if has_links and tool == "zip" and "y" not in options:
                continue
            if options.endswith(("FAT", "NTFS")) and tree.name not in FOR_WINDOWS:
                continue
            case = Case(f"{tool} {options}, tree {tree.name}", tool, "zip", lambda archive, make=make: make(tree.folder, archive), tree=tree.name)
            if tool == "git":
                case.instead, case.differs = made_on_unix, GIT_MEANS_UNIX
            yield case
    yield from java_cases(tree, java, has_links)


def java_cases(tree, java, has_links):
    """Java claims FAT, on which a backslash separates folders."""
    names = [name for _, name in below(tree.folder)]
    mixed = any("\\" in name and ("/" in name or os.path.isdir(os.path.join(tree.folder, name))) for name in names)
    for kind in ("cf", "c0f", "cfM", "deflated", "stored"):
        tool = "jar" if kind.startswith("c") else "java"
        if has_links and tool == "jar":
            continue
        case = Case(f"{tool} {kind}, tree {tree.name}", tool, "zip", from_java(java, f"{tree.name}-{kind}"), tree=tree.name)
        if mixed:
            case.refused = BOTH_SEPARATORS
        elif not "".join(names).isascii():
            if "\\" in "".join(names):
                continue
            case.instead, case.differs = made_on_unix, LATIN_BYTES
        yield case
