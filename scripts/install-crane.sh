#!/usr/bin/env bash
# Compiles crane, the registry client made of the library with which Istio and
# Envoy Gateway fetch images, into .local/crane, at the versions that
# tests/real/crane pins. The Go module proxy has it. Prints the program's path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-go.sh

go_programs crane crane "about 1 minute, 10 MB" 1.24 \
  "tests/real/crane crane github.com/google/go-containerregistry/cmd/crane"
printf '%s\n' "$LOCAL/crane/crane"
