#!/usr/bin/env bash
# Changes the files that decide (.cargo/mutants.toml), one small change at a
# time, and lists the changes that no unit test notices. It takes hours for all;
# MUTANTS_FILE=src/token/times.rs looks at one file, which takes minutes.
# The result is in target/mutants/mutants.out. It fails when a change survives.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

cargo_mutants=$(scripts/install-cargo-tool.sh cargo-mutants)
only=()
for file in ${MUTANTS_FILE:-}; do
  [ -f "$file" ] || die "$file is not there" "MUTANTS_FILE takes paths such as src/token/times.rs"
  only+=(--re "^${file//./\\.}:")
done
mkdir -p target/mutants
exec "$cargo_mutants" mutants --jobs 1 --colors never --no-times "${only[@]}"
