"""Trees of files that the tools archive. Each is created in an existing folder. Names are bytes."""

import os
import random
import socket

LATIN = "ä-Grüße".encode("latin-1")
UNICODE = "Grüße/日本語/смайл-😀".encode()
ODD_NAMES = [b"with space", b"-dash", b"--option=x", b"co:lon", b"C:drive", b"semi;1", b"star*", b"what?", b"[set]", b"quo'te", b'dou"ble',
             b"tilde~", b"#hash", b"per%cent", b"dollar$", b"bang!", b"...", b"..x", b".hidden", b"x.", b" ", b" lead", b"trail "]
CONTROL_NAMES = [b"new\nline", b"tab\t", b"esc\x1b[31m", b"cr\r"]
BACKSLASH_NAMES = [b"back\\slash", b"\\leading", b"trailing\\", b"two\\\\of", b"d/in\\folder"]
IS_ROOT = os.geteuid() == 0


def write(root, name, content=b"", mode=0o644, time=None):
    """Writes a file and creates its parents."""
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)
    os.chmod(path, mode if IS_ROOT else mode | 0o400)
    if time is not None:
        os.utime(path, ns=(time, time))
    return path


def folder(root, name, mode=0o755):
    """Creates a folder and its parents. The tree sets the mode at the end."""
    path = os.path.join(root, name)
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode if IS_ROOT else mode | 0o700)
    return path


def link(root, name, target):
    path = os.path.join(root, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)


def empty(_root):
    pass


def plain(root):
    write(root, b"empty")
    write(root, b"one", b"1")
    write(root, b"text", b"a line of text\n" * 1000, time=1_000_000_001 * 10**9)
    write(root, b"noise", random.Random(1).randbytes(70_000))
    write(root, b"block", b"x" * 512)
    write(root, b"record", b"y" * 10_240)
    write(root, b"tool.sh", b"#!/bin/sh\n", 0o755)
    folder(root, b"hollow/inner")
    write(root, b"d/e/f/g/h/i/j/deep", b"deep")


def names(root):
    for name in [*ODD_NAMES, UNICODE, "e\u0301 is two characters".encode(), "\u00e9 is one".encode()]:
        write(root, name, name)
        write(root, b"in/" + name + b"-folder/file", name)


def control_names(root):
    for name in CONTROL_NAMES:
        write(root, name, name)
        write(root, b"in/" + name + b"/file", name)


def backslash_names(root):
    for name in BACKSLASH_NAMES:
        write(root, name, name)


def latin_names(root):
    write(root, LATIN, b"a file")
    write(root, b"in/" + LATIN + b"-folder/file", b"in a folder")
    link(root, b"link", LATIN)


def modes(root):
    for mode in (0o000, 0o001, 0o100, 0o200, 0o400, 0o444, 0o555, 0o600, 0o640, 0o644, 0o666, 0o700, 0o711, 0o755, 0o775, 0o777):
        write(root, b"file-%03o" % mode, b"%o" % mode, mode)
        write(root, b"dir-%03o/file" % mode, b"%o" % mode)
        os.mkdir(os.path.join(root, b"hollow-%03o" % mode))
    # Last, because a folder may become read-only.
    for mode in (0o000, 0o111, 0o400, 0o500, 0o555, 0o600, 0o700, 0o711, 0o750, 0o755, 0o775, 0o777):
        for kind in (b"dir", b"hollow"):
            folder(root, b"%s-%03o" % (kind, mode), mode)


def links(root):
    write(root, b"d/file", b"here")
    for name, target in [(b"file", b"d/file"), (b"dir", b"d"), (b"dir-slash", b"d/"), (b"d/up", b"../d/file"), (b"d/self", b"self"),
                         (b"dot", b"."), (b"up", b".."), (b"outward", b"../../outside"), (b"absolute", b"/etc/passwd"), (b"null", b"/dev/null"),
                         (b"root", b"/"), (b"dangling", b"no/such/file"), (b"loop-a", b"loop-b"), (b"loop-b", b"loop-a"), (b"chain", b"file"),
                         (b"messy", b"./d/.//file"), (b"space", b"a b "), (b"newline", b"a\nb"), (b"backslash", b"a\\b"), (b"colon", b"C:x"),
                         (b"unicode", UNICODE), (b"100", b"t" * 100), (b"101", b"u" * 101), (b"long", b"long/" * 60)]:
        link(root, name, target)


def longest_link(root):
    link(root, b"longest", b"x/" * 2000)


def hard_links(root):
    path = write(root, b"a", b"one content")
    folder(root, b"d")
    for name in (b"b", b"d/c", b"d/" + b"n" * 120):
        os.link(path, os.path.join(root, name))
    link(root, b"s", b"a")
    os.link(os.path.join(root, b"s"), os.path.join(root, b"t"), follow_symlinks=False)
    os.link(write(root, b"empty-a"), os.path.join(root, b"empty-b"))


