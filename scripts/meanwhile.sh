#!/usr/bin/env bash
# meanwhile.sh INSTALLATION -- COMMAND...: runs the command, and beside it, with
# what the machine has left, an installation that takes long. The command installs
# the same thing where it needs it: it finds it there, waits for its lock, or says
# why it cannot be had. Whatever still runs at the end ends with the command.
set -euo pipefail

installation=$1
shift 2
setsid nice -n 19 "$installation" >/dev/null &
beside=$!
trap 'kill -- "-$beside" 2>/dev/null || true' EXIT
"$@"
