#!/usr/bin/env bash
# Checks the dependencies against deny.toml: bans, licences and sources always;
# known vulnerabilities where the advisory database, a git repository, can be
# fetched. Where it cannot, it says so and does not fail, unless
# ADVISORIES=required is in the environment (as it should be before a release).
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[ -f deny.toml ] || die "deny.toml is missing" "run this in a complete checkout"
deny=$(scripts/install-cargo-tool.sh cargo-deny)

"$deny" --all-features --locked check bans licenses sources

# The native twin calls n8n over TLS, for which deny.toml lets it have native code. The filter has none.
native=$(cargo tree --locked --target wasm32-wasip1 --edges normal,build --prefix none --format '{p}' |
  sed -n -E 's/^(ring|rustls|ureq|cc|[^ ]*-sys) .*/\1/p' | sort -u | paste -sd ' ')
[ -z "$native" ] || die "the filter depends on: $native" "move it to the dependencies of other targets in Cargo.toml"

fresh_log advisories
if timeout 60 "$deny" fetch db >>"$LOGS/advisories.log" 2>&1 </dev/null; then
  "$deny" --all-features --locked check --disable-fetch advisories
elif [ "${ADVISORIES:-}" = required ]; then
  die "the advisory database could not be fetched" "see .local/log/advisories.log"
else
  say "advisories NOT checked: the advisory database could not be fetched (needs GitHub; .local/log/advisories.log)"
fi
