#!/usr/bin/env bash
# Puts the load generator h2load, for HTTP/2, to .local/bin/h2load: the machine's
# own, or Debian's package and the libraries that it needs. Prints its path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-debian.sh

version=1.52.0

is_right() { [ -x "$1" ] && "$1" --version 2>/dev/null | grep -q "nghttp2/$version"; }

debian_program h2load "$version" nghttp2-client libnghttp2-14 libev4 libjemalloc2
