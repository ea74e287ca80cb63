#!/usr/bin/env bash
# Looks for what a machine must have before anything is installed or built here,
# and says in one line, for each thing that is missing, how to get it.
# 'preflight.sh demo' asks for the demo's ports too, 'preflight.sh test' for what
# Keycloak, LemonLDAP::NG, Spring Authorization Server, Ory Hydra and crane need,
# 'preflight.sh bench' for what counts and for what compiles the peers. All three
# install what Debian's packages and rustup have, where they may: as root on
# Debian or Ubuntu. They say so before. PREFLIGHT_INSTALL=no in the environment
# leaves the machine as it is.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

mode=${1-}
missing=0
packages=()
components=()
miss() {
  printf 'missing: %-16s %s\n' "$1" "$2" >&2
  missing=$((missing + 1))
}

# lacks THING WHY PACKAGE...: it is missing, and Debian's packages have it.
lacks() {
  local thing=$1 why=$2
  shift 2
  miss "$thing" "${why:+$why }(Debian: apt-get install $*)"
  packages+=("$@")
}

# have COMMAND WHY PACKAGE...
have() { command -v "$1" >/dev/null 2>&1 || lacks "$@"; }

# have_go NEEDS COMPILES: Debian's packages have an older one.
have_go() {
  local go
  if command -v go >/dev/null 2>&1; then
    go=$(GOTOOLCHAIN=local go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
    [ "${go:-0}" -ge 26 ] || miss "Go 1.26" "version 1.${go:-?} is too old for $1 (https://go.dev/dl)"
  else
    miss go "it compiles $2 (Go 1.26 or newer, https://go.dev/dl)"
  fi
}

# A Rust of Debian's packages would be too old.
for tool in cargo rustc; do
  command -v "$tool" >/dev/null 2>&1 || miss "$tool" "install Rust from https://rustup.rs"
done
have cc "" gcc libc6-dev
have c++ "" g++
have make "" make
have curl "" curl
have openssl "" openssl
have npm "it installs n8n and Node.js" nodejs npm
have flock "" util-linux
have taskset "" util-linux
if command -v python3 >/dev/null 2>&1; then
  python3 -c 'import venv, ensurepip' 2>/dev/null || lacks "python3's venv" "" python3-venv
else
  lacks python3 "" python3 python3-venv
fi
if [ "$mode" = test ]; then
  have jq "an example for callers uses it" jq
  have git "it lists the files that a second build is made of" git
  java=""
  if command -v java >/dev/null 2>&1; then
    java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
  fi
  [ "${java:-0}" -ge 17 ] || lacks "Java 17" "it runs Keycloak" openjdk-17-jdk-headless
  have javac "it compiles Spring Authorization Server's class" openjdk-17-jdk-headless
  have mvn "it fetches Keycloak and Spring Authorization Server" maven
  have_go "the module of Envoy Gateway" "Ory Hydra and the judge of manifests"
  have perl "it runs LemonLDAP::NG" perl
  for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || miss "$tool" "LemonLDAP::NG is taken from Debian's packages"
  done
fi
if [ "$mode" = bench ]; then
  have valgrind "it counts instructions" valgrind
  have_go oauth2-proxy "oauth2-proxy and OPA"
fi
if command -v rustc >/dev/null 2>&1; then
  # Cargo refuses what is older than `rust-version` in Cargo.toml.
  rust=$(rustc --version | sed -n 's/^rustc \([0-9]*\.[0-9]*\).*/\1/p')
  oldest=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  if [ "$(printf '%s\n' "$oldest" "$rust" | sort -V | head -n 1)" != "$oldest" ]; then
    miss "Rust $oldest" "version $rust is too old (rustup update stable)"
  elif ! grep -qx "tested $rust" scripts/rust-versions.txt; then
    say "Rust $rust is not tested here; tested are $(sed -n 's/^tested //p' scripts/rust-versions.txt | paste -sd ' ')"
  fi
fi
if command -v cargo >/dev/null 2>&1; then
  for component in fmt:rustfmt clippy:clippy; do
    cargo "${component%:*}" --version >/dev/null 2>&1 || {
      miss "${component#*:}" "rustup component add ${component#*:}"
      components+=("${component#*:}")
    }
  done
fi
free=$(df -Pk "$ROOT" | awk 'NR == 2 {print int($4 / 1048576)}')
[ "$free" -ge 8 ] || miss "disk space" "the full test suite needs about 8 GB here, $free GB are free"

if [ "$mode" = demo ]; then
  # The demo itself looks again, but only after minutes of installing and building.
  port() {
    local number=${!1:-$2}
    if (exec 3<>"/dev/tcp/127.0.0.1/$number") 2>/dev/null; then
      miss "port $number" "something listens there; choose another one for $3: make demo $1=..."
    fi
  }
  port DEMO_GATE_PORT 8080 "the gate"
  port DEMO_ADMIN_PORT 9901 "Envoy's own pages"
  port DEMO_N8N_PORT 5678 "n8n"
  port DEMO_PROVIDER_PORT 9000 "the OpenID provider"
fi

[ "$missing" -gt 0 ] || exit 0

# Brings what is missing. A second run looks again, installs nothing, and says what is still missing.
bring() {
  if [ "${#packages[@]}" -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    mapfile -t packages < <(printf '%s\n' "${packages[@]}" | sort -u)
    say "installing Debian's packages: ${packages[*]}"
    logged preflight env DEBIAN_FRONTEND=noninteractive apt-get update -q || say "that failed; going on with the lists at hand"
    logged preflight env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "${packages[@]}" || true
    brought=1
  fi
  if [ "${#components[@]}" -gt 0 ] && command -v rustup >/dev/null 2>&1; then
    say "installing the components of Rust: ${components[*]}"
    logged preflight timeout 120 rustup component add "${components[@]}" || true
    brought=1
  fi
}
brought=0
if [ -n "$mode" ] && [ "${PREFLIGHT_INSTALL-yes}" != no ]; then
  fresh_log preflight
  bring
fi
if [ "$brought" = 1 ]; then
  say "looking again"
  PREFLIGHT_INSTALL=no exec "$BASH" scripts/preflight.sh "$mode"
fi
die "$missing missing; nothing was built"
