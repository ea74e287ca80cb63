#!/usr/bin/env bash
# Compiles the filters that `make bench` compares this one with, and puts them to
# target/bench: nothing.wasm, trivial.wasm, which does next to nothing, and
# calls.wasm, which calls the host as this one does.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

dir="$ROOT/target/wasm-bench"

compile_wasm build-bench-wasm "the filters of the benchmark" "$dir" build \
  --manifest-path tests/bench/nothing/Cargo.toml --examples
mkdir -p target/bench
for name in nothing trivial; do
  keep "$dir/$WASM_TARGET/release/examples/$name.wasm" "target/bench/$name.wasm"
done
# The host enters it for the same events as this one.
calls="$dir/$WASM_TARGET/release/examples/calls.wasm"
scripts/trim-wasm.sh "$calls" "$calls.trimmed"
keep "$calls.trimmed" target/bench/calls.wasm
