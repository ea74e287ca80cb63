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
layout=1 # raise it when unpack-debian-rust.sh changes what it unpacks

has_target() { compgen -G "$(rustc --print sysroot 2>/dev/null)/lib/rustlib/$target/lib/libstd-*.rlib" >/dev/null; }

found() {
  printf '%s\n' "$1"
  exit 0
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
logged wasm-toolchain scripts/unpack-debian-rust.sh "$debian" ||
  die "Debian's Rust compiler could not be unpacked" "the whole log: .local/log/wasm-toolchain.log" "${advice[0]}"
stamp debian-rust "$layout"
found debian
