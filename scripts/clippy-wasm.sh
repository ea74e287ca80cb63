#!/usr/bin/env bash
# Runs clippy for wasm32-wasip1, with warnings as errors, over the code that no
# native build has: the adapter in src/shell and the modules of the tests. Only
# rustup's toolchain has a clippy that knows the standard library of this target.
# Where another one compiles the module, this says so and does not fail, unless
# WASM_CLIPPY=required is in the environment.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

toolchain=$(scripts/wasm-toolchain.sh)
if [ "$toolchain" = rustup ]; then
  cargo clippy --locked --lib --example host_crypto --example neighbour \
    --target "$WASM_TARGET" --target-dir "$ROOT/target/wasm" -- -D warnings
elif [ "${WASM_CLIPPY:-}" = required ]; then
  die "the toolchain '$toolchain' has no clippy for $WASM_TARGET" "rustup target add $WASM_TARGET"
else
  say "src/shell NOT linted: the toolchain '$toolchain' has no clippy for $WASM_TARGET (rustup target add $WASM_TARGET)"
fi
