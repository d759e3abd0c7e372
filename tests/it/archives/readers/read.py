"""Reads an archive with zipfile, and prints a line for each entry: name in hex, size, CRC. Then unpacks it and packs it again in each time
zone, because zipfile can't pack a time before 1980. Usage: `read.py ARCHIVE FOLDER`."""

import os
import subprocess
import sys
import time
import zipfile
import zlib

# From UTC-11 (Pacific/Midway) to UTC+14 (Pacific/Kiritimati), in a form that needs no zone database. POSIX counts them westwards.
ZONES = [f"ZONE{-hours:+d}" for hours in range(-11, 15)]


def main():
    archive, folder = sys.argv[1:]
    with zipfile.ZipFile(archive) as made:
        assert made.testzip() is None
        for info in made.infolist():
            content = made.read(info)
            print(info.filename.encode().hex(), len(content), zlib.crc32(content))
    times = {date_of_unpacked(archive, os.path.join(folder, str(number)), zone) for number, zone in enumerate(ZONES)}
    for zone in ZONES:
        for seconds in times:
            repack(zone, seconds, os.path.join(folder, "file"))


def date_of_unpacked(archive, into, zone):
    """Unpacks with unzip, which interprets a date as local time. Returns the oldest time of a file."""
    subprocess.run(["unzip", "-q", archive, "-d", into], env={**os.environ, "TZ": zone}, stdin=subprocess.DEVNULL, check=True)
    found = [os.path.join(below, name) for below, _, files in os.walk(into) for name in files]
    return min(os.lstat(path).st_mtime for path in found if not os.path.islink(path))


def repack(zone, seconds, path):
    os.environ["TZ"] = zone
    time.tzset()
    with open(path, "w"):
        pass
    os.utime(path, (seconds, seconds))
    with zipfile.ZipFile(path + ".zip", "w") as made:
        made.write(path, "file")


main()
