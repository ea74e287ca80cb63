#!/usr/bin/env bash
# Compiles the programs that `make bench` compares the gate with, oauth2-proxy and
# OPA's plugin for Envoy, into .local/peers, at the versions that tests/bench/peers
# pins. The Go module proxy has them. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/bench/peers"
final="$LOCAL/peers"
new="$final.new"
want=$(key scripts/install-peers.sh "$from"/*/go.mod "$from"/*/go.sum)

# compile DIRECTORY PACKAGE: -mod=readonly holds every module to the checksums in go.sum.
compile() {
  (cd "$from/$1" && env GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' CGO_ENABLED=0 \
    GOMODCACHE="$new/modules" GOCACHE="$new/objects" \
    go build -trimpath -ldflags '-s -w' -o "$new/$1" "$2")
}

locked peers
if ! stamped peers "$want" || [ ! -x "$final/oauth2-proxy" ] || [ ! -x "$final/opa-envoy" ]; then
  need go "install Go 1.26 or newer from https://go.dev/dl"
  say "compiling oauth2-proxy and OPA (about 5 minutes, 110 MB)"
  fresh_log peers
  rm -rf "$new"
  mkdir -p "$new"
  for peer in oauth2-proxy:github.com/oauth2-proxy/oauth2-proxy/v7 \
    opa-envoy:github.com/open-policy-agent/opa-envoy-plugin/cmd/opa-envoy-plugin; do
    logged peers compile "${peer%%:*}" "${peer#*:}" ||
      die "${peer%%:*} could not be compiled" \
        "go must reach its module proxy, and be 1.26 or newer; the whole log: .local/log/peers.log"
  done
  rm -rf "$new/modules" "$new/objects"
  put_in_place "$new" "$final"
  stamp peers "$want"
fi
printf '%s\n' "$final"
