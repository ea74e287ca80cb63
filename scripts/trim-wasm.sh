#!/usr/bin/env bash
# Copies a module without the exports that wasm-exports.txt does not list.
# Usage: scripts/trim-wasm.sh FROM TO
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need python3 "install Python 3 (Debian: apt-get install python3)"

python3 - "$1" "$2" scripts/wasm-exports.txt <<'PYTHON'
import sys

source, target, list_path = sys.argv[1:]
kept = {line.strip() for line in open(list_path) if line.strip() and not line.startswith("#")}
data = open(source, "rb").read()


def number(at):
    """An unsigned LEB128 number and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def encoded(value):
    """A number in unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def trimmed(at):
    """The export section that begins at a position, with what is listed alone."""
    count, at = number(at)
    entries = []
    for _ in range(count):
        start = at
        length, at = number(at)
        name = data[at : at + length].decode()
        at = number(at + length + 1)[1]  # the kind, then the index
        if name in kept:
            entries.append(data[start:at])
    return encoded(len(entries)) + b"".join(entries)


out, at = bytearray(data[:8]), 8
while at < len(data):
    section, (size, start) = data[at], number(at + 1)
    body = trimmed(start) if section == 7 else data[start : start + size]
    out += bytes([section]) + encoded(len(body)) + body
    at = start + size
open(target, "wb").write(out)
PYTHON
