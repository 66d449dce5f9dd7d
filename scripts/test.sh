#!/usr/bin/env bash
# Everything that must hold before a change goes in, in stages; what each one did is kept in
# target/test-logs/. Ends with the time of each stage beside its budget, which PHPs were tested, what
# the stages noted ("note: ..."), and the line
#   tests: N passed, N failed, N skipped
# and fails if any stage failed. A stage that others build upon ends the run when it fails. A stage
# that is over its budget is named and fails nothing, as machines are noisy.
#
#   scripts/test.sh             all stages
#   scripts/test.sh STAGE...    only these (names as in the table at the end)
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOGS="$ROOT/target/test-logs"
ONLY=("$@")
ROWS=()
FAILED_STAGES=()
RAN=() OVER=()
PASSED=0 FAILED=0 SKIPPED=0
BEGAN="$(date +%s)"
# What all of it may take on 2 cores, where everything is built already and from a fresh clone. The
# stages' own budgets are for the latter.
WARM=1800 COLD=2700
BUDGET="$COLD"
if [ -d "$ROOT/target" ] && "$ROOT/scripts/build-php.sh" --path >/dev/null 2>&1; then
    BUDGET="$WARM"
fi

# stage NAME must|may BUDGET COMMAND...: runs one stage, which should take no more than BUDGET seconds;
# after a failed `must` nothing else runs.
stage() {
    local name="$1" weight="$2" budget="$3" began status=0 result=ok
    shift 3
    wanted "$name" || return 0
    RAN+=("$name")
    began="$(date +%s)"
    say "== $name"
    "$@" 2>&1 </dev/null | tee "$LOGS/$name.log" || status=$?
    count "$LOGS/$name.log"
    [ "$status" = 0 ] || result=FAILED
    row "$name" "$result" $(($(date +%s) - began)) "$budget"
    [ "$status" != 0 ] || return 0
    FAILED_STAGES+=("$name")
    say "stage $name FAILED (exit code $status)"
    if [ "$weight" = must ]; then
        summary
        exit 1
    fi
}

# row NAME RESULT SECONDS BUDGET: a line of the table at the end.
row() {
    local over=''
    if [ "$3" -gt "$4" ]; then
        over='  over'
        OVER+=("$1")
    fi
    ROWS+=("$(printf '%-16s %-6s  %-8s %-8s%s' "$1" "$2" "$(duration "$3")" "$(duration "$4")" "$over")")
}

wanted() {
    local name
    [ "${#ONLY[@]}" -gt 0 ] || return 0
    for name in "${ONLY[@]}"; do
        [ "$name" != "$1" ] || return 0
    done
    return 1
}

# count LOG: adds the figures of cargo test's, phpt.sh's and apache-load.sh's closing lines.
count() {
    local passed failed skipped
    read -r passed failed skipped < <(awk '
        /^test result: / { passed += $4; failed += $6; skipped += $8 }
        /^(phpt|frameworks) [nz]ts: / { passed += $3; failed += $5; skipped += $7 }
        /^(packaging|scripts): / { passed += $2; failed += $4; skipped += $6 }
        /^(apache-[a-z]+|status-page): passed/ { passed++ }
        /^(apache-[a-z]+|status-page): FAILED/ { failed++ }
        END { print passed + 0, failed + 0, skipped + 0 }' "$1")
    PASSED=$((PASSED + passed)) FAILED=$((FAILED + failed)) SKIPPED=$((SKIPPED + skipped))
}

summary() {
    local name
    row total '' $(($(date +%s) - BEGAN)) "$BUDGET"
    printf '\n%s\n' "stage            result  time     budget"
    printf '%s\n' "${ROWS[@]}"
    if [ "${#OVER[@]}" -gt 0 ]; then
        printf 'warning: over budget: %s\n' "${OVER[*]}"
    fi
    printf 'PHP:'
    for name in nts zts; do
        printf ' %s %s' "$name" "$( (find_php "$name" && "$PHP_CONFIG" --version) 2>/dev/null || echo missing)"
    done
    printf '\n'
    for name in "${RAN[@]}"; do
        sed -nE 's/^(\[ *[0-9]+s\] )?(note: )/\2/p' "$LOGS/$name.log"
    done | awk '!seen[$0]++'
    if [ "${#FAILED_STAGES[@]}" -gt 0 ]; then
        printf 'FAILED stages: %s (logs in %s)\n' "${FAILED_STAGES[*]}" "$LOGS"
        for name in "${FAILED_STAGES[@]}"; do
            tail -n 3 "$LOGS/$name.log" | cut -c 1-400 | sed "s/^/  $name: /"
        done
    fi
    printf 'tests: %d passed, %d failed, %d skipped\n' "$PASSED" "$FAILED" "$SKIPPED"
}

sources() {
    local status=0
    scripts/build-php.sh --sources || status=1
    scripts/frameworks.sh --sources || status=1
    return "$status"
}

# Unoptimised, with overflow checks and debug assertions on: what a test build is for, and the
# quickest to build.
crate_tests() {
    CARGO_TARGET_DIR="$ROOT/target" cargo test "${LOCKED[@]}" --manifest-path "$ROOT/Cargo.toml" \
        --package tagcache-client --package tagcached -j "$(jobs_wanted)" --no-fail-fast
}

mkdir -p "$LOGS"
say "make test: on 2 cores at most $((COLD / 60)) minutes the first time, at most $((WARM / 60)) later"
cd "$ROOT"
# The whole phpt runs once on each of two PHPs. What comes on top of that runs chosen groups here, and
# the whole in scripts/check-deep.sh.
stage setup must 120 scripts/setup.sh
stage sources may 45 sources
stage php must 600 scripts/build-php.sh
stage scripts may 30 scripts/scripts-test.sh
stage fmt may 10 scripts/check.sh fmt
stage shell may 30 scripts/check.sh shell
stage safety may 5 scripts/check-safety.sh
stage mutants-apply may 5 scripts/check.sh mutants
stage clippy may 180 scripts/check.sh clippy
stage clippy-nts may 85 scripts/check.sh clippy-ext nts
stage clippy-zts may 85 scripts/check.sh clippy-ext zts
stage crates may 400 crate_tests
stage loom may 160 scripts/loom.sh
stage fuzz may 250 scripts/fuzz.sh 45
stage server must 115 scripts/build-server.sh
stage ext-nts must 50 scripts/build-ext.sh nts
stage ext-zts must 50 scripts/build-ext.sh zts
stage phpt-nts may 85 scripts/phpt.sh nts
stage phpt-zts may 85 scripts/phpt.sh zts
stage frameworks-nts may 65 scripts/frameworks.sh nts
stage frameworks-zts may 65 scripts/frameworks.sh zts
stage packaging may 15 scripts/packaging-test.sh
stage status-page may 20 scripts/status-page.sh
stage apache may 35 scripts/apache-load.sh
stage apache-deep may 45 scripts/apache-deep.sh 20
stage apache-remember may 10 scripts/apache-remember.sh

[ "${#ROWS[@]}" -gt 0 ] || die "no such stage: ${ONLY[*]}"
summary
[ "${#FAILED_STAGES[@]}" = 0 ] && [ "$FAILED" = 0 ]
