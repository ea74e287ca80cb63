# shellcheck shell=bash
# Shared by the scripts that compile for wasm32-wasip1; sourced after lib.sh.

WASM_TARGET=wasm32-wasip1

# compile_wasm NAME WHAT DIRECTORY COMMAND ARGUMENT...: COMMAND of cargo ('build'
# or 'rustc') in the release profile with the toolchain that wasm-toolchain.sh
# finds, into a target directory of its own, so that it and native builds never
# invalidate each other. NAME is the lock's and the log's.
compile_wasm() {
  local name=$1 what=$2 directory=$3 command=$4 toolchain index cargo build flags=""
  local debian="$LOCAL/debian-rust"
  shift 4
  toolchain=$(scripts/wasm-toolchain.sh)
  says_compiler "$toolchain"
  locked "$name"

  # No path of the machine that builds ends up in the file.
  remap() { flags+="'--remap-path-prefix=$1=$2',"; }
  remap "$ROOT" "."
  for index in "${CARGO_HOME:-$HOME/.cargo}/registry/src"/*/; do
    [ -d "$index" ] && remap "${index%/}" "crates"
  done
  build=("$command" --locked --release --target "$WASM_TARGET" --target-dir "$directory")
  case "$toolchain" in
    rustup) cargo=(cargo) ;;
    debian)
      # Debian compiles no standard library for this target: cargo does, once.
      cargo=(env RUSTC_BOOTSTRAP=1 "RUSTC=$debian/bin/rustc" "$debian/bin/cargo")
      build+=(-Z "build-std=std,panic_abort")
      ;;
  esac

  fresh_log "$name"
  say "compiling $what for $WASM_TARGET ($toolchain; 1 to 2 minutes the first time)"
  logged "$name" "${cargo[@]}" "${build[@]}" "$@" --config "target.$WASM_TARGET.rustflags=[$flags]" ||
    die "$what did not compile for $WASM_TARGET" "the whole log: .local/log/$name.log"
}

# says_compiler TOOLCHAIN: where the compiler is not the one that releases are built with, say
# that the bytes differ from a release's.
says_compiler() {
  local released version
  released=$(sed -n 's/^release //p' scripts/rust-versions.txt)
  case "$1" in
    rustup) version=$(rustc --version) ;;
    debian) version=$("$LOCAL/debian-rust/bin/rustc" --version) ;;
  esac
  version=$(cut -d' ' -f2 <<<"$version")
  if [ "$1" != rustup ] || [ "$version" != "$released" ]; then
    say "Rust $version ($1) is not the Rust $released of releases: the digest differs from a release's"
  fi
}

# shrink FROM TO: removes unused code, such as the callbacks that trim-wasm.sh removed from the
# exports. It is a seventh of the module.
shrink() {
  local wasm_opt
  wasm_opt=$(scripts/install-binaryen.sh)
  need node "install Node.js with npm (Debian: apt-get install nodejs npm)"
  node "$wasm_opt" -Os --enable-bulk-memory --enable-sign-ext \
    --enable-nontrapping-float-to-int --enable-mutable-globals --enable-multivalue \
    --enable-reference-types "$1" -o "$2" ||
    die "wasm-opt could not make $1 smaller" "say so in an issue, with the versions of Rust and Node.js"
}

# keep NEW FINAL: copy a file unless nothing changed.
keep() { cmp -s "$1" "$2" || cp "$1" "$2"; }
