#!/usr/bin/env bash
# Unpacks what reads the gate's records and metrics in tests, rsyslog and
# Prometheus with its promtool, from Debian's packages below .local/observers:
# without installing any, with lists of packages of its own, and so without
# being root. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# The libraries of rsyslog that a machine without it may lack.
packages=(rsyslog prometheus libestr0 libfastjson4 liblognorm5)

final="$LOCAL/observers"
new="$final.new"
apt=(-o "Dir::State::lists=$new/apt/lists" -o "Dir::Cache=$new/apt/cache")
want=$(key scripts/install-observers.sh)

unpack() {
  local deb
  rm -rf "$new"
  mkdir -p "$new/debs" "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
  apt-get "${apt[@]}" update -q || return
  (cd "$new/debs" && apt-get "${apt[@]}" download "${packages[@]}") || return
  for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -rf "${new:?}/debs" "${new:?}/apt" "${new:?}/usr/share"
  "$new/usr/bin/promtool" --version || return
  LD_LIBRARY_PATH=$(echo "$new"/usr/lib/*-linux-gnu) "$new/usr/sbin/rsyslogd" -v
}

locked observers
if ! stamped observers "$want" || [ ! -x "$final/usr/bin/promtool" ]; then
  for tool in apt-get dpkg-deb; do need "$tool" "rsyslog and Prometheus are taken from Debian's packages"; done
  say "unpacking rsyslog and Prometheus from Debian's packages (about 20 seconds, 120 MB)"
  fresh_log observers
  logged observers unpack ||
    die "rsyslog and Prometheus could not be had" "apt-get must reach Debian's packages" \
      "the whole log: .local/log/observers.log"
  put_in_place "$new" "$final"
  stamp observers "$want"
fi
printf '%s\n' "$final"
