#!/usr/bin/env bash
# Makes the files of a release in target/dist: the module, the command-line
# program as a static binary and an archive of it, a bill of materials (CycloneDX)
# for each, and SHA256SUMS. RELEASE.md says how to sign and to verify them.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-wasm.sh

final="$ROOT/target/dist"
new="$final.new"
machine=$(uname -m)
musl="$machine-unknown-linux-musl"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

for tool in cargo rustc; do need "$tool" "install Rust from https://rustup.rs"; done
need sha256sum "Debian: apt-get install coreutils"
need python3 "install Python 3 (Debian: apt-get install python3)"
need readelf "Debian: apt-get install binutils"
[ "$(uname -s)" = Linux ] || die "the static binary is made on Linux" "cargo install --path . --locked works elsewhere"

has_target() { compgen -G "$(rustc --print sysroot)/lib/rustlib/$1/lib/libstd-*.rlib" >/dev/null; }

# musl's library makes a binary that needs nothing of the machine. Without it, that of
# glibc is linked statically: such a binary still looks for the glibc of the
# machine when it resolves a name, which `revoke` does.
fresh_log dist
if ! has_target "$musl" && command -v rustup >/dev/null 2>&1; then
  say "adding the Rust target $musl (rustup, up to 2 minutes)"
  logged dist timeout 120 rustup target add "$musl" 2>/dev/null || true
fi
if has_target "$musl"; then
  target=$musl
  flags=""
else
  target=$(rustc -vV | sed -n 's/^host: //p')
  flags="'-Ctarget-feature=+crt-static',"
  say "there is no target $musl here: the binary is static with glibc, and resolves names only where the same glibc is"
fi

locked dist
module=$(scripts/build-wasm.sh)
sbom=$(scripts/install-cargo-tool.sh cargo-cyclonedx)

remap() { flags+="'--remap-path-prefix=$1=$2',"; }
remap "$ROOT" "."
for index in "${CARGO_HOME:-$HOME/.cargo}/registry/src"/*/; do
  [ -d "$index" ] && remap "${index%/}" "crates"
done
say "compiling the command-line program for $target (2 minutes)"
# ring has some C, which calls no function of a C library: any compiler of this machine will do.
variable="CC_${target//-/_}"
logged dist env "$variable=${!variable:-cc}" cargo build --locked --release --bin n8n-idp-gate \
  --target "$target" --target-dir target/dist-build --config "target.$target.rustflags=[$flags]" ||
  die "the command-line program did not compile for $target" "the whole log: .local/log/dist.log"
program="target/dist-build/$target/release/n8n-idp-gate"
if readelf --program-headers "$program" | grep -q INTERP; then
  die "$program is not static"
fi
"$program" --version >/dev/null || die "$program does not run"

rm -rf "$new"
mkdir -p "$new"
name="n8n-idp-gate-$version-$target"
cp "$module" "$new/n8n-idp-gate.wasm"
cp "$program" "$new/$name"
python3 -B scripts/dist_archive.py "$new/$name.tar.gz" "n8n-idp-gate-$version" \
  "$program" README.md LICENSE CHANGELOG.md

# bill TARGET FILE: what is compiled into it, without paths of this machine, a time or a random number.
bill() {
  logged dist "$sbom" cyclonedx --format json --spec-version 1.5 --target "$1" --no-build-deps \
    --override-filename "bill-of-$1" || die "there is no bill of materials for $1" "the whole log: .local/log/dist.log"
  python3 -B scripts/dist_sbom.py "bill-of-$1.json" "$new/$2"
  rm -f "bill-of-$1.json"
}
bill "$WASM_TARGET" n8n-idp-gate.wasm.cdx.json
bill "$target" "$name.cdx.json"

(cd "$new" && LC_ALL=C sha256sum -- * >SHA256SUMS)
chmod -R u=rwX,go=rX "$new"
chmod 755 "$new/$name"
put_in_place "$new" "$final"
say "the files of the release are in target/dist"
cat "$final/SHA256SUMS"
