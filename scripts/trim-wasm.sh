#!/usr/bin/env bash
# Copies a module without the exports that wasm-exports.txt does not list.
# Usage: scripts/trim-wasm.sh FROM TO
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need python3 "install Python 3 (Debian: apt-get install python3)"

PYTHONPATH=scripts python3 -B - "$1" "$2" scripts/wasm-exports.txt <<'PYTHON'
import sys

from wasm_sections import EXPORTS, exports, listed, sections

source, target, list_path = sys.argv[1:]
kept = listed(list_path)
data = open(source, "rb").read()


def encoded(value):
    """A number in unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def trimmed(start):
    """The export section that begins there, with what is listed alone."""
    entries = [data[entry:end] for name, entry, end in exports(data, start) if name in kept]
    return encoded(len(entries)) + b"".join(entries)


out = bytearray(data[:8])
for section, start, end in sections(data):
    body = trimmed(start) if section == EXPORTS else data[start:end]
    out += bytes([section]) + encoded(len(body)) + body
open(target, "wb").write(out)
PYTHON
