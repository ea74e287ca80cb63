#!/usr/bin/env bash
# Checks a built filter: it may import only what scripts/wasm-imports.txt lists,
# it must export exactly what scripts/wasm-exports.txt lists, it has one custom
# section, the hints (Envoy can be told to run machine code from another), and it
# may not be larger than the budget below. Prints the figures.
# Usage: scripts/check-wasm.sh [FILE], by default target/n8n-idp-gate.wasm.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# What it took after revocations by push (34 kB), bearer tokens in n8n's description (36 kB), shadows (9 kB) and hints (6 kB),
# and some. The aim of tests/bench/aims.rs is lower. opt-level "z" would take 120 kB off, and costs a tenth of
# the time of a request with a token.
budget=1304000 # bytes
wasm=${1:-target/n8n-idp-gate.wasm}

need python3 "install Python 3 (Debian: apt-get install python3)"
[ -f "$wasm" ] || die "$wasm is not there" "make wasm"

PYTHONPATH=scripts python3 -B - "$wasm" scripts/wasm-imports.txt scripts/wasm-exports.txt "$budget" <<'PYTHON'
import sys

import wasm_sections
from wasm_sections import CUSTOM, EXPORTS, IMPORTS, name, number, sections

path, list_path, exports_path, budget = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
data = open(path, "rb").read()
if data[:8] != b"\0asm\1\0\0\0":
    sys.exit(f"error: {path} is not a WebAssembly module")


# Which way branches usually go: no code (docs/adr/0027-the-module-hints-at-usual-ways.md).
HINTS = "metadata.code.branch_hint"


def limits(at):
    flags = data[at]
    _, at = number(data, at + 1)
    return number(data, at)[1] if flags & 1 else at


def imports(start):
    count, at = number(data, start)
    for _ in range(count):
        module, at = name(data, at)
        item, at = name(data, at)
        kind = data[at]
        if kind == 0:  # function: its type's index
            at = number(data, at + 1)[1]
        elif kind == 1:  # table: element type, limits
            at = limits(at + 2)
        elif kind == 2:  # memory: limits
            at = limits(at + 1)
        elif kind == 3:  # global: value type, mutability
            at += 3
        else:
            sys.exit(f"error: {path} imports {module} {item} of unknown kind {kind}")
        yield f"{module} {item}" if kind == 0 else f"{module} {item} (not a function)"


def lines(path):
    listed = wasm_sections.listed(path)
    if listed != sorted(set(listed)):
        sys.exit(f"error: {path} is not sorted, or names something twice")
    return listed


found, exported, custom = set(), set(), []
for section, start, _ in sections(data):
    if section == CUSTOM:
        custom.append(name(data, start)[0])
    elif section == IMPORTS:
        found.update(imports(start))
    elif section == EXPORTS:
        exported.update(item for item, _, _ in wasm_sections.exports(data, start))
found = sorted(found)
listed = lines(list_path)
bad = [item for item in found if item not in listed]
for item in bad:
    print(f"error: import not allowed: {item}", file=sys.stderr)
if bad:
    print(f"       if it is meant to be there, and Envoy offers it, add it to {list_path}", file=sys.stderr)
print(f"imports: {len(found)}, all on the list of {len(listed)}" if not bad else f"imports: {len(found)}, {len(bad)} not allowed")
differing = exported ^ set(lines(exports_path))
for item in sorted(differing):
    print(f"error: exported and not listed, or listed and not exported: {item}", file=sys.stderr)
    bad.append(item)
print(f"exports: {len(exported)}" + (", as listed" if not differing else ", other than listed"))
if custom != [HINTS]:
    print(f"error: custom sections {custom}, and not {HINTS} alone", file=sys.stderr)
    bad.extend(custom or [HINTS])
print(f"size: {len(data)} bytes, {100 * len(data) / budget:.1f} % of the budget of {budget}")
if len(data) > budget:
    print(f"error: {path} is {len(data) - budget} bytes over the budget", file=sys.stderr)
sys.exit(1 if bad or len(data) > budget else 0)
PYTHON
