#!/usr/bin/env bash
# Compiles the filter for wasm32-wasip1 in the release profile and puts it to
# target/n8n-idp-gate.wasm (left untouched when nothing changed). Prints the
# file's path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

dir="$ROOT/target/wasm"
out="$ROOT/target/n8n-idp-gate.wasm"

[ -f Cargo.lock ] || die "Cargo.lock is missing" "run this in a complete checkout"
compile_wasm build-wasm "the filter" "$dir" --lib
keep "$dir/$WASM_TARGET/release/n8n_idp_gate.wasm" "$out"
printf '%s\n' "$out"
