"""Handmade zip archives that no installed tool writes."""

import struct
import zlib
from dataclasses import dataclass, replace

from cases import Case
from zip_tools import BOTH_SEPARATORS, LATIN_BYTES

DOS_TIME, DOS_DATE = 12 << 11 | 34 << 5 | 28, (2019 - 1980) << 9 | 7 << 5 | 9
UTF8, DESCRIPTOR = 0x800, 0x8
FAT, UNIX, NTFS, DARWIN = 0, 3, 10, 19
OPEN = 0xFFFFFFFF


@dataclass
class Entry:
    """An entry and its two headers."""

    name: bytes
    content: bytes = b"content"
    method: int = 8
    flags: int = 0
    system: int = UNIX
    version: int = 20
    made_with: int | None = None
    mode: int = 0o100644
    attributes: int = 0
    date: int = DOS_DATE
    extra: bytes = b""
    local_extra: bytes | None = None
    local_name: bytes | None = None
    local_flags: int | None = None
    # The local header's CRC, packed and unpacked size, if they are wrong.
    local_crc: int | None = None
    local_sizes: tuple[int, int] | None = None
    # After the data: nothing, or a descriptor with or without a signature, with sizes of four or eight bytes.
    descriptor: str = ""
    crc: int | None = None
    data: bytes | None = None

    def packed(self):
        if self.data is not None:
            return self.data
        if self.method == 0:
            return self.content
        deflate = zlib.compressobj(wbits=-15)
        return deflate.compress(self.content) + deflate.flush()

    def checksum(self):
        return zlib.crc32(self.content) if self.crc is None else self.crc

    def local(self):
        name = self.name if self.local_name is None else self.local_name
        extra = self.extra if self.local_extra is None else self.local_extra
        flags = self.flags if self.local_flags is None else self.local_flags
        crc = self.checksum() if self.local_crc is None else self.local_crc
        packed, size = self.local_sizes or (len(self.packed()), len(self.content))
        return struct.pack("<4sHHHHHIIIHH", b"PK\3\4", self.version, flags, self.method, DOS_TIME, self.date, crc, packed, size,
                           len(name), len(extra)) + name + extra + self.packed() + self.behind()

    def behind(self):
        if not self.descriptor:
            return b""
        signature = b"" if "bare" in self.descriptor else b"PK\7\x08"
        numbers = "<IQQ" if "64" in self.descriptor else "<III"
        return signature + struct.pack(numbers, self.checksum(), len(self.packed()), len(self.content))

    def central(self, offset):
        return struct.pack("<4sBBHHHHHIIIHHHHHII", b"PK\1\2", self.made_with or self.version, self.system, self.version, self.flags, self.method, DOS_TIME, self.date,
                           self.checksum(), len(self.packed()), len(self.content), len(self.name), len(self.extra), 0, 0, 0,
                           self.mode << 16 | self.attributes, offset) + self.name + self.extra


def archive(*entries, count=None, before=b"", between=b"", comment=b"", shifted=0):
    """An archive of the entries. `before` is not counted in the offsets if `shifted` is 0."""
    body, directory = bytearray(), bytearray()
    for entry in entries:
        directory += entry.central(len(body) + shifted)
        body += entry.local() + between
    count = len(entries) if count is None else count
    end = struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(directory), len(body) + shifted, len(comment))
    return before + bytes(body + directory) + end + comment


def file(name, content=b"content", **more):
    return Entry(name, content, **more)


def folder(name, **more):
    return Entry(name, b"", 0, mode=more.pop("mode", 0o40755), attributes=0x10, **more)


def link(name, target, **more):
    return Entry(name, target, 0, mode=0o120777, **more)


def field(kind, content):
    return struct.pack("<HH", kind, len(content)) + content


def unicode_path(header_name, name):
    return field(0x7075, b"\1" + struct.pack("<I", zlib.crc32(header_name)) + name)


def times(modified):
    return field(0x5455, b"\1" + struct.pack("<i", modified))


def streamed(**more):
    """The local header of writers that can't seek."""
    return {"flags": DESCRIPTOR, "local_crc": 0, "local_sizes": (0, 0), "descriptor": "signed", **more}


def numbered(count):
    return [Entry(b"%d/%d" % (number % 100, number), b"", 0) for number in range(count)]


