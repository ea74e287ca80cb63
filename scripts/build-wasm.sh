#!/usr/bin/env bash
# Compiles a module for wasm32-wasip1 in the release profile and puts it to
# target/ (left untouched when nothing changed). Prints the file's path.
# Usage: scripts/build-wasm.sh [MODULE], one of
# n8n-idp-gate   the filter; the default
#   host-crypto    the module of the conformance test
#   neighbour      the module that reads and writes what the filter shares
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

module=${1:-n8n-idp-gate}
# cargo optimises across crates (lto) only if an artifact is of no other type, so
# the type of the library is given here.
case "$module" in
  n8n-idp-gate) what=(rustc --lib --crate-type cdylib) built=n8n_idp_gate.wasm ;;
  host-crypto) what=(build --example host_crypto) built=examples/host_crypto.wasm ;;
  neighbour) what=(build --example neighbour) built=examples/neighbour.wasm ;;
  *) die "there is no module '$module'" "it may be n8n-idp-gate, host-crypto or neighbour" ;;
esac
dir="$ROOT/target/wasm"
out="$ROOT/target/$module.wasm"

[ -f Cargo.lock ] || die "Cargo.lock is missing" "run this in a complete checkout"
compile_wasm build-wasm "$module" "$dir" "${what[@]}"
built="$dir/$WASM_TARGET/release/$built"
trimmed="$built.trimmed"
if [ "$module" = n8n-idp-gate ]; then
  scripts/trim-wasm.sh "$built" "$trimmed"
else
  cp "$built" "$trimmed"
fi
# Shrinking takes half a minute: only what has changed is shrunk.
if ! cmp -s "$trimmed" "$built.shrunk-from" || [ ! -f "$built.shrunk" ]; then
  shrink "$trimmed" "$built.shrunk"
  cp "$trimmed" "$built.shrunk-from"
fi
if [ "$module" = n8n-idp-gate ]; then
  scripts/hint-wasm.sh "$built.shrunk" "$built.hinted"
  keep "$built.hinted" "$out"
else
  keep "$built.shrunk" "$out"
fi
printf '%s\n' "$out"
