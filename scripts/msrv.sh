#!/usr/bin/env bash
# Compiles the library and the command-line program with exactly the oldest Rust
# that Cargo.toml names, so that `rust-version` is no guess. rustup must have that
# toolchain, or be able to download it.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

need rustup "install Rust from https://rustup.rs"
version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml).0
if ! rustup run "$version" rustc --version >/dev/null 2>&1; then
  say "installing Rust $version (rustup, up to 5 minutes)"
  fresh_log msrv
  logged msrv timeout 300 rustup toolchain install "$version" --profile minimal --no-self-update ||
    die "rustup could not install Rust $version" "the whole log: .local/log/msrv.log"
fi
rustup run "$version" cargo check --locked --lib --bins --target-dir target/msrv
printf 'Rust %s compiles it\n' "$version"