BIG = bytes(range(256)) * 3000
UMLAUTS = "äöü-ß".encode("cp437")
UMLAUTS_UTF8 = "äöü-ß".encode()
AB = [file(b"a"), file(b"d/b", BIG)]
BY_HAND = {
    # Local headers without sizes.
    "sizes behind the data": [file(b"a", **streamed()), file(b"d/b", BIG, **streamed())],
    "sizes behind the data, without signature": [file(b"a", **streamed(descriptor="bare")), file(b"d/b", BIG, **streamed(descriptor="bare"))],
    "sizes of eight bytes behind the data": [file(b"a", **streamed(descriptor="64")), file(b"b", BIG, **streamed(descriptor="64"))],
    "stored, sizes behind the data": [file(b"a", method=0, **streamed()), file(b"b", BIG, method=0, **streamed())],
    "sizes behind the data and in front": [file(b"a", flags=DESCRIPTOR, descriptor="signed"), file(b"b", BIG, flags=DESCRIPTOR, descriptor="signed")],
    "local sizes of 0xFFFFFFFF": [file(b"a", local_sizes=(OPEN, OPEN)), file(b"b", BIG, local_sizes=(OPEN, OPEN))],
    "local sizes in a Zip64 field": [file(b"a", version=45, local_sizes=(OPEN, OPEN), local_extra=field(1, struct.pack("<QQ", 7, 9)))],
    "local sizes of 0 in a Zip64 field": [file(b"a", version=45, local_extra=field(1, struct.pack("<QQ", 0, 0)), **streamed(local_sizes=(OPEN, OPEN), descriptor="64"))],
    "a descriptor flag in the local header alone": [file(b"a", local_flags=DESCRIPTOR, local_crc=0, local_sizes=(0, 0), descriptor="signed"), file(b"b")],
    "a descriptor flag in the directory alone": [file(b"a", flags=DESCRIPTOR, local_flags=0), file(b"b")],
    "a folder with a descriptor": [folder(b"d/", **streamed()), file(b"d/a")],
    "an empty deflated file": [file(b"a", b""), file(b"b", b"", **streamed())],
    "a deflated folder": [replace(folder(b"d/"), method=8), file(b"d/a")],
    "a link with a descriptor": [link(b"l", b"a", **streamed()), file(b"a")],
    "a deflated link": [replace(link(b"l", b"a"), method=8), file(b"a")],
    "a local CRC of 0": [file(b"a", local_crc=0)],
    "a wrong CRC": [file(b"a", crc=1)],
    "a wrong CRC with sizes behind the data": [file(b"a", crc=1, **streamed())],
    "data that are no deflate stream": [file(b"a", data=b"\xff" * 9)],
    "data that end too early": [file(b"a", BIG, data=file(b"a", BIG).packed()[:-40])],
    # Names.
    "a leading slash": [file(b"/appspec.yml"), file(b"/src/a"), folder(b"/src/")],
    "slashes in front and in the middle": [file(b"//a//b///c")],
    "the root": [folder(b"/"), file(b"a")],
    "dots in names": [file(b"./a"), file(b"d/./b"), folder(b"./")],
    "a local name of its own": [file(b"a", local_name=b"b")],
    "a Latin-1 name": [file("Grüße".encode("latin-1"))],
    "a name in UTF-8 without the flag": [file(UMLAUTS_UTF8), link(b"l", UMLAUTS_UTF8)],
    "a name in UTF-8 with the flag": [file(UMLAUTS_UTF8, flags=UTF8), folder(UMLAUTS_UTF8 + b"-d/", flags=UTF8)],
    "a name in Info-ZIP's field": [file(b"short", extra=unicode_path(b"short", UMLAUTS_UTF8))],
    "a name in Info-ZIP's field, for another name": [file(b"short", extra=unicode_path(b"other", UMLAUTS_UTF8))],
    "a name in Info-ZIP's field, of another version": [file(b"short", extra=unicode_path(b"short", UMLAUTS_UTF8).replace(b"\1", b"\2", 1))],
    "a name in Info-ZIP's field, CP437 in the header": [file(UMLAUTS, extra=unicode_path(UMLAUTS, UMLAUTS_UTF8))],
    "a name in Info-ZIP's field, made on FAT": [file(UMLAUTS, system=FAT, mode=0, extra=unicode_path(UMLAUTS, UMLAUTS_UTF8))],
    "a name in Info-ZIP's field in the directory alone": [file(b"short", extra=unicode_path(b"short", UMLAUTS_UTF8), local_extra=b"")],
    "backslashes, made on Unix": [file(b"a\\b"), file(b"d/e\\f")],
    "backslashes, made on FAT": [file(b"x\\main.py", system=FAT, mode=0), file(b"x\\sub\\b.txt", system=FAT, mode=0), file(b"top", system=FAT, mode=0)],
    "both separators, made on FAT": [file(b"x/a\\b", system=FAT, mode=0)],
    "both separators, made on Unix": [file(b"x/a\\b")],
    "a folder with a backslash at its end, made on FAT": [folder(b"x\\", system=FAT, mode=0), file(b"x\\a", system=FAT, mode=0)],
    "a name of 255 bytes": [file(b"n" * 255), file(b"p" * 200 + b"/" + b"q" * 200)],
    # Repeated names (c08).
    "a file twice, the same": [file(b"META-INF/LICENSE", b"same"), file(b"META-INF/LICENSE", b"same")],
    "a file twice, different": [file(b"META-INF/LICENSE", b"one"), file(b"META-INF/LICENSE", b"two"), file(b"z")],
    "a file twice, the second one empty": [file(b"a", b"one"), file(b"a", b"")],
    "a file twice, the second one executable": [file(b"a"), file(b"a", mode=0o100755)],
    "a file twice, once with a dot": [file(b"a", b"one"), file(b"./a", b"two")],
    "a folder twice": [folder(b"d/", mode=0o40700), file(b"d/a"), folder(b"d/", mode=0o40755)],
    "a link twice": [link(b"l", b"one"), link(b"l", b"two")],
    "a link, then a file in its place": [file(b"a"), link(b"l", b"a"), file(b"l", b"new")],
    "a file, then a link in its place": [file(b"a"), file(b"l"), link(b"l", b"a")],
    "two entries of one place": [file(b"a"), file(b"b")],
    # Links and modes.
    "links to everywhere": [link(b"l%d" % number, target) for number, target in enumerate([b"/dev/null", b"..", b"/", b"l3", b"missing", b"a/../../b"])],
    "a link without a target": [link(b"l", b""), file(b"a")],
    "a link made on FAT": [link(b"l", b"a", system=FAT), file(b"a")],
    "a file below a link to a folder": [file(b"d/x"), link(b"l", b"d"), file(b"l/a")],
    "a file below a link to the outside": [link(b"l", b"/nonexistent"), file(b"l/a")],
    "no kind in the mode": [file(b"a", mode=0o640), folder(b"d/", mode=0o750)],
    "read-only, made on FAT": [file(b"a", system=FAT, mode=0, attributes=1), folder(b"d/", system=FAT, mode=0)],
    "a Unix mode, made on FAT": [file(b"a", system=FAT, mode=0o100755)],
    "a Unix mode, made on NTFS": [file(b"a", system=NTFS, mode=0o100755)],
    "made on Darwin": [file(b"a", system=DARWIN, mode=0o100755), folder(b"d/", system=DARWIN)],
    "made on VFAT": [file(b"a", system=14, mode=0)],
    "set-user-id bits": [file(b"a", mode=0o104755), folder(b"d/", mode=0o41777)],
    "folders without permissions": [folder(b"d/", mode=0o40000), folder(b"d/e/", mode=0o40555), file(b"d/e/a", mode=0o100000)],
    # Times.
    "a time in a field": [file(b"a", extra=times(1_600_000_001)), folder(b"d/", extra=times(1_600_000_003))],
    "a time before 1970 in a field": [file(b"a", extra=times(-1000))],
    "a time in the directory's field alone": [file(b"a", extra=times(1_600_000_001), local_extra=b"")],
    "a time in the local field alone": [file(b"a", extra=b"", local_extra=times(1_600_000_001))],
    "a date of zeros": [file(b"a", date=0), folder(b"d/", date=0)],
    "a date of 2107": [file(b"a", date=127 << 9 | 12 << 5 | 31)],
    "a time in an old Unix field": [file(b"a", extra=field(0x5855, struct.pack("<II", 1_600_000_001, 1_600_000_001)))],
    "NTFS times": [file(b"a", extra=field(0x000A, bytes(4) + struct.pack("<HH", 1, 24) + struct.pack("<QQQ", *[132_000_000_000_000_000] * 3)))],
    # Fields that the worker ignores, and damaged fields.
    "an unknown field": [file(b"a", extra=field(0xCAFE, b"")), file(b"b", extra=field(0x7875, b"\1\4\0\0\0\0\4\0\0\0\0"))],
    "a damaged field": [file(b"a", extra=b"\x55\x54\xff\x00x")],
    "padding in the local field": [file(b"a", local_extra=bytes(5))],
    "damaged bzip2": [file(b"a", method=12, data=b"x")],
    "Zstandard": [file(b"a", method=93, data=b"x")],
    "encryption": [file(b"a", flags=1, data=bytes(19))],
}
WHOLE = {
    "nothing": archive(),
    "nothing but a comment": archive(comment=b"a comment"),
    "a comment": archive(*AB, comment=b"a comment"),
    "gaps between the entries": archive(*AB, between=b"gap"),
    "zeros behind": archive(*AB) + bytes(100),
    "no end": archive(*AB)[:-22],
    "a cut end": archive(*AB)[:-3],
    "a split mark in front": archive(*AB, before=b"PK00", shifted=4),
    "65,535 entries": archive(*numbered(65_535)),
    "65,600 entries without Zip64": archive(*numbered(65_600), count=64),
    "too few entries counted": archive(*AB, count=1),
    "too many entries counted": archive(*AB, count=3),
}


