#!/usr/bin/env bash
# ThreadSanitizer over the stress test, which must report nothing, and over the same with a planted race, which it
# must report. TAGCACHE_STRESS_SECONDS (default 20) is how long the first one runs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need cargo
TRIPLE="$(rustc -vV | awk '/^host:/ { print $2 }')"
export CARGO_TARGET_DIR="$ROOT/target/tsan" RUSTC_BOOTSTRAP=1
LOG="$CARGO_TARGET_DIR/stress.log"
FLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer"

# stress SECONDS RUSTFLAGS...: builds and runs it; its status is that of the program.
stress() {
    local seconds="$1"
    shift
    RUSTFLAGS="$*" TAGCACHE_STRESS_SECONDS="$seconds" TSAN_OPTIONS='halt_on_error=0 exitcode=66' \
        cargo test --profile quick "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --target "$TRIPLE" \
        -j "$(jobs_wanted)" --package tagcache-client --test stress >"$LOG" 2>&1 </dev/null
}

mkdir -p "$CARGO_TARGET_DIR"
say "ThreadSanitizer: the planted race"
if stress 1 "$FLAGS --cfg planted_race"; then
    die "the planted race was not noticed"
fi
grep -q 'WARNING: ThreadSanitizer: data race' "$LOG" || { tail -n 30 "$LOG" && die "no report of the planted race"; }
grep -q 'planted' "$LOG" || { tail -n 30 "$LOG" && die "the report is not of the planted race"; }
say "ThreadSanitizer: the stress test"
stress "${TAGCACHE_STRESS_SECONDS:-20}" "$FLAGS" || { tail -n 60 "$LOG" && die "see above"; }
reports="$(grep -c 'WARNING: ThreadSanitizer' "$LOG" || true)"
printf 'tsan: %s; %s reports; the planted race was reported\n' "$(grep '^stress:' "$LOG")" "$reports"
[ "$reports" = 0 ]
