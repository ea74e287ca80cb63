#!/usr/bin/env bash
# Installs n8n, at the version of tests/real/n8n, into .local/n8n. With the
# argument 1 it is the n8n 1 of tests/real/n8n-1, into .local/n8n-1. No package's
# install script runs; the one native module that n8n cannot do without, the
# SQLite driver, is compiled here against the pinned Node.js. Then n8n is
# started once and must answer. Prints the directory that holds node_modules.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

case "${1-}" in
  "") name="n8n" idle="mcp-registry,instance-ai,agents,community-packages,chat-hub" ;;
  1) name="n8n-1" idle="chat-hub" ;;
  *) die "there is no n8n $1 here" "run it with 1, or without an argument" ;;
esac
from="tests/real/$name"
want=$(key "$from/package.json" "$from/package-lock.json" "tests/real/node/package-lock.json")
version=$(sed -n 's/.*"n8n": "\([^"]*\)".*/\1/p' "$from/package.json")
new="$LOCAL/$name.new"
node=$(scripts/install-node.sh)
headers=$(cd -- "$(dirname -- "$(readlink -f "$node")")/.." && pwd)

build_sqlite() {
  # npm brings node-gyp and puts it on the path of the scripts that it runs.
  npm_config_nodedir="$headers" npm_config_build_from_source=true \
    npm rebuild sqlite3 --prefix "$new" --ignore-scripts=false --foreground-scripts
}

# A start on loopback with everything off that would call out.
answers() {
  local dir ports pid url tries
  dir=$(mktemp -d)
  ports=$("$node" -e '
    const net = require("net"), open = [];
    const take = () => { const s = net.createServer().listen(0, "127.0.0.1", () => {
      open.push(s);
      if (open.length < 2) return take();
      console.log(open.map((o) => o.address().port).join(" "));
      open.forEach((o) => o.close());
    }); };
    take();')
  url="http://127.0.0.1:${ports% *}/healthz/readiness"
  env N8N_LISTEN_ADDRESS=127.0.0.1 N8N_PORT="${ports% *}" N8N_RUNNERS_BROKER_PORT="${ports#* }" \
    N8N_USER_FOLDER="$dir" DB_TYPE=sqlite NODE_ENV=production N8N_ENCRYPTION_KEY=only-for-this-check \
    N8N_DIAGNOSTICS_ENABLED=false N8N_VERSION_NOTIFICATIONS_ENABLED=false N8N_DYNAMIC_BANNERS_ENABLED=false \
    N8N_TEMPLATES_ENABLED=false N8N_PERSONALIZATION_ENABLED=false N8N_HIRING_BANNER_ENABLED=false \
    N8N_LICENSE_AUTO_RENEW_ENABLED=false N8N_SECURE_COOKIE=false \
    N8N_DISABLED_MODULES="$idle" \
    PATH="$(dirname -- "$(readlink -f "$node")"):$PATH" \
    "$node" "$new/node_modules/n8n/bin/n8n" start >>"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  for ((tries = 0; tries < 240; tries++)); do
    if curl -fsS -m 2 -o /dev/null "$url" 2>/dev/null; then break; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.5
  done
  local status=0
  curl -fsS -m 2 -o /dev/null "$url" 2>>"$LOGS/$name.log" || status=1
  kill "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  rm -rf "$dir"
  return "$status"
}

locked "$name"
if ! stamped "$name" "$want" || [ ! -f "$LOCAL/$name/node_modules/n8n/bin/n8n" ]; then
  need npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
  need curl "Debian: apt-get install curl"
  for tool in python3 make c++; do
    need "$tool" "it compiles n8n's SQLite driver (Debian: apt-get install python3 make g++)"
  done
  fresh_log "$name"
  SECONDS=0
  say "installing n8n $version (about 3 minutes, 2.5 GB; log: .local/log/$name.log)"
  rm -rf "$new"
  mkdir -p "$new"
  cp "$from/package.json" "$from/package-lock.json" "$new/"
  logged "$name" npm ci --prefix "$new" --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund ||
    die "n8n $version could not be installed" "npm must reach its registry, and 3 GB must be free on the disk" \
      "the whole log: .local/log/$name.log"
  say "compiling n8n's SQLite driver (about 1 minute)"
  logged "$name" build_sqlite || die "n8n's SQLite driver did not compile" "the whole log: .local/log/$name.log"
  [ -f "$new/node_modules/sqlite3/build/Release/node_sqlite3.node" ] ||
    die "n8n's SQLite driver was not built" "the whole log: .local/log/$name.log"
  rm -rf "$new/node_modules/sqlite3/build/Release/obj.target" "$new/node_modules/sqlite3/build/Release/.deps"
  say "starting n8n once"
  answers || {
    tail -n 25 "$LOGS/$name.log" >&2
    die "n8n $version was installed and does not start" "the whole log: .local/log/$name.log"
  }
  put_in_place "$new" "$LOCAL/$name"
  stamp "$name" "$want"
  say "n8n $version is installed ($SECONDS s, $(du -sh "$LOCAL/$name" | cut -f1))"
fi
printf '%s\n' "$LOCAL/$name"
