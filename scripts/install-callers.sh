#!/usr/bin/env bash
# Installs the libraries of the examples for callers (docs/guides/callers.md) into
# .local/callers: those of PyPI and of the Go module proxy, at the versions of
# tests/real/callers. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/callers"
final="$LOCAL/callers"
want=$(key scripts/install-callers.sh "$from/requirements.txt" "$from/go.mod" "$from/go.sum")

# The objects of the standard library are compiled here, so that an example compiles in a second.
fetch_go() {
  (cd "$from" && env GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw' \
    GOMODCACHE="$final/modules" GOCACHE="$final/objects" \
    go build golang.org/x/oauth2/clientcredentials)
}

locked callers
if ! stamped callers "$want" || [ ! -d "$final/python" ]; then
  need python3 "install Python 3 with its venv module (Debian: apt-get install python3 python3-venv)"
  need go "install Go 1.26 or newer from https://go.dev/dl"
  say "installing the libraries of the examples for callers (a minute, 200 MB)"
  fresh_log callers
  rm -rf "$final" "$LOCAL/stamp/callers"
  mkdir -p "$final"
  # The launchers of a venv hold its path, so it is made where it stays.
  logged callers python3 -m venv "$final/python"
  logged callers "$final/python/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary=:all: --requirement "$from/requirements.txt" ||
    die "the libraries of PyPI could not be installed" \
      "pip must reach PyPI; the whole log: .local/log/callers.log"
  logged callers fetch_go ||
    die "the library of Go could not be installed" \
      "go must reach its module proxy, and be 1.26 or newer; the whole log: .local/log/callers.log"
  stamp callers "$want"
fi
printf '%s\n' "$final"
