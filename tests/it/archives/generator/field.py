"""Archives of common tools that are not installed here. Their bytes follow the tools' source or documentation."""

import gzip
import struct

import tar_by_hand as tar
import zip_by_hand as zips
from cases import Case
from zip_by_hand import DESCRIPTOR, FAT, NTFS, UTF8, UNIX, Entry, archive, field, file, folder, link, streamed, times

FILE, DIR = 0x20, 0x10
INFO_ZIP_NTFS = 11
JAR_MARKER = field(0xCAFE, b"")
DECOMPOSED = "Gru\u0308\u00dfe".encode()


def windows(name, **more):
    """Has no Unix mode, as from every tool on Windows."""
    is_folder = name.endswith((b"/", b"\\"))
    return Entry(name, b"" if is_folder else b"content", 0 if is_folder else 8, mode=0, attributes=DIR if is_folder else FILE, **{"system": FAT, **more})


def go(name, content=b"content", **more):
    """archive/zip of Go: sizes after the data, except for a folder."""
    if name.endswith(b"/"):
        return Entry(name, b"", 0, flags=more.pop("flags", 0), **more)
    return Entry(name, content, **streamed(**more))


def go_mode(mode):
    return {"system": UNIX, "mode": mode, "extra": times(1_700_000_001)}


def mac(name, content=b"content", mode=0o100644):
    """Archive Utility of macOS (ditto): old Unix fields, sizes after the data. Names are decomposed UTF-8 without a flag."""
    stamps = struct.pack("<ii", 1_700_000_000, 1_700_000_002)
    fields = {"extra": field(0x5855, stamps), "local_extra": field(0x5855, stamps + struct.pack("<HH", 501, 20)), "made_with": 21}
    if name.endswith(b"/"):
        return Entry(name, b"", 0, mode=0o40755, attributes=0, **fields)
    if mode == 0o120755:
        return Entry(name, content, 0, mode=mode, **fields)
    return Entry(name, content, mode=mode, **{**streamed(), **fields})


def commons_compress(name, content=b"content"):
    """Apache Commons Compress (Ant, Maven) to a stream: an empty Zip64 field in the local header, ASi fields with the mode."""
    mode = 0o40755 if name.endswith(b"/") else 0o100644
    unix = struct.pack("<HIHH", mode, 0, 0, 0)
    asi = field(0x756E, struct.pack("<I", zips.zlib.crc32(unix)) + unix)
    zip64 = field(1, struct.pack("<QQ", 0, 0))
    return Entry(name, content, flags=UTF8 | DESCRIPTOR, version=45, mode=mode, extra=asi, local_extra=zip64 + asi, local_crc=0,
                 local_sizes=(zips.OPEN, zips.OPEN), descriptor="64")


ZIPS = {
    "Windows Explorer": [windows(b"top.txt"), windows(b"folder/"), windows(b"folder/a b (1).txt")],
    "Compress-Archive of PowerShell 5": [windows(b"src\\main.py"), windows(b"src\\sub\\b.txt"), windows(b"src\\hollow\\"), windows(b"appspec.yml")],
    ".NET 6 on Windows": [windows(b"src/main.py", flags=0), windows(b"hollow/"), windows(b"a.txt", flags=DESCRIPTOR, local_crc=0, local_sizes=(0, 0), descriptor="signed")],
    ".NET 6 on Linux": [file(b"src/main.py", mode=0o100755), folder(b"hollow/", mode=0o40755)],
    "7-Zip on Windows": [windows(b"src/", version=20), windows(b"src/a.txt", made_with=63,
                         extra=field(0x000A, bytes(4) + struct.pack("<HHQQQ", 1, 24, *[133_000_000_000_000_000] * 3)), local_extra=b"")],
    "WinZip on NTFS": [windows(b"dir/", system=NTFS), windows(b"dir/a.txt", system=NTFS, version=20)],
    "Info-ZIP on Windows": [windows(b"dir/", system=INFO_ZIP_NTFS, extra=times(1_700_000_001)), windows(b"dir/a.txt", system=INFO_ZIP_NTFS, extra=times(1_700_000_003))],
    "Go without a mode": [go(b"bootstrap", system=FAT, mode=0, date=0), go(b"dir/", system=FAT, mode=0, date=0), go(b"dir/empty", b"", system=FAT, mode=0, date=0)],
    "Go with modes": [go(b"bootstrap", **go_mode(0o100755)), go(b"dir/", **go_mode(0o40755)), go(b"l", b"bootstrap", **go_mode(0o120777))],
    "Terraform": [go(b"index.js", system=UNIX, mode=0o100644, date=(2049 - 1980) << 9 | 1 << 5 | 1)],
    "yazl": [Entry(b"a.js", made_with=63, mode=0o100664, **streamed(flags=UTF8 | DESCRIPTOR)), Entry(b"empty/", b"", 0, flags=UTF8, mode=0o40775)],
    "archiver": [Entry(b"a.js", mode=0o100644, **streamed()), Entry(b"dir/", b"", 0, mode=0o40755, attributes=DIR),
                 Entry(b"stored", method=0, mode=0o100644, **streamed()), link(b"l", b"a.js")],
    "JSZip": [Entry(b"a.js", system=FAT, version=10, mode=0, flags=UTF8 | DESCRIPTOR, descriptor="signed", local_crc=0, local_sizes=(0, 0)),
              Entry(b"dir/", b"", 0, system=FAT, version=10, mode=0, attributes=DIR)],
    "Commons Compress to a stream": [commons_compress(b"META-INF/", b""), commons_compress(b"META-INF/MANIFEST.MF"), commons_compress(b"a/B.class")],
    "Gradle": [Entry(b"META-INF/", b"", 0, flags=UTF8, mode=0o40755, date=2 << 5 | 1, extra=JAR_MARKER), Entry(b"META-INF/MANIFEST.MF", flags=UTF8, mode=0o100644, date=2 << 5 | 1),
               Entry(b"META-INF/LICENSE", b"one", mode=0o100644), Entry(b"META-INF/LICENSE", b"two", mode=0o100644)],
    "Android's zipalign": [Entry(b"classes.dex", method=0, system=FAT, mode=0, local_extra=bytes(3), date=1 << 5 | 1)],
    "Archive Utility of macOS": [mac(b"dir/"), mac(b"dir/run.sh", mode=0o100755), mac(b"__MACOSX/", b""), mac(b"__MACOSX/dir/._run.sh", b"\0\5\26\7" + bytes(60)),
                                 mac(DECOMPOSED), mac(b"empty", b""), mac(b"link", b"dir/run.sh", 0o120755)],
    "the zip crate of Rust": [Entry(b"bootstrap", made_with=46, mode=0o100755), Entry(b"big", made_with=46, local_sizes=(zips.OPEN, zips.OPEN), local_extra=field(1, struct.pack("<QQ", 7, 9)))],
    "CodeBuild": [go(b"dist/", system=UNIX, mode=0o40755, flags=0), go(b"dist/index.html", system=UNIX, mode=0o100644), go(b"dist/.env", system=UNIX, mode=0o100600)],
    "CodeCommit": [Entry(b"a.py", system=FAT, mode=0, **streamed(flags=UTF8 | DESCRIPTOR)), Entry(b"dir/b.py", b"", system=FAT, mode=0, **streamed(flags=UTF8 | DESCRIPTOR))],
}
SIGNED = bytearray(tar.file("Gr\u00fc\u00dfe".encode("latin-1"))[:512])


