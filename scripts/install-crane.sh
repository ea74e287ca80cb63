#!/usr/bin/env bash
# Compiles crane, the registry client made of the library with which Istio and
# Envoy Gateway fetch images, into .local/crane, at the versions that
# tests/real/crane pins. The Go module proxy has it. Prints the program's path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/crane"
final="$LOCAL/crane"
new="$final.new"
want=$(key scripts/install-crane.sh "$from/go.mod" "$from/go.sum")

# -mod=readonly holds every module to the checksums in go.sum.
compile() {
  (cd "$from" && env GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw' CGO_ENABLED=0 \
    GOMODCACHE="$new/modules" GOCACHE="$new/objects" \
    go build -trimpath -ldflags '-s -w' -o "$new/crane" github.com/google/go-containerregistry/cmd/crane)
}

locked crane
if ! stamped crane "$want" || [ ! -x "$final/crane" ]; then
  need go "install Go 1.24 or newer from https://go.dev/dl"
  say "compiling crane (about 1 minute, 10 MB)"
  fresh_log crane
  rm -rf "$new"
  mkdir -p "$new"
  logged crane compile ||
    die "crane could not be compiled" \
      "go must reach its module proxy, and be 1.24 or newer; the whole log: .local/log/crane.log"
  rm -rf "$new/modules" "$new/objects"
  put_in_place "$new" "$final"
  stamp crane "$want"
fi
printf '%s\n' "$final/crane"
