# shellcheck shell=bash
# Shared by the scripts beside it; sourced, never run. It goes to the root of
# the repository, and offers progress lines, logged commands, stamps and locks.
# A stamp is written only after the last step of an installation, so that one
# that was interrupted is never taken for complete.
set -euo pipefail

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"
mkdir -p .local
# Without symbolic links in it: npm installs nothing below one.
LOCAL=$(cd -- .local && pwd -P)
LOGS="$LOCAL/log"
mkdir -p "$LOGS" "$LOCAL/stamp" "$LOCAL/lock" "$LOCAL/bin"

say() { printf '==> %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# need COMMAND HINT: stop unless the command is there.
need() { command -v "$1" >/dev/null 2>&1 || die "$1 was not found" "$2"; }

# logged NAME COMMAND...: output to .local/log/NAME.log, its end shown on failure.
# A function that is run here must return its failures itself: errexit does not
# hold in it.
logged() {
  local log="$LOGS/$1.log" status=0
  shift
  printf '\n$ %s\n' "$*" >>"$log"
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  if [ "$status" -ne 0 ]; then
    printf -- '---- end of %s ----\n' "${log#"$ROOT"/}" >&2
    tail -n 25 "$log" >&2
    printf -- '----\n' >&2
    printf 'error: this failed (exit %s): %s\n' "$status" "$*" >&2
    return "$status"
  fi
}

# fresh_log NAME: begin the log of a new attempt.
fresh_log() { : >"$LOGS/$1.log"; }

# locked NAME: one installation of a kind at a time; the lock ends with the script.
locked() {
  command -v flock >/dev/null 2>&1 || return 0
  exec 9>"$LOCAL/lock/$1"
  flock -n 9 || {
    say "waiting for another run of $1"
    flock 9
  }
}

# key FILE-OR-WORD...: a short hash over files (their content) and words.
key() {
  local item
  for item in "$@"; do
    if [ -f "$item" ]; then cat -- "$item"; else printf '%s\n' "$item"; fi
  done | cksum | tr -s ' \t' '-' | cut -d- -f1,2
}

# stamped NAME KEY: was this very version installed to the end?
stamped() { [ -f "$LOCAL/stamp/$1" ] && [ "$(<"$LOCAL/stamp/$1")" = "$2" ]; }
stamp() {
  printf '%s\n' "$2" >"$LOCAL/stamp/$1.tmp"
  mv -f "$LOCAL/stamp/$1.tmp" "$LOCAL/stamp/$1"
}

# put_in_place NEW FINAL: replace a finished directory by a rename.
put_in_place() {
  rm -rf "$2.old"
  if [ -e "$2" ]; then mv "$2" "$2.old"; fi
  mv "$1" "$2"
  rm -rf "$2.old"
}