def signed_checksum():
    """Old tar programs of Sun add signed bytes."""
    block = bytearray(SIGNED)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in block)
    return bytes(block) + tar.padded(b"content")


def with_field(block, at, content):
    block = bytearray(block)
    block[at:at + len(content)] = content
    return tar.checked(block[:512]) + bytes(block[512:])


NPM_TIME = 499_162_500
TARS = {
    "npm": tar.file(b"package/package.json", b"{}", mode=0o644, time=NPM_TIME) + tar.file(b"package/cli.js", mode=0o755, time=NPM_TIME) + tar.END,
    "npm with folders that can't be entered": tar.folder(b"package/", 0o644) + tar.file(b"package/a", mode=0o666) + tar.folder(b"package/lib/", 0o666) + tar.file(b"package/lib/b", mode=0) + tar.END,
    "npm with records of node-tar": tar.pax({"NODETAR.depth": b"1", "NODETAR.type": b"File", "nlink": b"1", "dev": b"16777220", "ino": b"12"}) + tar.file(b"package/a") + tar.END,
    "codeload of GitHub": tar.pax({"comment": b"c0ffee" * 6 + b"c0ff"}, b"g") + tar.folder(b"project-main/", 0o775) + tar.file(b"project-main/a", mode=0o664)
                          + tar.symlink(b"project-main/l", b"a") + tar.END,
    "a layer of Docker": tar.folder(b"etc/") + tar.file(b"etc/.wh.passwd", b"") + tar.file(b"etc/.wh..wh..opq", b"") + tar.file(b"usr/bin/perl5.36", mode=0o755)
                         + tar.hard_link(b"usr/bin/perl", b"usr/bin/perl5.36") + tar.symlink(b"bin", b"/usr/bin") + tar.header(b"dev/null", b"3", mode=0o666)
                         + tar.pax({"SCHILY.xattr.security.capability": b"\1\0\0\2\0\x0a\0\0" + bytes(12)}) + tar.file(b"usr/bin/ping", mode=0o4755) + tar.END,
    "modes with a file's kind": tar.file(b"a", mode=0o100644) + tar.folder(b"d/", 0o40755) + tar.END,
    "a checksum of signed bytes": signed_checksum() + tar.END,
    "no time": with_field(tar.file(b"a"), 136, bytes(12)) + tar.END,
    "no mode": with_field(tar.file(b"a"), 100, bytes(8)) + tar.END,
    "no size of a folder": with_field(tar.folder(b"d/"), 124, bytes(12)) + tar.file(b"d/a") + tar.END,
    "a size of a folder": with_field(tar.folder(b"d/"), 124, b"00000000000\0") + tar.END,
    "a size of a link": with_field(tar.symlink(b"l", b"a"), 124, b"00000000007\0") + tar.file(b"b") + tar.END,
    "numbers with spaces in front": with_field(tar.file(b"a"), 100, b"   644 \0") + tar.END,
    "a size of twelve digits": with_field(tar.file(b"a"), 124, b"000000000007") + tar.END,
    "a checksum with spaces": tar.file(b"a")[:148] + b" " + tar.file(b"a")[148:154] + b"\0" + tar.file(b"a")[156:] + tar.END,
    "AppleDouble files of macOS": tar.pax({"LIBARCHIVE.xattr.com.apple.quarantine": b"MDA4MQ", "mtime": b"1700000000.123456"}) + tar.file(b"./._a", b"\0\5\26\7" + bytes(60))
                                  + tar.file(b"./a") + tar.END,
}


def cases():
    for name, entries in ZIPS.items():
        yield Case(f"field: zip of {name}", "field", "zip", lambda path, entries=entries: path.write_bytes(archive(*entries)), tree="field")
    for name, content in TARS.items():
        yield Case(f"field: tar of {name}", "field", "tar", lambda path, content=content: path.write_bytes(content), tree="field")
        yield Case(f"field: tar.gz of {name}", "field", "tar", lambda path, content=content: path.write_bytes(gzip.compress(content)), tree="field")
