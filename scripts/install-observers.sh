#!/usr/bin/env bash
# Unpacks what reads the gate's records and metrics in tests, rsyslog and
# Prometheus with its promtool, from Debian's packages below .local/observers:
# without installing any, with lists of packages of its own, and so without
# being root. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-debian.sh

# The libraries of rsyslog that a machine without it may lack.
packages=(rsyslog prometheus libestr0 libfastjson4 liblognorm5)

fill() {
  lists_of_packages || return
  unpack_packages "${packages[@]}" || return
  rm -rf "${new:?}/usr/share"
  "$new/usr/bin/promtool" --version || return
  LD_LIBRARY_PATH=$(echo "$new"/usr/lib/*-linux-gnu) "$new/usr/sbin/rsyslogd" -v
}

debian_tree observers "rsyslog and Prometheus" "about 20 seconds, 120 MB" usr/bin/promtool
