#!/usr/bin/env bash
# Compiles Ory Hydra, as the Go module proxy has it and tests/real/hydra pins it
# and all that it is made of, into .local/hydra. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/hydra"
final="$LOCAL/hydra"
new="$final.new"
want=$(key scripts/install-hydra.sh "$from/go.mod" "$from/go.sum")

# -mod=readonly holds every module to the checksums in go.sum. The database is SQLite's, in C.
compile() {
  (cd "$from" && env GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw' CGO_ENABLED=1 \
    GOMODCACHE="$new/modules" GOCACHE="$new/objects" \
    go build -trimpath -ldflags '-s -w' -tags sqlite,sqlite_omit_load_extension \
    -o "$new/hydra" github.com/ory/hydra/v2)
}

locked hydra
if ! stamped hydra "$want" || [ ! -x "$final/hydra" ]; then
  need go "install Go 1.24 or newer from https://go.dev/dl"
  need cc "Debian: apt-get install gcc libc6-dev"
  version=$(sed -n 's|.*github.com/ory/hydra/v2 v\([0-9.]*\).*|\1|p' "$from/go.mod")
  say "compiling Ory Hydra $version (about 5 minutes, 42 MB)"
  fresh_log hydra
  rm -rf "$new"
  mkdir -p "$new"
  logged hydra compile ||
    die "Ory Hydra $version could not be compiled" \
      "go must reach its module proxy, and be 1.24 or newer; the whole log: .local/log/hydra.log"
  rm -rf "$new/modules" "$new/objects"
  put_in_place "$new" "$final"
  stamp hydra "$want"
fi
printf '%s\n' "$final"
