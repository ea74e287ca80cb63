#!/usr/bin/env bash
# Builds the filter a second time and compares the bytes with those of
# target/n8n-idp-gate.wasm. The second build is as different as another machine's:
# a copy of the tracked files at another path, an empty target directory, another
# CARGO_HOME, user name, umask, time zone and language. Prints the digest.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need git "the copy has the files that git tracks"
need sha256sum "Debian: apt-get install coreutils"
first=$(scripts/build-wasm.sh)
copy=$(mktemp -d "${TMPDIR:-/tmp}/n8n-idp-gate-again.XXXXXX")
trap 'rm -rf "$copy"' EXIT

# Another CARGO_HOME with the same sources in it: nothing is fetched twice.
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir "$copy/cargo-home"
for name in registry git config.toml config; do
  if [ -e "$cargo_home/$name" ]; then ln -s "$cargo_home/$name" "$copy/cargo-home/$name"; fi
done

checkout="$copy/another checkout"
mkdir "$checkout"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents --no-dereference -t "$checkout"
ln -sfn "$LOCAL" "$checkout/.local"
say "building once more in $checkout"
second=$(umask 077 && CARGO_HOME="$copy/cargo-home" USER=another LOGNAME=another TZ=Asia/Tokyo LC_ALL=C \
  SOURCE_DATE_EPOCH=1 "$checkout/scripts/build-wasm.sh")

digest() { sha256sum "$1" | cut -d' ' -f1; }
printf '%s  target/n8n-idp-gate.wasm, %s bytes\n' "$(digest "$first")" "$(stat -c %s "$first")"
cmp "$first" "$second" || die "two builds of the same sources differ" "first: $(digest "$first")" "second: $(digest "$second")"
printf 'a second build, of another user at another path, is the same\n'
