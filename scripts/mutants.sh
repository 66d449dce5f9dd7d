#!/usr/bin/env bash
# Shows that the tests can fail: puts each bug of ci/mutants/ into a copy of the crates and demands that the tests
# which it names turn red.
#
#   scripts/mutants.sh [-k KIND]... [NAME...]   all mutants, or those whose file name begins with NAME
#
# KIND is regressions, matrix, model (proptest), gate, shuttle or loom; all but loom unless given. A
# patch says in lines `red: KIND TEST` which test must fail. Scratch copy and build: target/mutants.
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

KINDS=()
while [ "${1:-}" = -k ]; do
    KINDS+=("${2:?-k wants a kind}")
    shift 2
done
[ "${#KINDS[@]}" -gt 0 ] || KINDS=(regressions matrix model gate shuttle)
NAMES=("$@")

SCRATCH="$ROOT/target/mutants"
TREE="$SCRATCH/tree"
LOG="$SCRATCH/last.log"
CAUGHT=0
MISSED=()

need cargo patch git

# Only what differs is touched, so that little is built again.
refresh() {
    local file
    mkdir -p "$TREE"
    (cd "$ROOT" && git ls-files -z --cached --others --exclude-standard Cargo.toml Cargo.lock build.rs src crates) |
        while IFS= read -r -d '' file; do
            cmp -s "$ROOT/$file" "$TREE/$file" || install -D "$ROOT/$file" "$TREE/$file"
        done
}

# run KIND TEST: runs one test in the scratch copy.
run() {
    local kind="$1" test="$2" flags='' dir=debug target=(--lib) deep=()
    case "$kind" in
    regressions) target=(--test regressions) ;;
    matrix) test="matrix_test::$test" ;;
    # With few scripts, whether one meets the bug is a matter of luck.
    model) test="model_test::$test" deep=(TAGCACHE_DEEP=1) ;;
    gate) test="gate_test::$test" ;;
    shuttle) flags='--cfg shuttle' dir=shuttle test="shuttle_test::$test" ;;
    loom) flags='--cfg loom' dir=loom test="models::$test" ;;
    *) die "no kind '$kind'; known: regressions, matrix, model, gate, shuttle, loom" ;;
    esac
    [ -z "$flags" ] || target=(--profile quick "${target[@]}")
    CARGO_TARGET_DIR="$SCRATCH/$dir" CARGO_PROFILE_QUICK_DEBUG_ASSERTIONS=true RUSTFLAGS="$flags" \
        RUST_BACKTRACE=0 PROPTEST_MAX_SHRINK_ITERS=0 \
        env "${deep[@]}" timeout "${LIMIT:-300}" cargo test --quiet "${LOCKED[@]}" --manifest-path "$TREE/Cargo.toml" -j "$(jobs_wanted)" \
        --package tagcache-client "${target[@]}" -- "$test" >"$LOG" 2>&1 </dev/null
}

# red KIND TEST: succeeds if the test was built, ran and failed. loom ends a deadlocked model by aborting.
red() {
    ! run "$1" "$2" && ! grep -q '^error: could not compile' "$LOG" &&
        grep -qE '^test result: FAILED|SIGABRT' "$LOG"
}

selected() {
    local name
    [ "${#NAMES[@]}" -gt 0 ] || return 0
    for name in "${NAMES[@]}"; do
        [[ "$(basename "$1")" != "$name"* ]] || return 0
    done
    return 1
}

mkdir -p "$SCRATCH"
refresh
for kind in "${KINDS[@]}"; do
    # It builds everything that they depend on, the first time.
    LIMIT=1800 run "$kind" "" || { tail -n 30 "$LOG" && die "$kind: red without a mutant"; }
    say "$kind: green without a mutant"
done
for patch in "$ROOT"/ci/mutants/*.patch; do
    selected "$patch" || continue
    name="$(basename "$patch" .patch)"
    for kind in "${KINDS[@]}"; do
        while read -r _ _ test; do
            refresh
            if ! patch --silent --force --strip=1 --no-backup-if-mismatch --directory="$TREE" <"$patch"; then
                MISSED+=("$name: does not apply")
                say "MISSED   $name: the patch does not apply any more; make it anew"
            elif red "$kind" "$test"; then
                CAUGHT=$((CAUGHT + 1))
                say "caught   $name: $kind $test"
            else
                MISSED+=("$name: $kind $test")
                say "MISSED   $name: $kind $test"
                tail -n 5 "$LOG" >&2
            fi
        done < <(grep "^red: $kind " "$patch")
    done
done
refresh
printf 'mutants: %d caught, %d missed\n' "$CAUGHT" "${#MISSED[@]}"
[ "${#MISSED[@]}" = 0 ] && [ "$CAUGHT" -gt 0 ]
