#!/usr/bin/env bash
# Compiles the two filters that `make bench` compares this one with, which do
# nothing and next to nothing, and puts them to target/bench/nothing.wasm and
# target/bench/trivial.wasm.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

dir="$ROOT/target/wasm-bench"

compile_wasm build-bench-wasm "the filters of the benchmark" "$dir" build \
  --manifest-path tests/bench/nothing/Cargo.toml --examples
mkdir -p target/bench
for name in nothing trivial; do
  keep "$dir/$WASM_TARGET/release/examples/$name.wasm" "target/bench/$name.wasm"
done
