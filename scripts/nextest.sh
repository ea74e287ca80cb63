#!/usr/bin/env bash
# Runs the fast tests with cargo-nextest, one process and one time limit for each
# test (.config/nextest.toml). `make test` uses plain cargo test, because
# compiling cargo-nextest takes longer than all fast tests.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# A prebuilt one on the path is taken, as continuous integration installs it.
nextest=$(command -v cargo-nextest || scripts/install-cargo-tool.sh cargo-nextest)
exec "$nextest" nextest run --locked --lib --bins --tests "$@"
