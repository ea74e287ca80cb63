#!/usr/bin/env bash
# Puts the load generator wrk to .local/bin/wrk: the machine's own, or Debian's
# package and the one library that it needs. Prints its path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-debian.sh

version=4.1.0

# wrk says its version in its help, with a status of 1.
is_right() { [ -x "$1" ] && { "$1" --version 2>&1 || true; } | grep -q "^wrk .*$version"; }

debian_program wrk "$version" wrk libluajit2-5.1-2
