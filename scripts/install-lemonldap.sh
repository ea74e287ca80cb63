#!/usr/bin/env bash
# Unpacks LemonLDAP::NG, an OpenID provider whose access tokens are opaque, and
# the Perl modules that this machine lacks for it, from Debian's packages below
# .local/lemonldap: without installing any, with lists of packages of its own,
# and so without being root. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# The portal, and what its OpenID Connect part needs beside what it depends on.
packages=(liblemonldap-ng-portal-perl libplack-perl libstring-random-perl libio-string-perl)

final="$LOCAL/lemonldap"
new="$final.new"
apt=(-o "Dir::State::lists=$new/apt/lists" -o "Dir::Cache=$new/apt/cache")
want=$(key scripts/install-lemonldap.sh)

unpack() {
  local deb
  rm -rf "$new"
  mkdir -p "$new/debs" "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
  apt-get "${apt[@]}" update -q || return
  # Perl itself is the machine's; fonts and scripts of pages are for browsers.
  apt-get "${apt[@]}" install -s --reinstall --no-install-recommends "${packages[@]}" >"$new/plan.txt" || return
  awk '$1 == "Inst" && $2 !~ /^(perl|perl-base|perl-modules-.*|libperl[0-9].*|fonts-.*|libjs-.*)$/ {print $2}' \
    "$new/plan.txt" >"$new/packages.txt" || return
  (cd "$new/debs" && xargs apt-get "${apt[@]}" download <"$new/packages.txt") || return
  for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -rf "$new/debs" "$new/apt" "$new/plan.txt"
  # The paths of its modules, for the program that starts it.
  (cd "$new" && find usr -type d \( -path '*/share/perl5' -o -path '*/perl5/5.*' \) -prune) >"$new/perl5.txt" || return
  [ -x "$new/usr/bin/plackup" ] && [ -s "$new/perl5.txt" ]
}

locked lemonldap
if ! stamped lemonldap "$want" || [ ! -f "$final/perl5.txt" ]; then
  need perl "Debian: apt-get install perl"
  for tool in apt-get dpkg-deb; do need "$tool" "LemonLDAP::NG is taken from Debian's packages"; done
  say "unpacking LemonLDAP::NG from Debian's packages (about 15 seconds, 25 MB)"
  fresh_log lemonldap
  logged lemonldap unpack ||
    die "LemonLDAP::NG could not be had" "apt-get must reach Debian's packages" \
      "the whole log: .local/log/lemonldap.log"
  put_in_place "$new" "$final"
  stamp lemonldap "$want"
fi
printf '%s\n' "$final"
