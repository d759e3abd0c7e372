"""Handmade tar archives that no installed tool writes."""

import gzip
import io
import tarfile

from cases import Case

END = bytes(1024)


def header(name, kind=b"0", size=0, link=b"", mode=0o644, form=tarfile.USTAR_FORMAT, time=1_500_000_000):
    """A header. Names are arbitrary bytes."""
    info = tarfile.TarInfo("x")
    info.type, info.size, info.mode, info.mtime = kind, size, mode, time
    block = bytearray(info.tobuf(form))
    block[:100] = name.ljust(100, b"\0")
    block[157:257] = link.ljust(100, b"\0")
    return checked(block)


def checked(block):
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content):
    return content + bytes(-len(content) % 512)


def file(name, content=b"content", **more):
    return header(name, size=len(content), **more) + padded(content)


def folder(name, mode=0o755):
    return header(name, b"5", mode=mode)


def symlink(name, target):
    return header(name, b"2", link=target)


def hard_link(name, target):
    return header(name, b"1", link=target)


def pax(records, kind=b"x"):
    """An extended header. Each record begins with its own length."""
    body = b""
    for key, value in records.items():
        rest = b" " + key.encode() + b"=" + value + b"\n"
        length = len(rest)
        while length != len(rest) + len(str(length)):
            length = len(rest) + len(str(length))
        body += str(length).encode() + rest
    return file(b"PaxHeaders/x", body, kind=kind)


def gnu_long(kind, name):
    return file(b"././@LongLink", name + b"\0", kind=kind, form=tarfile.GNU_FORMAT)


def base_256(block, at, length, value):
    block = bytearray(block)
    block[at:at + length] = (value if value >= 0 else value + (1 << 8 * length)).to_bytes(length, "big")
    block[at] |= 0x80
    return checked(block)


def capability(value):
    return pax({"SCHILY.xattr.security.capability": value}) + file(b"a")


def with_prefix(prefix, name):
    block = bytearray(file(name))
    block[345:500] = prefix.ljust(155, b"\0")
    return checked(block[:512]) + bytes(block[512:])


