#!/usr/bin/env bash
# Installs wasm-opt (npm's binaryen, at the version of scripts/binaryen) into
# .local/binaryen. It is WebAssembly itself, and runs on the machine's own
# Node.js. Prints the path of the script that runs it.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="scripts/binaryen"
want=$(key "$from/package.json" "$from/package-lock.json")
wasm_opt="$LOCAL/binaryen/node_modules/binaryen/bin/wasm-opt"

locked binaryen
if ! stamped binaryen "$want" || [ ! -f "$wasm_opt" ]; then
  need npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
  version=$(sed -n 's/.*"binaryen": "\([^"]*\)".*/\1/p' "$from/package.json")
  say "installing binaryen $version (a few seconds, 100 MB)"
  fresh_log binaryen
  rm -rf "$LOCAL/binaryen.new"
  mkdir -p "$LOCAL/binaryen.new"
  cp "$from/package.json" "$from/package-lock.json" "$LOCAL/binaryen.new/"
  logged binaryen npm ci --prefix "$LOCAL/binaryen.new" --ignore-scripts --no-audit --no-fund ||
    die "binaryen could not be installed" \
      "npm must reach its registry; the whole log: .local/log/binaryen.log"
  put_in_place "$LOCAL/binaryen.new" "$LOCAL/binaryen"
  stamp binaryen "$want"
fi
printf '%s\n' "$wasm_opt"
