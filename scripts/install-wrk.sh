#!/usr/bin/env bash
# Puts the load generator wrk to .local/bin/wrk: the machine's own, or Debian's
# package and the one library that it needs, unpacked below .local/wrk without
# installing either. Prints its path.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

version=4.1.0
wrk="$LOCAL/bin/wrk"

# wrk says its version in its help, with a status of 1.
is_right() { [ -x "$1" ] && { "$1" --version 2>&1 || true; } | grep -q "^wrk .*$version"; }

unpack() {
  local new="$LOCAL/wrk.new" deb
  rm -rf "$new"
  mkdir -p "$new"
  (cd "$new" && apt-get download wrk libluajit2-5.1-2)
  for deb in "$new"/*.deb; do dpkg-deb -x "$deb" "$new"; done
  rm -f "$new"/*.deb
  # A wrapper that finds the library from where it lies.
  cat >"$new/wrk" <<'SH'
#!/bin/sh
root=$(CDPATH= cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
export LD_LIBRARY_PATH="$root/usr/lib/x86_64-linux-gnu:$root/usr/lib/aarch64-linux-gnu"
exec "$root/usr/bin/wrk" "$@"
SH
  chmod +x "$new/wrk"
  put_in_place "$new" "$LOCAL/wrk"
}

locked wrk
if ! stamped wrk "$version" || ! is_right "$wrk"; then
  fresh_log wrk
  own=$(command -v wrk || true)
  if [ -n "$own" ] && is_right "$own"; then
    ln -sfn "$own" "$wrk"
  else
    for tool in apt-get dpkg-deb; do
      need "$tool" "install wrk $version by hand; it is then taken from the path"
    done
    say "unpacking wrk $version from Debian's packages (a few seconds)"
    logged wrk unpack ||
      die "wrk could not be had" "on Debian 12: apt-get update, and run this again" \
        "elsewhere: install wrk $version; it is then taken from the path"
    ln -sfn "../wrk/wrk" "$wrk"
  fi
  is_right "$wrk" || die "the wrk that was found does not run, or is not $version" "try: .local/bin/wrk --version"
  stamp wrk "$version"
fi
printf '%s\n' "$wrk"
