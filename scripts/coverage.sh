#!/usr/bin/env bash
# Runs the fast tests with the compiler's coverage counters and prints how many
# lines of each file they run. It asserts no figure: what a line that is run is
# worth, `make mutants` tells.
# The LLVM tools are those of the toolchain in use (rustup's llvm-tools) or of
# Debian's package for the same version of LLVM, unpacked below .local/llvm.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need rustc "install Rust from https://rustup.rs"
host=$(rustc -vV | sed -n 's/^host: //p')
version=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
of_rustup="$(rustc --print sysroot)/lib/rustlib/$host/bin"

# Debian's llvm-cov and llvm-profdata, with wrappers that find their libraries.
unpack() {
  local new="$LOCAL/llvm.new" deb tool
  rm -rf "$new"
  mkdir -p "$new/bin"
  (cd "$new" && apt-get download "llvm-$version" "libllvm$version") || return
  for deb in "$new"/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -f "$new"/*.deb
  for tool in llvm-cov llvm-profdata; do
    cat >"$new/bin/$tool" <<SH
#!/bin/sh
root=\$(CDPATH= cd -- "\$(dirname -- "\$0")/.." && pwd)
export LD_LIBRARY_PATH="\$root/usr/lib/x86_64-linux-gnu:\$root/usr/lib/aarch64-linux-gnu:\$root/usr/lib/llvm-$version/lib"
exec "\$root/usr/lib/llvm-$version/bin/$tool" "\$@"
SH
    chmod +x "$new/bin/$tool"
    "$new/bin/$tool" --version || return
  done
  put_in_place "$new" "$LOCAL/llvm"
}

locked llvm
fresh_log llvm
if [ ! -x "$of_rustup/llvm-cov" ] && command -v rustup >/dev/null 2>&1; then
  say "adding the component llvm-tools (rustup, up to 2 minutes)"
  timeout 120 rustup component add llvm-tools >>"$LOGS/llvm.log" 2>&1 </dev/null || true
fi
if [ -x "$of_rustup/llvm-cov" ]; then
  tools=$of_rustup
else
  tools="$LOCAL/llvm/bin"
  if ! stamped llvm "$version" || [ ! -x "$tools/llvm-cov" ]; then
    for tool in apt-get dpkg-deb; do need "$tool" "with rustup and a network: rustup component add llvm-tools"; done
    say "unpacking LLVM $version from Debian's packages (200 MB)"
    logged llvm unpack || die "the tools of LLVM $version could not be had" \
      "with rustup and a network: rustup component add llvm-tools" "on Debian 12: apt-get update, and run this again"
    stamp llvm "$version"
  fi
fi
cargo_llvm_cov=$(scripts/install-cargo-tool.sh cargo-llvm-cov)
# What is not of the product: tests, and the host functions that exist in the module alone.
exec env "LLVM_COV=$tools/llvm-cov" "LLVM_PROFDATA=$tools/llvm-profdata" "$cargo_llvm_cov" llvm-cov \
  --locked --lib --bins --tests --summary-only --ignore-filename-regex '(^|/)tests(\.rs$|/)|src/shell/' "$@"
