#!/usr/bin/env bash
# Looks for what a machine must have before anything is installed or built here,
# and says in one line, for each thing that is missing, how to get it.
# 'preflight.sh demo' asks for the demo's ports too, 'preflight.sh test' for what
# Keycloak, LemonLDAP::NG, Spring Authorization Server and Ory Hydra need.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

missing=0
miss() {
  printf 'missing: %-16s %s\n' "$1" "$2" >&2
  missing=$((missing + 1))
}
have() { command -v "$1" >/dev/null 2>&1 || miss "$1" "$2"; }

have cargo "install Rust from https://rustup.rs"
have rustc "install Rust from https://rustup.rs"
have cc "Debian: apt-get install gcc libc6-dev"
have c++ "Debian: apt-get install g++"
have make "Debian: apt-get install make"
have curl "Debian: apt-get install curl"
have openssl "Debian: apt-get install openssl"
have npm "install Node.js with npm (Debian: apt-get install nodejs npm)"
have flock "Debian: apt-get install util-linux"
have taskset "Debian: apt-get install util-linux"
if command -v python3 >/dev/null 2>&1; then
  python3 -c 'import venv, ensurepip' 2>/dev/null || miss "python3's venv" "Debian: apt-get install python3-venv"
else
  miss python3 "Debian: apt-get install python3 python3-venv"
fi
if [ "${1-}" = test ]; then
  if command -v java >/dev/null 2>&1; then
    java=$(java -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p' | head -n 1)
    [ "${java:-0}" -ge 17 ] || miss "Java 17" "version ${java:-?} is too old for Keycloak"
  else
    miss java "it runs Keycloak (Debian: apt-get install openjdk-17-jdk-headless)"
  fi
  have javac "it compiles Spring Authorization Server's class (Debian: apt-get install openjdk-17-jdk-headless)"
  have mvn "it fetches Keycloak and Spring Authorization Server (Debian: apt-get install maven)"
  if command -v go >/dev/null 2>&1; then
    go=$(GOTOOLCHAIN=local go version | sed -n 's/^go version go1\.\([0-9]*\).*/\1/p')
    [ "${go:-0}" -ge 24 ] || miss "Go 1.24" "version 1.${go:-?} is too old for Ory Hydra"
  else
    miss go "it compiles Ory Hydra (Go 1.24 or newer, https://go.dev/dl)"
  fi
  have perl "it runs LemonLDAP::NG (Debian: apt-get install perl)"
  have apt-get "LemonLDAP::NG is taken from Debian's packages"
  have dpkg-deb "LemonLDAP::NG is taken from Debian's packages"
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
  cargo fmt --version >/dev/null 2>&1 || miss rustfmt "rustup component add rustfmt"
  cargo clippy --version >/dev/null 2>&1 || miss clippy "rustup component add clippy"
fi
free=$(df -Pk "$ROOT" | awk 'NR == 2 {print int($4 / 1048576)}')
[ "$free" -ge 8 ] || miss "disk space" "the full test suite needs about 8 GB here, $free GB are free"

if [ "${1-}" = demo ]; then
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

[ "$missing" -eq 0 ] || die "$missing missing; nothing was installed or built"
