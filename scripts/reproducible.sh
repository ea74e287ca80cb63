#!/usr/bin/env bash
# Builds the filter a second time, from a copy of the tracked files at another
# path, into an empty target directory, and compares the bytes with those of
# target/n8n-idp-gate.wasm. Prints the digest.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need git "the copy has the files that git tracks"
need sha256sum "Debian: apt-get install coreutils"
first=$(scripts/build-wasm.sh)
copy=$(mktemp -d "${TMPDIR:-/tmp}/n8n-idp-gate-again.XXXXXX")
trap 'rm -rf "$copy"' EXIT
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --no-dereference -t "$copy"
ln -sfn "$LOCAL" "$copy/.local"
say "building once more in $copy"
second=$("$copy/scripts/build-wasm.sh")

digest() { sha256sum "$1" | cut -d' ' -f1; }
printf '%s  target/n8n-idp-gate.wasm, %s bytes\n' "$(digest "$first")" "$(stat -c %s "$first")"
cmp "$first" "$second" || die "two builds of the same sources differ" "first: $(digest "$first")" "second: $(digest "$second")"
printf 'a second build at another path is the same\n'
