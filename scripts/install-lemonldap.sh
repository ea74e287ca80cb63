#!/usr/bin/env bash
# Unpacks LemonLDAP::NG, an OpenID provider whose access tokens are opaque, and
# the Perl modules that this machine lacks for it, from Debian's packages below
# .local/lemonldap: without installing any, with lists of packages of its own,
# and so without being root. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-debian.sh

# The portal, and what its OpenID Connect part needs beside what it depends on.
packages=(liblemonldap-ng-portal-perl libplack-perl libstring-random-perl libio-string-perl)

fill() {
  local -a lacking
  lists_of_packages || return
  # Perl itself is the machine's; fonts and scripts of pages are for browsers.
  apt_here install -s --reinstall --no-install-recommends "${packages[@]}" >"$new/plan.txt" || return
  awk '$1 == "Inst" && $2 !~ /^(perl|perl-base|perl-modules-.*|libperl[0-9].*|fonts-.*|libjs-.*)$/ {print $2}' \
    "$new/plan.txt" >"$new/packages.txt" || return
  mapfile -t lacking <"$new/packages.txt"
  unpack_packages "${lacking[@]}" || return
  rm -f "$new/plan.txt"
  # The paths of its modules, for the program that starts it.
  (cd "$new" && find usr -type d \( -path '*/share/perl5' -o -path '*/perl5/5.*' \) -prune) >"$new/perl5.txt" || return
  [ -x "$new/usr/bin/plackup" ] && [ -s "$new/perl5.txt" ]
}

need perl "Debian: apt-get install perl"
debian_tree lemonldap LemonLDAP::NG "about 15 seconds, 25 MB" perl5.txt
