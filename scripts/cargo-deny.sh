#!/usr/bin/env bash
# Checks the dependencies against deny.toml: bans, licences and sources always;
# known vulnerabilities where the advisory database, a git repository, can be
# fetched. Where it cannot, it says so and does not fail, unless
# ADVISORIES=required is in the environment (as it should be before a release).
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[ -f deny.toml ] || die "deny.toml is missing" "run this in a complete checkout"
deny=$(scripts/install-cargo-tool.sh cargo-deny)

"$deny" --all-features --locked check bans licenses sources

fresh_log advisories
if timeout 60 "$deny" fetch db >>"$LOGS/advisories.log" 2>&1 </dev/null; then
  "$deny" --all-features --locked check --disable-fetch advisories
elif [ "${ADVISORIES:-}" = required ]; then
  die "the advisory database could not be fetched" "see .local/log/advisories.log"
else
  say "advisories NOT checked: the advisory database could not be fetched (needs GitHub; .local/log/advisories.log)"
fi
