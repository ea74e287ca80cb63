#!/usr/bin/env bash
# Finds a way to compile Rust for wasm32-wasip1 and prints its name:
#   rustup   the toolchain in use has the target, or rustup could add it;
#   debian   Debian's compiler, standard library source and wasi-libc, unpacked
#            below .local/debian-rust from Debian's packages, system untouched.
# The second way is for machines where rustup cannot download. WASM_TOOLCHAIN in
# the environment (rustup or debian) picks one instead of trying both.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

target=wasm32-wasip1
debian="$LOCAL/debian-rust"
layout=1 # raise it when what is unpacked below changes

has_target() { compgen -G "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; }

found() {
  printf '%s\n' "$1"
  exit 0
}

# The compiler's, the linker's and cargo's wrappers. They find everything from
# where they lie, so that the directory can be moved; rustc's adds the linker
# and the C library of the target, so that no RUSTFLAGS are needed.
write_wrappers() {
  local bin="$1/bin" llvm="$2"
  mkdir -p "$bin"
  local head='#!/bin/sh
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/aarch64-linux-gnu"'
  printf '%s\nexec "$root/usr/bin/cargo" "$@"\n' "$head" >"$bin/cargo"
  printf '%s\nexec "$root/usr/lib/llvm-%s/bin/wasm-ld" "$@"\n' "$head" "$llvm" >"$bin/wasm-ld"
  printf '%s\n' "$head" "case \" \$* \" in
  *' --target $target '*) set -- \"\$@\" -C linker=\"\$root/bin/wasm-ld\" -L native=\"\$root/usr/lib/wasm32-wasi\" ;;
esac" 'exec "$root/usr/bin/rustc" "$@"' >"$bin/rustc"
  chmod +x "$bin/cargo" "$bin/rustc" "$bin/wasm-ld"
}

# The names of the packages to unpack: the compiler's own, always, and whatever
# else they depend on that this machine does not have.
packages() {
  local std llvm
  std=$(apt-cache depends libstd-rust-web-dev | awk '/Depends: libstd-rust-web-[0-9]/ {print $2; exit}')
  llvm=$(apt-cache depends "$std" | awk '/Depends: libllvm[0-9]/ {print $2; exit}')
  apt-get install -s --reinstall --no-install-recommends \
    rustc-web cargo-web rust-web-src wasi-libc libstd-rust-web-dev "$std" "$llvm" "lld-${llvm#libllvm}" |
    awk '$1 == "Inst" {print $2}' | sort -u
}

unpack() {
  local new="$debian.new" deb llvm
  rm -rf "$new"
  mkdir -p "$new/debs"
  chmod a+rx "$new/debs"
  packages >"$new/packages.txt"
  grep -q '^rust-web-src$' "$new/packages.txt"
  (cd "$new/debs" && xargs apt-get download <../packages.txt)
  for deb in "$new"/debs/*.deb; do
    case "$deb" in
      # Of the source only the standard library is needed.
      */rust-web-src_*) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --wildcards './usr/src/*/library' './usr/lib/*' ;;
      *) dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" --exclude './usr/share/*' ;;
    esac
  done
  rm -rf "$new/debs"
  llvm=$(sed -n 's/^lld-//p' "$new/packages.txt")
  write_wrappers "$new" "$llvm"
  "$new/bin/rustc" -vV
  "$new/bin/cargo" -V
  "$new/bin/wasm-ld" --version
  [ -d "$new/usr/lib/rustlib/src/rust/library/std" ]
  [ -f "$new/usr/lib/wasm32-wasi/crt1-reactor.o" ]
  put_in_place "$new" "$debian"
}

locked wasm-toolchain
need cargo "install Rust from https://rustup.rs"
need rustc "install Rust from https://rustup.rs"
want=${WASM_TOOLCHAIN:-any}
case "$want" in
  any | rustup | debian) ;;
  *) die "WASM_TOOLCHAIN is '$want'" "it may be rustup or debian" ;;
esac
if [ "$want" != debian ] && has_target; then found rustup; fi
if [ "$want" != rustup ] && stamped debian-rust "$layout" && [ -x "$debian/bin/rustc" ]; then found debian; fi

fresh_log wasm-toolchain
if [ "$want" != debian ] && command -v rustup >/dev/null 2>&1; then
  say "adding the Rust target $target (rustup, up to 2 minutes)"
  timeout 120 rustup target add "$target" >>"$LOGS/wasm-toolchain.log" 2>&1 </dev/null || true
  if has_target; then found rustup; fi
  say "rustup could not download it"
fi

[ "$want" != rustup ] || die "the Rust toolchain in use has no target $target" "rustup target add $target"
advice=("with rustup and a network: rustup target add $target"
  "on Debian 12: apt-get update, and run this again")
for tool in apt-get apt-cache dpkg-deb; do
  command -v "$tool" >/dev/null 2>&1 || die "no way to compile for $target was found" "${advice[@]}"
done
need cc "build scripts need a C linker (Debian: apt-get install gcc libc6-dev)"
if [ "$(id -u)" = 0 ]; then
  say "refreshing Debian's package lists"
  apt-get update -q >>"$LOGS/wasm-toolchain.log" 2>&1 </dev/null || say "that failed; going on with the lists at hand"
fi
apt-cache show rust-web-src >/dev/null 2>&1 ||
  die "no way to compile for $target was found: Debian's package rust-web-src is not in the lists" "${advice[@]}"
say "unpacking Debian's Rust compiler into .local/debian-rust (about 15 seconds, 500 MB)"
logged wasm-toolchain bash -c "$(declare -f packages unpack write_wrappers put_in_place)
  set -euo pipefail; debian='$debian' target='$target'; unpack" ||
  die "Debian's Rust compiler could not be unpacked" "the whole log: .local/log/wasm-toolchain.log" "${advice[0]}"
stamp debian-rust "$layout"
found debian
