#!/usr/bin/env bash
# Copies a module with hints for the engine in it: which way its branches go when
# it decides about usual requests (docs/adr/0027-the-module-hints-at-usual-ways.md).
# Usage: scripts/hint-wasm.sh FROM TO
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

tool="scripts/branch-hints"
out="$ROOT/target/branch-hints"
# What the hints depend on, beside the file that has them.
of=$(key "$1" "$tool/Cargo.lock" "$tool"/src/*.rs tests/cost/{exchanges,host}.rs tests/counts/cases.rs)
if [ ! -f "$2" ] || [ ! -f "$2.of" ] || [ "$(<"$2.of")" != "$of" ]; then
  need cargo "install Rust with cargo"
  fresh_log branch-hints
  say "finding the usual ways through the module (1 to 2 minutes the first time)"
  logged branch-hints cargo build --locked --manifest-path "$tool/Cargo.toml" --target-dir "$out" ||
    die "the program that writes hints did not compile" "the whole log: .local/log/branch-hints.log"
  rm -f "$2.of"
  logged branch-hints "$out/debug/branch-hints" "$1" "$2" ||
    die "no hints could be written" "the whole log: .local/log/branch-hints.log"
  printf '%s\n' "$of" >"$2.of"
fi
