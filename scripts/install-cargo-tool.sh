#!/usr/bin/env bash
# Compiles a tool from crates.io, at the version below, into .local/cargo-tools.
# Prints the path of its program.
# Usage: scripts/install-cargo-tool.sh NAME
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

declare -A versions=(
  [cargo-cyclonedx]=0.5.9
  [cargo-deny]=0.20.2
  [cargo-llvm-cov]=0.9.1
  [cargo-mutants]=27.1.0
  [cargo-nextest]=0.9.151
)
tool=${1:?usage: scripts/install-cargo-tool.sh NAME}
version=${versions[$tool]-}
[ -n "$version" ] || die "there is no tool '$tool' here" "it may be one of: ${!versions[*]}"
program="$LOCAL/cargo-tools/bin/$tool"

need cargo "install Rust from https://rustup.rs"
locked "$tool"
if ! stamped "$tool" "$version" || [ ! -x "$program" ]; then
  say "compiling $tool $version (some minutes, once; log: .local/log/$tool.log)"
  fresh_log "$tool"
  # A target directory of its own: two tools may be compiled at the same time.
  logged "$tool" cargo install --root "$LOCAL/cargo-tools" --target-dir "$LOCAL/cargo-tools/target-$tool" \
    --version "$version" --locked "$tool" ||
    die "$tool $version could not be compiled" "cargo must reach crates.io" "the whole log: .local/log/$tool.log"
  rm -rf "$LOCAL/cargo-tools/target-$tool"
  stamp "$tool" "$version"
fi
printf '%s\n' "$program"
