#!/usr/bin/env bash
# Writes the module as an OCI image layout to target/oci/image, without Docker, and
# copies of the manifests with its digest to target/oci/deploy. Prints the digest,
# which is what Istio and Envoy Gateway compare.
# Usage: scripts/oci.sh [MODULE [DIRECTORY]]. IMAGE in the environment is the
# image's name in your registry, with a tag; without it the manifests keep theirs.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

module=${1:-target/n8n-idp-gate.wasm}
directory=${2:-target/oci}
# The manifests have these in place of a digest, and this name of an image.
zeros=0000000000000000000000000000000000000000000000000000000000000000
named=registry.example.com/platform/n8n-idp-gate
image=${IMAGE-}

need python3 "install Python 3 (Debian: apt-get install python3)"
[ -f "$module" ] || die "there is no module $module" "make wasm"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
if [ -n "$image" ]; then
  [[ $image =~ ^[A-Za-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+:[A-Za-z0-9_][A-Za-z0-9._-]*$ ]] ||
    die "IMAGE is '$image'" "it must be a registry, a path and a tag, such as $named:$version"
fi

if [ -e "$directory" ] && [ ! -f "$directory/image/oci-layout" ]; then
  die "$directory is there and is no output of this script" "name another directory, or remove it"
fi
rm -rf "$directory.new"
mkdir -p "$directory.new"
digest=$(python3 -B scripts/oci_layout.py "$module" "$version" "$directory.new/image")

mapfile -t manifests < <(grep -rlF --include='*.yaml' "$zeros" deploy | sort)
[ "${#manifests[@]}" -gt 0 ] || die "no manifest below deploy has zeros in place of the digest"
for manifest in "${manifests[@]}"; do
  mkdir -p "$directory.new/$(dirname -- "$manifest")"
  sed -e "s|$zeros|$digest|" ${image:+-e "s|$named:[A-Za-z0-9._-]*|$image|"} \
    "$manifest" >"$directory.new/$manifest"
done
put_in_place "$directory.new" "$directory"

say "the image layout is in $directory/image, the manifests with its digest are:"
for manifest in "${manifests[@]}"; do say "  $directory/$manifest"; done
printf 'sha256:%s\n' "$digest"
