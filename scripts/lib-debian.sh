# shellcheck shell=bash
# Puts what Debian's packages have below .local without installing anything.
# Sourced after lib.sh by the scripts for one program or one tree each.

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

# apt_here ARGUMENT...: apt-get with lists of packages of this installation, and so
# without being root.
apt_here() { apt-get -o "Dir::State::lists=$new/apt/lists" -o "Dir::Cache=$new/apt/cache" "$@"; }

# lists_of_packages: what there is today.
lists_of_packages() {
  rm -rf "$new"
  mkdir -p "$new/debs" "$new/apt/lists/partial" "$new/apt/cache/archives/partial"
  apt_here update -q
}

# unpack_packages PACKAGE...: all that is in them.
unpack_packages() {
  local deb
  (cd "$new/debs" && apt_here download "$@") || return
  for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new" || return; done
  rm -rf "${new:?}/debs" "${new:?}/apt"
}

# debian_tree NAME WHAT EFFORT FILE: has `fill` put packages to .local/NAME, unless
# they are there, as FILE in it says. Prints the directory.
debian_tree() {
  local name="$1" what="$2" effort="$3" file="$4" final="$LOCAL/$1" tool want
  new="$final.new"
  want=$(key "scripts/install-$name.sh" scripts/lib-debian.sh)
  locked "$name"
  if ! stamped "$name" "$want" || [ ! -e "$final/$file" ]; then
    for tool in apt-get dpkg-deb; do need "$tool" "Debian's packages have $what"; done
    say "unpacking $what from Debian's packages ($effort)"
    fresh_log "$name"
    logged "$name" fill ||
      die "$what could not be had" "apt-get must reach Debian's packages" \
        "the whole log: .local/log/$name.log"
    put_in_place "$new" "$final"
    stamp "$name" "$want"
  fi
  printf '%s\n' "$final"
}
