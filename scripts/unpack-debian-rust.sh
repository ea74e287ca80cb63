#!/usr/bin/env bash
# Unpacks Debian's Rust compiler, cargo, standard library source, linker and
# wasi-libc into the directory given, from Debian's own packages and without
# installing any. wasm-toolchain.sh calls it when rustup cannot add the target.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

final=${1:?usage: scripts/unpack-debian-rust.sh DIRECTORY}
new="$final.new"

# The compiler's own packages are always unpacked; of what else they depend on,
# only what this machine does not have.
std=$(apt-cache depends libstd-rust-web-dev | awk '/Depends: libstd-rust-web-[0-9]/ {print $2; exit}')
libllvm=$(apt-cache depends "$std" | awk '/Depends: libllvm[0-9]/ {print $2; exit}')
llvm=${libllvm#libllvm}
rm -rf "$new"
mkdir -p "$new/debs" "$new/bin"
apt-get install -s --reinstall --no-install-recommends \
  rustc-web cargo-web rust-web-src wasi-libc libstd-rust-web-dev "$std" "$libllvm" "lld-$llvm" |
  awk '$1 == "Inst" {print $2}' | sort -u >"$new/packages.txt"
(cd "$new/debs" && xargs apt-get download <../packages.txt)

for deb in "$new"/debs/*.deb; do
  case "$deb" in
    # Of the source only the standard library is needed.
    */rust-web-src_*) only=(--wildcards './usr/src/*/library' './usr/lib/*') ;;
    *) only=(--exclude './usr/share/*') ;;
  esac
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$new" "${only[@]}"
done
rm -rf "$new/debs"

# Wrappers that find everything from where they lie, so that the directory can be
# moved. rustc's adds the target's linker and C library: no RUSTFLAGS are needed.
for tool in cargo rustc wasm-ld; do
  cat >"$new/bin/$tool" <<'SH'
#!/bin/sh
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/aarch64-linux-gnu"
SH
  chmod +x "$new/bin/$tool"
done
cat >>"$new/bin/cargo" <<'SH'
exec "$root/usr/bin/cargo" "$@"
SH
cat >>"$new/bin/rustc" <<'SH'
case " $* " in
  *' --target wasm32-wasip1 '*) set -- "$@" -C linker="$root/bin/wasm-ld" -L native="$root/usr/lib/wasm32-wasi" ;;
esac
exec "$root/usr/bin/rustc" "$@"
SH
cat >>"$new/bin/wasm-ld" <<SH
exec "\$root/usr/lib/llvm-$llvm/bin/wasm-ld" "\$@"
SH

"$new/bin/rustc" -vV
"$new/bin/cargo" -V
"$new/bin/wasm-ld" --version
[ -d "$new/usr/lib/rustlib/src/rust/library/std" ]
[ -f "$new/usr/lib/wasm32-wasi/crt1-reactor.o" ]
put_in_place "$new" "$final"
