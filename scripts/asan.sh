#!/usr/bin/env bash
# AddressSanitizer (with leak detection) over the client's tests: unit tests, calls, faults, fan-outs, upkeep, regressions, fork, stress.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

need cargo
TRIPLE="$(rustc -vV | awk '/^host:/ { print $2 }')"
export CARGO_TARGET_DIR="$ROOT/target/asan" RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer"
LOG="$CARGO_TARGET_DIR/tests.log"
mkdir -p "$CARGO_TARGET_DIR"
cargo test "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" --target "$TRIPLE" -j "$(jobs_wanted)" \
    --package tagcache-client --lib --test calls --test faults --test upkeep --test regressions --test fork --test fanout --test stress \
    >"$LOG" 2>&1 </dev/null || { tail -n 60 "$LOG" && die "see above"; }
reports="$(grep -cE 'ERROR: (Address|Leak)Sanitizer' "$LOG" || true)"
printf 'asan: %d tests, %s; %s reports\n' \
    "$(awk '/^test result: ok/ { n += $4 } END { print n + 0 }' "$LOG")" "$(grep '^stress:' "$LOG")" "$reports"
[ "$reports" = 0 ]
