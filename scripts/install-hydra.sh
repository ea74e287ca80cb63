#!/usr/bin/env bash
# Compiles Ory Hydra, as the Go module proxy has it and tests/real/hydra pins it
# and all that it is made of, into .local/hydra. Prints the directory.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
source scripts/lib-go.sh

need cc "Debian: apt-get install gcc libc6-dev"
version=$(sed -n 's|.*github.com/ory/hydra/v2 v\([0-9.]*\).*|\1|p' tests/real/hydra/go.mod)
# The database is SQLite's, in C.
cgo=1
go_flags=(-tags "sqlite,sqlite_omit_load_extension")
go_programs hydra "Ory Hydra $version" "about 5 minutes, 42 MB" 1.24 \
  "tests/real/hydra hydra github.com/ory/hydra/v2"
printf '%s\n' "$LOCAL/hydra"
