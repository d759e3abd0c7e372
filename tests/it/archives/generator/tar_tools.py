"""Every tool that writes tar archives, with its formats and options."""

import os
import tarfile

from cases import Case, run, shell

GNU = [["--format=v7"], ["--format=oldgnu"], ["--format=gnu"], ["--format=ustar"], ["--format=posix"],
       ["--format=oldgnu", "-S"], ["--format=gnu", "-S"], ["--format=posix", "-S", "--sparse-version=0.0"],
       ["--format=posix", "-S", "--sparse-version=0.1"], ["--format=posix", "-S", "--sparse-version=1.0"],
       ["-z"], ["-z", "--format=posix", "-S"], ["-V", "a label"], ["--format=posix", "-V", "a label"], ["-V", "label " + "l" * 80],
       ["-b", "1"], ["-b", "200"], ["--numeric-owner", "--owner=70000", "--group=3000000"], ["--format=posix", "--pax-option=comment=global"],
       ["--format=posix", "--pax-option=comment:=each"], ["--format=posix", "--pax-option=delete=atime,delete=ctime"],
       ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--mode=a+rX"], ["--hard-dereference"], ["--transform=s,^\\./,,"], ["--xattrs", "--acls"]]
BSD = [["--format", "ustar"], ["--format", "pax"], ["--format", "paxr"], ["--format", "gnutar"], ["--format", "v7tar"], ["-z"],
       ["-z", "--format", "pax", "--options", "gzip:!timestamp"], ["--numeric-owner", "--uid", "3000000"]]
# 7-Zip and git read each file, and would wait for the writer of a FIFO.
WITHOUT_SPECIAL = "7z", "git"


def gnu(options):
    def make(tree, archive):
        run("tar", "-cf", archive, *options, "-C", tree, ".")
    return make


def gnu_incremental(tree, archive):
    run("tar", "-cf", archive, f"--listed-incremental={archive}.list", "-C", tree, ".")


def gnu_absolute(tree, archive):
    run("tar", "-cPf", archive, tree)


def gnu_appended(tree, archive):
    # Not with different times: GNU tar keeps the first time of a link to the outside, which it creates last.
    run("tar", "-cf", archive, "-C", tree, ".")
    run("tar", "-rf", archive, "--mode=u+x", "-C", tree, ".")


def gnu_to_pipe(tree, archive):
    shell('tar -cf - . | gzip -1 | cat > "$ARCHIVE"', tree, ARCHIVE=archive)


def gnu_each_twice(tree, archive):
    """GNU tar stores the second occurrence of a file with several names as a hard link to itself."""
    run("tar", "-cf", archive, "-C", tree, ".", ".")


def bsd(options):
    def make(tree, archive):
        run("bsdtar", "-cf", archive, *options, "-C", tree, ".")
    return make


def python(mode, form, change=None):
    def make(tree, archive):
        with tarfile.open(archive, mode, format=form) as tar:
            tar.add(tree, arcname="top", filter=change)
    return make


def with_records(info):
    """Records of other tools: attributes with any bytes, and keys that the worker ignores."""
    info.pax_headers = {"SCHILY.xattr.user.note": "a\nb\n", "comment": "built\nby = a tool", "LIBARCHIVE.creationtime": "1700000000.5",
                        "SCHILY.fflags": "nodump", "VENDOR.empty": ""}
    return info


def seven_tar(tree, archive):
    run("7z", "a", "-ttar", "-snl", "-snh", f"{archive}.tar", ".", cwd=tree)
    os.rename(f"{archive}.tar", archive)


def seven_tar_gz(tree, archive):
    shell('7z a -ttar -snl -so "$ARCHIVE.tar" . | 7z a -tgzip -si "$ARCHIVE.gz" && mv "$ARCHIVE.gz" "$ARCHIVE"', tree, ARCHIVE=archive)


def git(form):
    def make(tree, archive):
        commit(tree, f"{archive}.git")
        run("git", f"--git-dir={archive}.git", "archive", f"--format={form}", "-o", archive, "HEAD")
    return make


def git_with_prefix(tree, archive):
    commit(tree, f"{archive}.git")
    run("git", f"--git-dir={archive}.git", "archive", "--format=tar.gz", "--prefix=project-1.0/", "-o", archive, "HEAD")


def commit(tree, repository):
    """Commits the tree to a repository outside it."""
    git = ["git", "-c", "user.name=tester", "-c", "user.email=tester@example.com", "-c", "core.autocrlf=false", f"--git-dir={repository}", f"--work-tree={tree}"]
    run(*git, "init", "-q")
    run(*git, "add", "-A")
    run(*git, "commit", "-q", "--allow-empty", "-m", "all")


WRITERS = {
    "tar": {**{" ".join(options): gnu(options) for options in GNU}, "--listed-incremental": gnu_incremental, "-P": gnu_absolute,
            "-r": gnu_appended, "to a pipe": gnu_to_pipe, "each file twice": gnu_each_twice},
    "bsdtar": {" ".join(options): bsd(options) for options in BSD},
    "python3": {"tarfile USTAR": python("w", tarfile.USTAR_FORMAT), "tarfile GNU": python("w", tarfile.GNU_FORMAT),
                "tarfile PAX": python("w", tarfile.PAX_FORMAT), "tarfile w:gz": python("w:gz", tarfile.PAX_FORMAT),
                "tarfile as a stream": python("w|", tarfile.GNU_FORMAT), "tarfile with PAX records": python("w", tarfile.PAX_FORMAT, with_records)},
    "7z": {"-ttar": seven_tar, "-tgzip": seven_tar_gz},
    "git": {"archive tar": git("tar"), "archive tar.gz": git("tar.gz"), "archive --prefix": git_with_prefix},
}


def cases(tree):
    """The tree in every format of tar that a tool writes."""
    for tool, writers in WRITERS.items():
        if tree.name == "special" and tool in WITHOUT_SPECIAL:
            continue
        for options, make in writers.items():
            yield Case(f"{tool} {options}, tree {tree.name}", tool, "tar", lambda archive, make=make: make(tree.folder, archive), tree=tree.name)
