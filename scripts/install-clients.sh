#!/usr/bin/env bash
# Installs the clients of the end-to-end tests with n8n into .local/clients: those
# of npm and of PyPI at the versions of tests/real/clients. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/clients"
want=$(key "$from/package.json" "$from/package-lock.json" "$from/requirements.txt")

scripts/install-node.sh >/dev/null
locked clients
if ! stamped clients "$want" || [ ! -d "$LOCAL/clients/node_modules" ]; then
  need npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
  need python3 "install Python 3 with its venv module (Debian: apt-get install python3 python3-venv)"
  say "installing clients of n8n and MCP (half a minute, 80 MB)"
  fresh_log clients
  rm -rf "$LOCAL/clients" "$LOCAL/stamp/clients"
  mkdir -p "$LOCAL/clients"
  cp "$from/package.json" "$from/package-lock.json" "$LOCAL/clients/"
  logged clients npm ci --prefix "$LOCAL/clients" --omit=dev --ignore-scripts --no-audit --no-fund ||
    die "the clients of npm could not be installed" \
      "npm must reach its registry; the whole log: .local/log/clients.log"
  # The launchers of a venv hold its path, so it is made where it stays.
  logged clients python3 -m venv "$LOCAL/clients/python"
  logged clients "$LOCAL/clients/python/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary=:all: --requirement "$from/requirements.txt" ||
    die "the clients of PyPI could not be installed" \
      "pip must reach PyPI; the whole log: .local/log/clients.log"
  stamp clients "$want"
fi
printf '%s\n' "$LOCAL/clients"
