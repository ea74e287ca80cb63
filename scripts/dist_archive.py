"""Writes files into a tar archive whose bytes depend on their contents alone.

Usage: dist_archive.py ARCHIVE FOLDER PROGRAM FILE...: all in FOLDER, the first one
executable.
"""

import gzip
import os
import sys
import tarfile


def main(archive, folder, program, *others):
    with open(archive, "wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for path in (program, *others):
                entry = tarfile.TarInfo(f"{folder}/{os.path.basename(path)}")
                entry.size = os.path.getsize(path)
                entry.mode = 0o755 if path == program else 0o644
                with open(path, "rb") as file:
                    tar.addfile(entry, file)


main(*sys.argv[1:])
