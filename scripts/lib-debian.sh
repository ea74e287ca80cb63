# shellcheck shell=bash
# Puts a program of a Debian package below .local without installing anything.
# Sourced after lib.sh by the scripts for one program each.

# unpack NAME PACKAGE...: the packages to .local/NAME, with a wrapper that finds
# their libraries from where it lies.
unpack() {
  local name="$1" deb
  local new="$LOCAL/$name.new"
  shift
  rm -rf "$new"
  mkdir -p "$new"
  (cd "$new" && apt-get download "$@") || return
  for deb in "$new"/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -f "$new"/*.deb
  cat >"$new/$name" <<SH || return
#!/bin/sh
root=\$(CDPATH= cd -- "\$(dirname -- "\$(readlink -f -- "\$0")")" && pwd)
export LD_LIBRARY_PATH="\$root/usr/lib/x86_64-linux-gnu:\$root/usr/lib/aarch64-linux-gnu"
exec "\$root/usr/bin/$name" "\$@"
SH
  chmod +x "$new/$name"
  put_in_place "$new" "$LOCAL/$name"
}

# debian_program NAME VERSION PACKAGE...: the program to .local/bin/NAME: the
# machine's own if `is_right PROGRAM` says so, or else Debian's. Prints its path.
debian_program() {
  local name="$1" version="$2" own tool
  local program="$LOCAL/bin/$name"
  shift 2
  locked "$name"
  if ! stamped "$name" "$version" || ! is_right "$program"; then
    fresh_log "$name"
    own=$(command -v "$name" || true)
    if [ -n "$own" ] && is_right "$own"; then
      ln -sfn "$own" "$program"
    else
      for tool in apt-get dpkg-deb; do
        need "$tool" "install $name $version by hand; it is then taken from the path"
      done
      say "unpacking $name $version from Debian's packages (a few seconds)"
      logged "$name" unpack "$name" "$@" ||
        die "$name could not be had" "on Debian 12: apt-get update, and run this again" \
          "elsewhere: install $name $version; it is then taken from the path"
      ln -sfn "../$name/$name" "$program"
    fi
    is_right "$program" ||
      die "the $name that was found does not run, or is not $version" "try: .local/bin/$name --version"
    stamp "$name" "$version"
  fi
  printf '%s\n' "$program"
}
