#!/usr/bin/env bash
# Unpacks LemonLDAP::NG, an OpenID provider whose access tokens are opaque, and
# the Perl modules that this machine lacks for it, from Debian's packages below
# .local/lemonldap, without installing any. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

portal=liblemonldap-ng-portal-perl
# Beside what the portal depends on: what its OpenID Connect part needs.
packages=("$portal" libplack-perl libstring-random-perl libio-string-perl)

final="$LOCAL/lemonldap"
new="$final.new"

candidate() { apt-cache policy "$portal" 2>/dev/null | awk '/Candidate:/ {print $2}'; }

unpack() {
  local deb
  rm -rf "$new"
  mkdir -p "$new/debs"
  # Perl itself is the machine's; fonts and scripts of pages are for browsers.
  apt-get install -s --no-install-recommends "${packages[@]}" |
    awk '$1 == "Inst" && $2 !~ /^(perl|perl-base|perl-modules-.*|libperl[0-9].*|fonts-.*|libjs-.*)$/ {print $2}' \
      >"$new/packages.txt"
  (cd "$new/debs" && xargs -r apt-get download <../packages.txt)
  for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new"; done
  rm -rf "$new/debs"
  # Where its modules are, for whoever starts it.
  find "$new/usr" -type d \( -path '*/share/perl5' -o -path '*/perl5/5.*' \) -prune -printf '%P\n' |
    sed 's|^|usr/|' >"$new/perl5.txt"
}

locked lemonldap
need perl "Debian: apt-get install perl"
for tool in apt-get apt-cache dpkg-deb; do need "$tool" "LemonLDAP::NG is taken from Debian's packages"; done
version=$(candidate)
if ! stamped lemonldap "$version" || [ ! -f "$final/perl5.txt" ]; then
  fresh_log lemonldap
  if [ "$(id -u)" = 0 ]; then
    say "refreshing Debian's package lists"
    apt-get update -q >>"$LOGS/lemonldap.log" 2>&1 </dev/null || say "that failed; going on with the lists at hand"
    version=$(candidate)
  fi
  say "unpacking LemonLDAP::NG $version from Debian's packages (a few seconds, 25 MB)"
  logged lemonldap unpack ||
    die "LemonLDAP::NG could not be had" "on Debian 12, as root: apt-get update, and run this again" \
      "the whole log: .local/log/lemonldap.log"
  put_in_place "$new" "$final"
  stamp lemonldap "$version"
fi
printf '%s\n' "$final"
