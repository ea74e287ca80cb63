#!/usr/bin/env bash
# Unpacks Chromium, and the libraries that this machine lacks for it, from Debian's
# packages below .local/chromium: without installing any, with lists of packages of
# its own, and so without being root. Prints the path of the program.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

final="$LOCAL/chromium"
new="$final.new"
apt=(-o "Dir::State::lists=$new/apt/lists" -o "Dir::Cache=$new/apt/cache")
want=$(key scripts/install-chromium.sh)

# Starts it with the libraries that are unpacked beside it.
starter() {
  cat <<'START'
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
LD_LIBRARY_PATH=
for dir in "$here"/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu "$here"/usr/lib/*-linux-gnu/pulseaudio; do
  LD_LIBRARY_PATH="$LD_LIBRARY_PATH:$dir"
done
LD_LIBRARY_PATH=${LD_LIBRARY_PATH#:}
FONTCONFIG_PATH="$here/etc/fonts"
export LD_LIBRARY_PATH FONTCONFIG_PATH
exec "$here/usr/lib/chromium/chromium" "$@"
START
}

unpack() {
  local deb
  rm -rf "$new"
  mkdir -p "$new/debs" "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
  apt-get "${apt[@]}" update -q || return
  apt-get "${apt[@]}" install -s --no-install-recommends chromium fonts-dejavu-core >"$new/plan.txt" || return
  awk '$1 == "Inst" {print $2}' "$new/plan.txt" >"$new/packages.txt" || return
  # Where it is installed already, it is taken all the same.
  printf '%s\n' chromium chromium-common | sort -u - "$new/packages.txt" -o "$new/packages.txt"
  (cd "$new/debs" && xargs apt-get "${apt[@]}" download <"$new/packages.txt") || return
  for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -rf "$new/debs" "$new/apt" "$new/plan.txt"
  starter >"$new/chromium" && chmod +x "$new/chromium"
  [ -x "$new/usr/lib/chromium/chromium" ]
}

locked chromium
if ! stamped chromium "$want" || [ ! -x "$final/chromium" ]; then
  for tool in apt-get dpkg-deb; do need "$tool" "Chromium is taken from Debian's packages"; done
  say "unpacking Chromium from Debian's packages (about 30 seconds, 500 MB)"
  fresh_log chromium
  logged chromium unpack ||
    die "Chromium could not be had" "apt-get must reach Debian's packages" \
      "the whole log: .local/log/chromium.log"
  put_in_place "$new" "$final"
  stamp chromium "$want"
fi
printf '%s\n' "$final/chromium"