ABC = file(b"a") + file(b"b/c", b"c" * 600)
LATIN = "Grüße".encode("latin-1")
BY_HAND = {
    # The end of the archive (c06), and gzip (c03).
    "no end mark": ABC,
    "one zero block": ABC + bytes(512),
    "no padding of the last file": (file(b"a")[:512] + b"content"),
    "truncated in the last file": ABC[:-600],
    "many zero blocks": ABC + bytes(100 * 512),
    "garbage after the end mark": ABC + END + b"garbage" * 200,
    "another archive after the end mark": ABC + END + file(b"hidden") + END,
    "only an end mark, in full record": bytes(10240),
    "only an end mark": END,
    "a zero block between entries": file(b"a") + bytes(512) + file(b"b") + END,
    "gzip": gzip.compress(ABC + END),
    "gzip without an end mark": gzip.compress(ABC),
    "gzip with one zero behind": gzip.compress(ABC + END) + b"\0",
    "gzip with 512 zeros behind": gzip.compress(ABC + END) + bytes(512),
    "gzip with 70,000 zeros behind": gzip.compress(ABC + END) + bytes(70_000),
    "gzip with garbage behind": gzip.compress(ABC + END) + b"garbage",
    "gzip with zeros and garbage behind": gzip.compress(ABC + END) + bytes(5) + b"garbage",
    "gzip in two members": gzip.compress(ABC) + gzip.compress(file(b"d") + END),
    "gzip in a member for each block": b"".join(gzip.compress((ABC + END)[at:at + 512]) for at in range(0, len(ABC + END), 512)),
    "gzip in two members with zeros behind": gzip.compress(ABC) + gzip.compress(END) + bytes(512),
    "gzip with an empty member in front": gzip.compress(b"") + gzip.compress(ABC + END),
    "gzip with a wrong checksum": gzip.compress(ABC + END)[:-8] + b"\1\2\3\4" + gzip.compress(ABC + END)[-4:],
    "gzip cut in its trailer": gzip.compress(ABC + END)[:-3],
    "gzip cut in its data": gzip.compress(ABC + file(b"n", bytes(range(256)) * 40) + END)[:-90],
    "gzip of an empty archive": gzip.compress(bytes(10240)),
    # Names.
    "an absolute name": file(b"/codebuild/output/a") + folder(b"/") + END,
    "an absolute hard link": file(b"/x/a") + hard_link(b"/x/b", b"/x/a") + END,
    "slashes in front": file(b"///x//a") + END,
    "dots in the name": file(b"./x/./y/.//a") + folder(b"./x/.") + END,
    "only dots": folder(b".") + folder(b"./") + END,
    "a file with a slash at its end": file(b"a/", b"") + END,
    "an old folder": header(b"old/", b"\0") + file(b"old/a") + END,
    "a Latin-1 name": file(LATIN) + symlink(b"link", LATIN) + folder(LATIN + b"-d/") + hard_link(LATIN + b"-2", LATIN) + END,
    "a prefix": with_prefix(b"some/folder", b"a") + END,
    "a name of 100 bytes without NUL": file(b"n" * 100) + END,
    "backslashes": file(b"a\\b") + file(b"\\c") + symlink(b"l", b"a\\b") + END,
    "a name with a newline": file(b"a\nb") + END,
    "climbing": file(b"../a") + END,
    "climbing on the way": file(b"x/../a") + END,
    # Repeated names (c07).
    "a file twice": file(b"a", b"first") + file(b"a", b"second", mode=0o755, time=1_600_000_000) + END,
    "a hard link to itself": file(b"a") + hard_link(b"a", b"a") + END,
    "a hard link to itself, with a dot": file(b"a") + hard_link(b"./a", b"a") + END,
    "a hard link, then a file in its place": file(b"a") + hard_link(b"b", b"a") + file(b"b", b"new") + END,
    "a file, hard-linked, then replaced": file(b"a") + hard_link(b"b", b"a") + file(b"a", b"new") + END,
    "a link twice": symlink(b"l", b"one") + symlink(b"l", b"two") + END,
    "a link, then a file in its place": symlink(b"l", b"a") + file(b"l") + END,
    "a link to a file, then a file in its place": file(b"a") + symlink(b"l", b"a") + file(b"l", b"new") + END,
    "a file, then a link in its place": file(b"l") + symlink(b"l", b"a") + END,
    "a folder twice": folder(b"d/", 0o700) + file(b"d/a") + folder(b"d/", 0o755) + END,
    "an empty folder, then a file in its place": folder(b"d") + file(b"d") + END,
    "a full folder, then a file in its place": folder(b"d") + file(b"d/a") + file(b"d") + END,
    "a file, then a folder in its place": file(b"d") + folder(b"d") + file(b"d/a") + END,
    "a file, then a file below it": file(b"d") + file(b"d/a") + END,
    # Links.
    "a hard link to a link": file(b"a") + symlink(b"s", b"a") + hard_link(b"t", b"s") + END,
    "a hard link to a link to the outside": symlink(b"s", b"/etc/passwd") + hard_link(b"t", b"s") + END,
    "a hard link to what is missing": hard_link(b"t", b"missing") + END,
    "a hard link to a later file": hard_link(b"t", b"a") + file(b"a") + END,
    "a hard link to a folder": folder(b"d") + hard_link(b"t", b"d") + END,
    "a hard link with content": file(b"a") + header(b"b", b"1", size=7, link=b"a") + file(b"c") + END,
    "links to everywhere": b"".join(symlink(b"l%d" % number, target) for number, target in enumerate(
        [b"/dev/null", b"..", b"../..", b"/", b"l0", b"missing", b"l6", b"/etc/passwd", b"a/../../b", b"."])) + END,
    "a file below a link to a folder": folder(b"d") + symlink(b"l", b"d") + file(b"l/a") + END,
    "a file below a link to the outside": symlink(b"l", b"/nonexistent") + file(b"l/a") + END,
    "a file below a link to above": symlink(b"l", b"..") + file(b"l/a") + END,
    # Modes and types.
    "folders without permissions": folder(b"d", 0o000) + folder(b"d/e", 0o555) + file(b"d/e/a", mode=0o000) + END,
    "a folder without permissions after what is in it": file(b"d/a") + folder(b"d", 0o500) + END,
    "set-user-id bits": file(b"a", mode=0o4755) + folder(b"d", 0o1777) + file(b"g", mode=0o2755) + END,
    "FIFOs and devices": header(b"fifo", b"6") + header(b"char", b"3") + header(b"block", b"4") + file(b"a") + END,
    "a contiguous file": file(b"a", kind=b"7") + END,
    "a volume label": header(b"label", b"V") + file(b"a") + END,
    "an unknown kind": file(b"a", kind=b"Z") + file(b"b") + END,
    "a Solaris ACL": file(b"acl", b"user::rwx", kind=b"A") + file(b"b") + END,
    "a Solaris extended header": file(b"x", b"12 path=zzz\n", kind=b"X") + file(b"b") + END,
    "a continued volume": file(b"a", kind=b"M") + END,
    # Numbers.
    "a time before 1970": base_256(file(b"a")[:512], 136, 12, -86_400) + padded(b"content") + END,
    "a size in base 256": base_256(file(b"a")[:512], 124, 12, 7) + padded(b"content") + END,
    "a user in base 256": base_256(file(b"a")[:512], 108, 8, 4_000_000_000) + padded(b"content") + END,
    "a time after 2242": base_256(file(b"a")[:512], 136, 12, 9_000_000_000) + padded(b"content") + END,
    # Extended headers (c04).
    "a capability with a newline": capability(b"\x01\x00\x00\x02\x0a\x00\x00\x00" + bytes(12)) + END,
    "a value that ends in a newline": pax({"SCHILY.xattr.user.note": b"a\n"}) + file(b"a") + END,
    "a comment with newlines and equals signs": pax({"comment": b"1\n2=3\n4 path=x\n"}) + file(b"a") + END,
    "an empty value": pax({"comment": b"", "path": b"long"}) + file(b"short") + END,
    "a path of records": pax({"path": "ö/name".encode(), "mtime": b"1600000000.75", "size": b"7"}) + file(b"short") + END,
    "a negative time of records": pax({"mtime": b"-1.5"}) + file(b"a") + END,
    "a long fraction": pax({"mtime": b"1600000000.123456789123456789"}) + file(b"a") + END,
    "a size of records": pax({"size": b"7"}) + header(b"a") + padded(b"content") + file(b"b") + END,
    "a target of records": pax({"linkpath": b"t" * 200}) + symlink(b"l", b"short") + END,
    "a binary path": pax({"hdrcharset": b"BINARY", "path": LATIN}) + file(b"short") + END,
    "a path twice": pax({"path": b"one"}) + pax({"path": b"two"}) + file(b"short") + END,
    "global records": pax({"comment": b"0123456789012345678901234567890123456789"}, b"g") + ABC + END,
    "global times": pax({"mtime": b"1400000000"}, b"g") + ABC + END,
    "global records twice": pax({"comment": b"x"}, b"g") + file(b"a") + pax({"comment": b"y"}, b"g") + file(b"b") + END,
    "records without a file": file(b"a") + pax({"path": b"nothing"}) + END,
    "no records": file(b"PaxHeaders/x", b"", kind=b"x") + file(b"a") + END,
    "records that are damaged": file(b"PaxHeaders/x", b"nonsense", kind=b"x") + file(b"a") + END,
    "records with a wrong length": file(b"PaxHeaders/x", b"99 path=x\n", kind=b"x") + file(b"a") + END,
    "records for the owner": pax({"uid": b"4294967296", "gid": b"4294967297", "uname": "ü".encode(), "gname": b"g"}) + file(b"a") + END,
    "a long GNU name": gnu_long(b"L", b"n/" * 200 + b"a") + file(b"short") + END,
    "a long GNU target": gnu_long(b"K", b"t" * 300) + symlink(b"l", b"short") + END,
    "long GNU name and target": gnu_long(b"K", b"t" * 300) + gnu_long(b"L", b"n" * 200) + symlink(b"short", b"short") + END,
    "a long GNU name and records": pax({"mtime": b"1600000000"}) + gnu_long(b"L", b"n" * 200) + file(b"short") + END,
    "a damaged header": file(b"a") + b"x" * 512 + file(b"b") + END,
}
# The worker refuses these.
REFUSED = {"records without a file": "the archive ends after records, so their entry is missing"}
# The reference tool unpacks a different archive.
INSTEAD = {"no padding of the last file": (file(b"a") + END, "GNU tar fails if the last file's padding is missing, although the file is complete")}


def cases():
    for name, content in BY_HAND.items():
        case = Case(f"by hand: tar with {name}", "by hand", "tar", lambda archive, content=content: archive.write_bytes(content), tree="by hand")
        case.refused = REFUSED.get(name, "")
        if name in INSTEAD:
            same, case.differs = INSTEAD[name]
            case.instead = lambda archive, same=same: archive.write_bytes(same)
        yield case
