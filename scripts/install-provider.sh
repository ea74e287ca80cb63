#!/usr/bin/env bash
# Installs the OpenID provider of the end-to-end tests (npm's oidc-provider, at
# the version of tests/real/provider) into .local/provider, and the Node.js that
# runs it. Prints the directory that holds node_modules.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/provider"
want=$(key "$from/package.json" "$from/package-lock.json")

scripts/install-node.sh >/dev/null
locked provider
if ! stamped provider "$want" || [ ! -d "$LOCAL/provider/node_modules/oidc-provider" ]; then
  need npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
  version=$(sed -n 's/.*"oidc-provider": "\([^"]*\)".*/\1/p' "$from/package.json")
  say "installing oidc-provider $version (a few seconds, 4 MB)"
  fresh_log provider
  rm -rf "$LOCAL/provider.new"
  mkdir -p "$LOCAL/provider.new"
  cp "$from/package.json" "$from/package-lock.json" "$LOCAL/provider.new/"
  logged provider npm ci --prefix "$LOCAL/provider.new" --omit=dev --ignore-scripts --no-audit --no-fund ||
    die "oidc-provider could not be installed" \
      "npm must reach its registry; the whole log: .local/log/provider.log"
  put_in_place "$LOCAL/provider.new" "$LOCAL/provider"
  stamp provider "$want"
fi
printf '%s\n' "$LOCAL/provider"
