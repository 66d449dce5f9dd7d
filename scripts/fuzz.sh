#!/usr/bin/env bash
# Fuzzes each target of fuzz/ for so many seconds (default 60), with AddressSanitizer, and fails on a crash.
#
#   scripts/fuzz.sh [SECONDS] [TARGET...]
#
# Stable Rust will do: RUSTC_BOOTSTRAP lets it instrument. Needs clang++ for libFuzzer. What is found on the way
# goes to target/fuzz/corpus, a crash to fuzz/artifacts; fuzz/corpus is only read.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

SECONDS_EACH="${1:-60}"
shift || true
[[ "$SECONDS_EACH" =~ ^[0-9]+$ ]] || die "usage: scripts/fuzz.sh [SECONDS] [TARGET...]"
TARGETS=("$@")
[ "${#TARGETS[@]}" -gt 0 ] || TARGETS=(replies commands values)

need cargo clang++
TRIPLE="$(rustc -vV | awk '/^host:/ { print $2 }')"
export CARGO_TARGET_DIR="$ROOT/target/fuzz" RUSTC_BOOTSTRAP=1 CXX=clang++
export RUSTFLAGS="--cfg fuzzing -Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer \
-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
cargo build --release --target "$TRIPLE" --manifest-path "$ROOT/fuzz/Cargo.toml" -j "$(jobs_wanted)"

for target in "${TARGETS[@]}"; do
    found="$CARGO_TARGET_DIR/corpus/$target"
    mkdir -p "$found" "$ROOT/fuzz/artifacts/$target"
    log="$CARGO_TARGET_DIR/$target.log"
    say "fuzzing $target for $SECONDS_EACH s"
    "$CARGO_TARGET_DIR/$TRIPLE/release/$target" "$found" "$ROOT/fuzz/corpus/$target" \
        -max_total_time="$SECONDS_EACH" -rss_limit_mb=2048 -malloc_limit_mb=256 -timeout=10 -max_len=4096 \
        -artifact_prefix="$ROOT/fuzz/artifacts/$target/" >"$log" 2>&1 ||
        { tail -n 40 "$log" && die "$target crashed; the input is in fuzz/artifacts/$target"; }
    printf 'fuzz %s: %s, corpus of %d, no crash\n' "$target" "$(grep -oE 'Done [0-9]+ runs' "$log")" \
        "$(find "$found" -type f | wc -l)"
done