REFUSED = {
    "both separators, made on FAT": BOTH_SEPARATORS,
}
ONLY_FAT = "unzip treats a backslash as a separator only on FAT, but .NET also writes it on NTFS"
BELIEVES_LOCAL = "unzip uses the local header's sizes, but the worker uses the directory's and checks the CRC"
OWN_FOLDERS = "unzip sets no mode on a folder that it has already created for a file"
NO_MODE = "unzip creates unreadable files if a library stored no mode"
BY_ATTRIBUTE = "unzip creates an empty file for a folder that has the DOS attribute but no slash in its name"
INSTEAD = [
    ("local sizes of 0 without a descriptor", [file(b"a", local_sizes=(0, 0), local_crc=0), file(b"b", BIG, local_sizes=(0, 0), local_crc=0)],
     [file(b"a"), file(b"b", BIG)], BELIEVES_LOCAL),
    ("a file, then its folder", [file(b"d/a"), folder(b"d/", mode=0o40700)], [folder(b"d/", mode=0o40700), file(b"d/a")], OWN_FOLDERS),
    ("no mode at all", [file(b"a", mode=0), folder(b"d/", mode=0), file(b"d/b", mode=0)], [file(b"a"), folder(b"d/"), file(b"d/b")], NO_MODE),
    ("a folder by its attribute alone", [file(b"d", b"", system=FAT, mode=0, attributes=0x10)], [folder(b"d/")], BY_ATTRIBUTE),
    ("a name in CP437, made on FAT", [file(UMLAUTS, system=FAT, mode=0)], [file(UMLAUTS_UTF8, mode=0o100644)], LATIN_BYTES),
    ("a name in UTF-8, made on FAT", [file(UMLAUTS_UTF8, flags=UTF8, system=FAT, mode=0)], [file(UMLAUTS_UTF8, mode=0o100644)], LATIN_BYTES),
    ("backslashes, made on NTFS", [file(b"x\\a", system=NTFS, mode=0), file(b"x\\y\\b", system=NTFS, mode=0)],
     [file(b"x/a", mode=0o100644), file(b"x/y/b", mode=0o100644)], ONLY_FAT),
]


def cases():
    for name, content in {**{name: archive(*entries) for name, entries in BY_HAND.items()}, **WHOLE}.items():
        yield Case(f"by hand: zip with {name}", "by hand", "zip", lambda path, content=content: path.write_bytes(content), tree="by hand",
                   refused=REFUSED.get(name, ""))
    # The reference tool unpacks an equivalent archive.
    for name, entries, same, differs in INSTEAD:
        yield Case(f"by hand: zip with {name}", "by hand", "zip", lambda path, entries=entries: path.write_bytes(archive(*entries)), tree="by hand",
                   instead=lambda path, same=same: path.write_bytes(archive(*same)), differs=differs)
