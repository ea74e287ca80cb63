# shellcheck shell=bash
# Shared by the scripts that take programs and files from Go modules; sourced after
# lib.sh. `new` is the directory of the installation.

# 1 for a program with parts in C.
cgo=0
# More of them, for each of `go_programs`.
go_flags=()

# Go with modules and objects of this installation alone.
go_here() {
  env GOTOOLCHAIN=local CGO_ENABLED="$cgo" GOMODCACHE="${new:?}/modules" GOCACHE="$new/objects" "$@"
}

# go_files MODULE VERSION SUM FILES TARGET: copies files of a module, whose checksum
# is compared here.
go_files() {
  local said="$new/said.json"
  (cd "$new" && go_here GOFLAGS=-modcacherw GOSUMDB=off go mod download -json "$1@$2" >"$said") || return 1
  grep -F "\"Sum\": \"$3\"" "$said" || return 1
  cp -r "$new/modules/$1@$2/$4" "$new/$5"
}

# go_program FROM NAME PACKAGE FLAG...: compiles a program at the versions that a
# directory pins. -mod=readonly holds every module to the checksums in go.sum.
go_program() {
  local from=$1 name=$2 package=$3
  shift 3
  (cd "$from" && go_here GOFLAGS='-mod=readonly -modcacherw' \
    go build -trimpath "$@" -o "$new/$name" "$package")
}

# go_programs NAME WHAT EFFORT VERSION PROGRAM...: compiles programs to .local/NAME,
# unless these very ones are there. VERSION is the oldest that Go may have. A
# PROGRAM is the directory that pins it, its name and its package.
go_programs() {
  local what=$2 effort=$3 version=$4 final="$LOCAL/$1" want from program package line
  local name=$1 is_there=yes
  local -a pins=()
  shift 4
  new="$final.new"
  locked "$name"
  for line in "$@"; do
    read -r from program package <<<"$line"
    pins+=("$from/go.mod" "$from/go.sum")
    [ -x "$final/$program" ] || is_there=no
  done
  want=$(key "scripts/install-$name.sh" scripts/lib-go.sh "${pins[@]}")
  if ! stamped "$name" "$want" || [ "$is_there" = no ]; then
    need go "install Go $version or newer from https://go.dev/dl"
    say "compiling $what ($effort)"
    fresh_log "$name"
    rm -rf "$new"
    mkdir -p "$new"
    for line in "$@"; do
      read -r from program package <<<"$line"
      logged "$name" go_program "$from" "$program" "$package" -ldflags '-s -w' "${go_flags[@]}" ||
        die "$program could not be compiled" \
          "go must reach its module proxy, and be $version or newer; the whole log: .local/log/$name.log"
    done
    go_done
    put_in_place "$new" "$final"
    stamp "$name" "$want"
  fi
}

go_done() { rm -rf "${new:?}/modules" "$new/objects" "$new/said.json"; }