def long_names(root):
    for length in (99, 100, 101, 154, 155, 156, 240, 255):
        write(root, b"%03d-" % length + b"n" * (length - 4), b"%d" % length)
    write(root, b"p" * 155 + b"/" + b"q" * 99 + b"r", b"the longest of ustar")
    write(root, b"d" * 60 + b"/" + b"e" * 60 + b"/" + b"f" * 60 + b"/file", b"180")
    write(root, b"/".join([b"deep-%d" % number for number in range(40)]) + b"/file", b"300")
    write(root, b"/".join([b"g" * 100] * 12) + b"/file", b"1200")
    write(root, "ü".encode() * 120, b"unicode")
    folder(root, b"h" * 120 + b"/" + b"i" * 120)


def sparse(root):
    def holes(name, size, pieces):
        with open(os.path.join(root, name), "wb") as file:
            for offset, content in pieces:
                file.seek(offset)
                file.write(content)
            file.truncate(size)

    holes(b"begin", 300_000, [(0, b"begin")])
    holes(b"end", 300_000, [(299_997, b"end")])
    holes(b"middle", 1_000_003, [(500_000, b"m" * 5000)])
    holes(b"only-hole", 200_000, [])
    holes(b"many", 4_000_001, [(number * 100_000, b"%d" % number) for number in range(40)])
    holes(b"large", 20_000_000, [(19_000_000, b"far")])
    holes(b"dense", 10_000, [(0, b"d" * 10_000)])
    holes(b"n" * 150, 100_000, [(50_000, b"long name")])


def times(root):
    second = 10**9
    for name, time in [(b"epoch", 0), (b"second", second), (b"fraction", 1_234_567_890_123_456_789), (b"tenth", 1_600_000_000_100_000_000),
                       (b"before-1970", -86_400 * 365 * second), (b"before-1970-fraction", -1_500_000_000), (b"before-1901", -2_300_000_000 * second),
                       (b"1979", 315_532_799 * second), (b"1980", 315_532_800 * second), (b"odd", 1_000_000_001 * second),
                       (b"2038", (2**31 - 1) * second), (b"after-2038", 2**31 * second), (b"2106", (2**32 + 5) * second), (b"2107", 4_354_819_198 * second)]:
        write(root, name, name, time=time)
        os.utime(folder(root, b"dir-" + name), ns=(time, time))
        link(root, b"link-" + name, name)
        os.utime(os.path.join(root, b"link-" + name), ns=(time, time), follow_symlinks=False)


def special(root):
    write(root, b"file", b"beside")
    os.mkfifo(os.path.join(root, b"fifo"))
    folder(root, b"d")
    here = os.open(root, os.O_PATH)
    try:
        # Uses a short path, because that of a socket has at most 108 bytes.
        socket.socket(socket.AF_UNIX).bind(f"/proc/self/fd/{here}/d/socket")
    finally:
        os.close(here)


def many(root):
    for number in range(1500):
        write(root, b"%02d/%02d/%d" % (number % 10, number % 7, number), b"%d" % number)


FIXED = [empty, plain, names, control_names, backslash_names, latin_names, modes, links, longest_link, hard_links, long_names, sparse, times, special, many]


def by_chance(seed):
    """A function that creates the tree for a seed."""
    def tree(root):
        dice = random.Random(seed)
        alphabet = [b"a", b"b", b"Z", b"0", b".x", b"-", b"_", b" ", "ü".encode(), "日".encode(), b":", b"~", b"=", b"\\" if seed % 4 == 0 else b"y"]
        folders, files = [b""], []
        for number in range(dice.randint(1, 60)):
            name = b"".join(dice.choices(alphabet, k=dice.choice([1, 3, 8, 20, 60])))
            name = b"n%d" % number + name + b"e"
            path = os.path.join(dice.choice(folders), name)
            time = dice.choice([0, dice.randint(0, 2**31), dice.randint(315_532_800, 2**31)]) * 10**9 + dice.choice([0, 0, dice.randint(0, 10**9 - 1)])
            kind = dice.choices(["file", "folder", "link", "hard"], [6, 2, 2, 1])[0]
            if len(os.path.join(root, path)) > 3000 or path.count(b"/") > 100:
                continue
            if kind == "folder":
                folder(root, path, dice.choice([0o755, 0o700, 0o775]))
                folders.append(path)
            elif kind == "link":
                target = dice.choice([*files, *folders[1:], b"../" * dice.randint(1, 9) + b"x", b"/abs/" + name, path])
                link(root, path, dice.choice([b"", b"../" * path.count(b"/")]) + target)
            elif kind == "hard" and files:
                os.link(os.path.join(root, dice.choice(files)), os.path.join(root, path))
            else:
                content = dice.choice([b"", dice.randbytes(dice.randint(0, 2000)), b"ab" * dice.randint(0, 40_000)])
                write(root, path, content, dice.choice([0o644, 0o755, 0o600, 0o444, 0o777]), time)
                files.append(path)

    tree.__name__ = f"by_chance_{seed}"
    return tree
