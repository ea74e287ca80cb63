# shellcheck shell=bash
# Shared by the scripts that take programs and files from Go modules; sourced after
# lib.sh. `new` is the directory of the installation.

# Go with modules and objects of this installation alone.
go_here() {
  env GOTOOLCHAIN=local CGO_ENABLED=0 GOMODCACHE="${new:?}/modules" GOCACHE="$new/objects" "$@"
}

# go_files MODULE VERSION SUM FILES TARGET: copies files of a module, whose checksum
# is compared here.
go_files() {
  local said="$new/said.json"
  (cd "$new" && go_here GOFLAGS=-modcacherw GOSUMDB=off go mod download -json "$1@$2" >"$said") || return 1
  grep -F "\"Sum\": \"$3\"" "$said" || return 1
  cp -r "$new/modules/$1@$2/$4" "$new/$5"
}

# go_program FROM NAME FLAG...: compiles the program in a directory.
# -mod=readonly holds every module to the checksums in go.sum.
go_program() {
  local from=$1 name=$2
  shift 2
  (cd "$from" && go_here GOFLAGS='-mod=readonly -modcacherw' \
    go build -trimpath "$@" -o "$new/$name" .)
}

go_done() { rm -rf "${new:?}/modules" "$new/objects" "$new/said.json"; }
