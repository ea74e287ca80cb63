#!/usr/bin/env bash
# Compiles the filter for wasm32-wasip1 in the release profile, with the
# toolchain that wasm-toolchain.sh finds, and puts it to target/n8n-idp-gate.wasm
# (left untouched when nothing changed). It has a target directory of its own, so
# that it and native builds never invalidate each other. Prints the file's path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

target=wasm32-wasip1
dir="$ROOT/target/wasm"
out="$ROOT/target/n8n-idp-gate.wasm"
registry="${CARGO_HOME:-$HOME/.cargo}/registry/src"
debian="$LOCAL/debian-rust"

[ -f Cargo.lock ] || die "Cargo.lock is missing" "run this in a complete checkout"
toolchain=$(scripts/wasm-toolchain.sh)
locked build-wasm

# No path of the machine that builds ends up in the file.
remap() { flags+="'--remap-path-prefix=$1=$2',"; }
flags=""
remap "$ROOT" "."
for index in "$registry"/*/; do
  [ -d "$index" ] && remap "${index%/}" "crates"
done
build=(build --locked --lib --release --target "$target" --target-dir "$dir")
case "$toolchain" in
  rustup) cargo=(cargo) ;;
  debian)
    # Debian compiles no standard library for this target: cargo does, once.
    cargo=(env RUSTC_BOOTSTRAP=1 "RUSTC=$debian/bin/rustc" "$debian/bin/cargo")
    build+=(-Z "build-std=std,panic_abort")
    ;;
esac

fresh_log build-wasm
say "compiling the filter for $target ($toolchain; 1 to 2 minutes the first time)"
logged build-wasm "${cargo[@]}" "${build[@]}" --config "target.$target.rustflags=[$flags]" ||
  die "the filter did not compile for $target" "the whole log: .local/log/build-wasm.log"
cmp -s "$dir/$target/release/n8n_idp_gate.wasm" "$out" || cp "$dir/$target/release/n8n_idp_gate.wasm" "$out"
printf '%s\n' "$out"
