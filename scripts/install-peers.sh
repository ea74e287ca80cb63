#!/usr/bin/env bash
# Compiles the programs that `make bench` compares the gate with, oauth2-proxy and
# OPA's plugin for Envoy, into .local/peers, at the versions that tests/bench/peers
# pins. The Go module proxy has them. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-go.sh

go_flags=(-buildvcs=false)
go_programs peers "oauth2-proxy and OPA" "about 5 minutes, 110 MB" 1.26 \
  "tests/bench/peers/oauth2-proxy oauth2-proxy github.com/oauth2-proxy/oauth2-proxy/v7" \
  "tests/bench/peers/opa-envoy opa-envoy github.com/open-policy-agent/opa-envoy-plugin/cmd/opa-envoy-plugin"
printf '%s\n' "$LOCAL/peers"
