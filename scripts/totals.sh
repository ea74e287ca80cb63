#!/usr/bin/env bash
# Runs a command, shows its output, and closes with one line that adds up all
# result lines of cargo test in it: 'N passed, N failed'. The exit status is the
# command's; it is also a failure when a test failed or when no test ran at all.
set -euo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
"$@" 2>&1 | tee "$log" || status=$?

sum() { awk -v what="$1" '/^test result: / {for (i = 2; i <= NF; i++) if ($i ~ "^" what) n += $(i - 1)} END {print n + 0}' "$log"; }
passed=$(sum passed)
failed=$(sum failed)
if [ "$status" -eq 0 ] && [ "$failed" -ne 0 ]; then status=1; fi
if [ "$status" -eq 0 ] && [ "$passed" -eq 0 ]; then
  echo "error: no test ran" >&2
  status=1
fi
printf '\n%s passed, %s failed\n' "$passed" "$failed"
exit "$status"
