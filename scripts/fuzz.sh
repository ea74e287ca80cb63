#!/usr/bin/env bash
# Fuzzes each target with libFuzzer, guided by coverage, on stable Rust: the
# compiler's own pass puts the counters in, and no sanitizer is used.
# FUZZ_TARGET names one target, FUZZ_SECONDS says how long each one runs (60).
# Inputs that reach something new stay below target/fuzz/corpus for the next run;
# one that fails is kept in fuzz/artifacts/<target>/.
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

seconds=${FUZZ_SECONDS:-60}
mapfile -t all < <(find fuzz/fuzz_targets -name '*.rs' -printf '%f\n' | sed 's/\.rs$//' | sort)
targets=("${all[@]}")
[ -z "${FUZZ_TARGET:-}" ] || targets=("$FUZZ_TARGET")

need cargo "install Rust from https://rustup.rs"
need c++ "it compiles libFuzzer (Debian: apt-get install g++)"
host=$(rustc -vV | sed -n 's/^host: //p')
dir="$ROOT/target/fuzz"

# What cargo-fuzz asks for without a sanitizer. Naming the target keeps it out of
# build scripts and procedural macros.
flags=(--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1)
locked fuzz
fresh_log fuzz
say "compiling the fuzz targets (2 to 3 minutes the first time; log: .local/log/fuzz.log)"
RUSTFLAGS="${flags[*]}" logged fuzz cargo build --locked --release --manifest-path fuzz/Cargo.toml \
  --features libfuzzer --bins --target "$host" --target-dir "$dir" ||
  die "the fuzz targets did not compile" "the whole log: .local/log/fuzz.log"

failed=()
for target in "${targets[@]}"; do
  program="$dir/$host/release/$target"
  [ -x "$program" ] || die "there is no target '$target'" "it may be one of: ${all[*]}"
  corpus="$dir/corpus/$target"
  mkdir -p "$corpus" "fuzz/artifacts/$target"
  say "fuzzing $target for $seconds seconds"
  "$program" "$corpus" "fuzz/seeds/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
    -max_len=16384 -artifact_prefix="fuzz/artifacts/$target/" -print_final_stats=1 \
    2>"$LOGS/fuzz-$target.log" || failed+=("$target")
  grep -E '^(#[0-9]+.*(INITED|DONE)|stat::(number_of_executed_units|peak_rss_mb)|SUMMARY)' "$LOGS/fuzz-$target.log" || true
done
[ "${#failed[@]}" -eq 0 ] ||
  die "these targets failed: ${failed[*]}" "the input: fuzz/artifacts/; the message: .local/log/fuzz-<target>.log" \
    "to repeat it: put the input into fuzz/seeds/<target>/ and run make fuzz-smoke"
